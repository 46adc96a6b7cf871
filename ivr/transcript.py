"""What was heard and done in a call, line by line. Two drivers that walk the same flow alike give equal transcripts.

References of recordings, times and tickets differ from driver to driver and are left out; secret digits too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ivr import commands as do
from ivr import events as on
from ivr.prompts import Prompts

SIGNS: Mapping[str, str] = {
    "heard": "听到", "keyed": "按键", "silent": "无声", "spoke": "说话", "asked": "查询", "told": "结果", "handed": "转接",
    "answered": "接通", "left": "离开", "given_back": "转接未通", "nobody": "无人", "timeout": "超时", "hung_up": "挂机", "ended": "结束",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """`kind` is one of SIGNS; `name` the prompt, act or destination; `text` what was heard or keyed."""

    kind: str
    name: str = ""
    text: str = ""


def lines_of_command(command: do.Command, prompts: Prompts) -> tuple[Line, ...]:
    """What a command lets the caller hear, or asks of the outside."""
    if isinstance(command, do.Say):
        return (Line("heard", command.prompt, prompts.text(command.prompt, command.values)),)
    if isinstance(command, do.Ask):
        return (Line("asked", command.act),)
    if isinstance(command, do.HandOver):
        return (Line("handed", command.to),)
    if isinstance(command, do.End):
        ended = command.outcome
        marks = [ended.how, "taken_in" if ended.taken_in else "", "call_back" if ended.call_back else ""]
        return (Line("ended", ended.end, " ".join(mark for mark in marks if mark)),)
    return ()


def lines_of_event(event: on.Event, *, secret: bool = False) -> tuple[Line, ...]:
    """What the caller or the outside did. `secret`: the keys answer a question about a secret."""
    if isinstance(event, on.Digits):
        hidden = secret and event.keys != "0"
        return (Line("keyed", text="*" * len(event.keys) if hidden else event.keys),)
    if isinstance(event, on.Recorded):
        return (Line("spoke", text=event.key),)
    if isinstance(event, on.ActResult):
        return (Line("told", event.name, event.result),)
    kind = _PLAIN.get(type(event))
    return (Line(kind),) if kind else ()


def rendered(lines: Iterable[Line]) -> str:
    """The transcript as text, one line each."""
    return "\n".join(f"{SIGNS[line.kind]}　{_words(line)}".rstrip() for line in lines)


def _words(line: Line) -> str:
    # Who reads a transcript wants the words; the prompt's name is for comparing.
    return line.text if line.kind == "heard" else f"{line.name} {line.text}".strip()


_PLAIN: Mapping[type, str] = {
    on.Silence: "silent", on.PersonAnswered: "answered", on.PersonLeft: "left", on.GivenBack: "given_back",
    on.GivenOn: "given_on", on.NobodyThere: "nobody", on.Timeout: "timeout", on.Hangup: "hung_up",
}  # fmt: skip
