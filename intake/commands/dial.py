"""`python -m intake dial`: walk a call flow at the keyboard and print what the caller hears.

The walk itself stands in ivr/keyboard.py. The outside is a table of samples here, so that equal keys always give an equal
transcript; no database and no telephone are touched.
"""

import sys
from collections.abc import Callable, Iterator, Mapping

import click

from ivr.acts import ACTS, results_of
from ivr.commands import Ask
from ivr.events import ActResult
from ivr.flow import Flow
from ivr.keyboard import HANG_UP, Surroundings, walk
from ivr.library import load_flow
from ivr.problem import FlowError
from ivr.prompts import load_prompts
from ivr.transcript import Line, rendered

HELP = """在键盘上走一遍话务流程，显示来电人听到的话。

每行是一次按键；空行表示不出声，h 挂机。录音时输入要说的话；排队时 p 表示受理员接听，n 表示无人；
通话中空行表示受理员先挂机，b 表示转接没有接通。按 --script 给出的内容走时，各行以逗号分隔，走完即挂机。查询码 123456 为正确。
"""
SAMPLE_CODE = "123456"
SAMPLES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "queue_position": ("waiting", {"position": "2", "wait_s": "95"}),
    "cases_of_caller": ("some", {"cases": "26112000007;26111900012"}),
    "pick_case": ("picked", {"case_no": "26112000007"}),
    "case_status": (
        "found",
        {"received_at": "2026-11-20T09:30:00", "place": "鼓楼广场北侧", "subclass": "暴露垃圾", "words": "责任单位正在处理"},
    ),
    "save_message": ("saved", {"case_no": "26112000008"}),
    "request_callback": ("kept", {}),
    "save_rating": ("saved", {}),
    "save_answer": ("saved", {}),
    "emergency": ("duty", {}),
    "transfer": ("ready", {}),
    "dial_citizen": ("answered", {}),
}
"""Act to the result it has at the keyboard, and the values that belong to it; --act names another result."""
FACTS: Mapping[str, Mapping[str, str]] = {
    "reply_by_voice": {"reply": "鼓楼广场北侧的垃圾已经清运干净"},
}


@click.command("dial", help=HELP)
@click.argument("flow_name", metavar="FLOW")
@click.option("--number", default="12319", help="来电人拨打的号码。")
@click.option("--fact", "facts", multiple=True, metavar="K=V", help="交给流程的事实，可多次给出。")
@click.option("--act", "acts", multiple=True, metavar="ACT=RESULT", help="动作的结果，如 queue_position=closed，可多次给出。")
@click.option("--script", default=None, help="预先给出的各行，以逗号分隔。")
def command(*, flow_name: str, number: str, facts: tuple[str, ...], acts: tuple[str, ...], script: str | None) -> None:
    """Walk to the end; every problem of the flow or of the options is told in plain words."""
    try:
        prompts = load_prompts()
        flow = load_flow(flow_name, prompts=prompts)
    except FlowError as error:
        raise click.ClickException(str(error)) from error
    handed = read_facts(flow, facts, number=number)
    around = Surroundings(read=_reader(script), answer=sample_outside(read_acts(acts)), write=_write)
    walk(flow, handed, prompts=prompts["zh"], around=around)


def read_facts(flow: Flow, facts: tuple[str, ...], *, number: str) -> dict[str, str]:
    """The facts of the call; raises UsageError for one the flow does not have."""
    given = dict(FACTS.get(flow.name, {})) | _pairs(facts, "--fact")
    if "number" in flow.facts:
        given.setdefault("number", number)
    for name in given:
        if name not in flow.facts:
            raise click.UsageError(f"流程 {flow.name} 没有事实 {name}，现有：{'、'.join(flow.facts) or '无'}")
    return given


def read_acts(acts: tuple[str, ...]) -> dict[str, str]:
    """Act to the result wanted; raises UsageError for an unknown one."""
    wanted = _pairs(acts, "--act")
    for act, result in wanted.items():
        if act not in ACTS:
            raise click.UsageError(f"没有动作 {act}，现有：{'、'.join(ACTS)}")
        if result not in results_of(act):
            raise click.UsageError(f"动作 {act} 没有结果 {result}，现有：{'、'.join(results_of(act))}")
    return wanted


def sample_outside(wanted: Mapping[str, str]) -> Callable[[Ask], ActResult]:
    """An outside that answers from SAMPLES; a case list and a query code are looked at as the real one would."""

    def answer(asked: Ask) -> ActResult:
        result, values = SAMPLES[asked.act]
        if asked.act == "pick_case":
            result, values = _picked(asked.values)
        elif asked.act == "case_status" and asked.values["code"] != SAMPLE_CODE:
            result = "wrong"
        return ActResult(asked.act, wanted.get(asked.act, result), values, asked.ticket)

    return answer


def _picked(given: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    cases = dict(enumerate(given["cases"].split(";"), 1))
    picked = cases.get(int(given["choice"]))
    return ("picked", {"case_no": picked}) if picked else ("unknown", {})


def _pairs(given: tuple[str, ...], option: str) -> dict[str, str]:
    for pair in given:
        if "=" not in pair:
            raise click.UsageError(f"{option} 应为 名称=值，而不是“{pair}”")
    return {name.strip(): value for name, _, value in (pair.partition("=") for pair in given)}


def _reader(script: str | None) -> Callable[[], str | None]:
    lines: Iterator[str] = iter(script.split(",")) if script is not None else _typed()
    return lambda: next(lines, HANG_UP)


def _typed() -> Iterator[str]:
    for line in sys.stdin:
        yield line.rstrip("\r\n")


def _write(line: Line) -> None:
    click.echo(rendered([line]))
