"""Loading flows with their prompts: read, join parts, check. What is given out has passed every check."""

from functools import lru_cache
from pathlib import Path

from ivr.check import check
from ivr.flow import FLOWS, Flow, read_flow
from ivr.parts import join_parts
from ivr.problem import FlowError, Problem
from ivr.prompts import Prompts, load_prompts


def flow_names(folder: Path = FLOWS) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.toml"))


def load_flow(name: str, *, prompts: dict[str, Prompts] | None = None, folder: Path = FLOWS) -> Flow:
    """A flow ready to be stepped through; raises FlowError with every problem found."""
    file = f"{name}.toml"
    prompts = load_prompts() if prompts is None else prompts
    flow = join_parts(_read(name, folder), file=file, read=lambda inner: _read(inner, folder))
    problems = check(flow, prompts, file=file)
    if problems:
        raise FlowError(tuple(problems))
    # Slots are the same in every language; check has seen to that.
    language = next(iter(prompts.values()))
    return flow.with_slots({name: prompt.slots() for name, prompt in language.by_name.items()})


@lru_cache
def shipped_flow(name: str) -> Flow:
    """A flow of ours with our own prompts, read once."""
    return load_flow(name)


def _read(name: str, folder: Path) -> Flow:
    file = f"{name}.toml"
    if name not in flow_names(folder):
        raise FlowError((Problem(file, "", "", f"没有这个流程，现有：{'、'.join(flow_names(folder))}"),))
    flow = read_flow((folder / file).read_text(encoding="utf-8"), file=file)
    if flow.name != name:
        raise FlowError((Problem(file, "", "name", f"应与文件名一致，写作 {name}"),))
    return flow
