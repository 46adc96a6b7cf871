"""The wording of what is said, read from data/prompts/<language>.toml, and filled with values as pieces.

A prompt is fixed phrases and slots, `您前面还有{position:amount}位`. Recordings are made of the phrases and of the vocabulary
in speech.py; which prompt is said when stands in the flows.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ivr import speech
from ivr.problem import FlowError, Problem
from ivr.speech import Piece

PROMPTS = Path(__file__).parent.parent / "data" / "prompts"
SLOT = re.compile(r"\{([a-z][a-z0-9_]*):([a-z_]+)\}")
STOPS = "，。、；：！？ "


@dataclass(frozen=True, slots=True)
class Slot:
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt: its phrases (as Piece) and slots in the order they are said."""

    name: str
    parts: tuple[Piece | Slot, ...]

    def slots(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(part.name for part in self.parts if isinstance(part, Slot)))

    def phrases(self) -> tuple[Piece, ...]:
        """The phrases that need a recording."""
        return tuple(part for part in self.parts if isinstance(part, Piece) and part.kind == "phrase")

    def spoken(self, values: Mapping[str, str]) -> tuple[Piece, ...]:
        """Everything that is said; a slot without a value is left out."""
        return tuple(self._filled(values))

    def _filled(self, values: Mapping[str, str]) -> Iterator[Piece]:
        for part in self.parts:
            if isinstance(part, Slot):
                yield from speech.say(part.kind, values.get(part.name, ""))
            else:
                yield part


@dataclass(frozen=True, slots=True)
class Prompts:
    """All prompts of one language by name."""

    language: str
    by_name: Mapping[str, Prompt]

    def spoken(self, name: str, values: Mapping[str, str]) -> tuple[Piece, ...]:
        return self.by_name[name].spoken(values)

    def text(self, name: str, values: Mapping[str, str]) -> str:
        return speech.text_of(self.spoken(name, values))


def load_prompts(folder: Path = PROMPTS) -> dict[str, Prompts]:
    """Every language in a folder; raises FlowError naming file and prompt."""
    found = {path.stem: read_prompts(path.read_text(encoding="utf-8"), file=path.name) for path in sorted(folder.glob("*.toml"))}
    if not found:
        raise FlowError((Problem(folder.name, "", "", "没有任何语言的提示音文件"),))
    return found


def read_prompts(text: str, *, file: str) -> Prompts:
    """Read one language; raises FlowError with everything that is wrong."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FlowError((Problem(file, "", "", f"不是有效的 TOML：{error}"),)) from error
    section = raw.get("prompts")
    if not isinstance(section, dict) or not section:
        raise FlowError((Problem(file, "", "prompts", "缺少 [prompts]"),))
    problems = tuple(problem for name, wording in section.items() for problem in _faults(name, wording, file))
    if problems:
        raise FlowError(problems)
    language = file.removesuffix(".toml")
    return Prompts(language, {name: Prompt(name, _parts(name, wording)) for name, wording in section.items()})


def _faults(name: str, wording: object, file: str) -> Iterator[Problem]:
    if not isinstance(wording, str) or not wording.strip():
        yield Problem(file, "", f"prompts.{name}", "应为文字，不能为空")
        return
    rest = SLOT.sub("", wording)
    if "{" in rest or "}" in rest:
        yield Problem(file, "", f"prompts.{name}", "花括号里应为 {名称:读法}")
    for kind in {found[2] for found in SLOT.finditer(wording)} - speech.KINDS.keys():
        yield Problem(file, "", f"prompts.{name}", f"没有“{kind}”这种读法，应为 {'、'.join(speech.KINDS)} 之一")
    if re.search(r"[0-9]", rest):
        # A synthesiser reads 12319 as a quantity; the wording says how it is read.
        yield Problem(file, "", f"prompts.{name}", "数字要写成读出来的汉字，如“幺二三幺九”")


def _parts(name: str, wording: str) -> tuple[Piece | Slot, ...]:
    cut = re.split(r"(\{[^}]*\})", wording)
    parts: list[Piece | Slot] = []
    whole = len(cut) == 1
    for text in cut:
        found = SLOT.fullmatch(text)
        if found:
            parts.append(Slot(found[1], found[2]))
        elif text.strip(STOPS):
            count = sum(isinstance(part, Piece) and part.kind == "phrase" for part in parts)
            parts.append(Piece("phrase", text, name if whole else f"{name}-{count + 1}"))
        elif text:
            parts.append(Piece("pause", text))
    return tuple(parts)
