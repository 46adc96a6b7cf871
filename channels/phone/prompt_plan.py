"""Which recordings there must be: for every phrase of the wording, every word and breath, and texts that are often said.

Pure. A city may word single prompts anew and has its own greetings; both are recorded into its own folder.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from channels.phone.prompt_files import PAUSE_NAME, word_file
from ivr import speech
from ivr.breath import breaths
from ivr.prompts import Prompts, read_prompts

SENTENCE_S, CLAUSE_S = 0.25, 0.12
"""How long a voice rests behind a full stop and behind a comma."""
JOINED = (*speech.VOCABULARY, *breaths())
"""What values are joined from."""
RESTS = dict.fromkeys("。！？；：", SENTENCE_S) | dict.fromkeys("，、", CLAUSE_S)


class Number(Protocol):
    """One of the city's telephone numbers, as intake.profile.Line."""

    @property
    def number(self) -> str: ...
    @property
    def greeting(self) -> str: ...
    @property
    def closed_greeting(self) -> str: ...


def planned(prompts: Prompts, fixed: Iterable[str] = ()) -> dict[str, str]:
    """Name to text of every recording. `fixed` are texts that would else be synthesised each time: classes, states."""
    plan = {piece.name: piece.text for prompt in prompts.by_name.values() for piece in prompt.phrases()}
    plan |= {word_file(text): text for text in (*JOINED, *_spoken(fixed))}
    return plan | {PAUSE_NAME: ""}


def city_plan(prompts: Prompts, numbers: Sequence[Number], wording: str = "") -> dict[str, str]:
    """What a city says otherwise: its greetings, and the prompts of its own prompts/zh.toml (`wording`, may be empty).

    Raises FlowError for wording that cannot be read.
    """
    plan = {name: text for name, text in _greetings(numbers).items() if name in prompts.by_name}
    if wording:
        for prompt in read_prompts(wording, file=f"{prompts.language}.toml").by_name.values():
            plan |= {piece.name: piece.text for piece in prompt.phrases()}
    return plan


def reworded(prompts: Prompts, numbers: Sequence[Number], wording: str = "") -> Prompts:
    """The prompts as this city says them."""
    lines = [f'{name} = "{text}"' for name, text in _greetings(numbers).items()]
    greetings = read_prompts("\n".join(["[prompts]", *lines]), file="city.toml").by_name if lines else {}
    own = read_prompts(wording, file=f"{prompts.language}.toml").by_name if wording else {}
    known = {name: prompt for name, prompt in {**greetings, **own}.items() if name in prompts.by_name}
    return replace(prompts, by_name={**prompts.by_name, **known})


def _greetings(numbers: Sequence[Number]) -> dict[str, str]:
    """What each number says first, and what outside its hours: the same where the city has nothing else to say then."""
    usual = {f"greeting_{line.number}": line.greeting for line in numbers}
    return usual | {f"closed_greeting_{line.number}": line.closed_greeting or line.greeting for line in numbers}


def rests(text: str) -> tuple[float, float]:
    """Seconds of silence before and behind a recording, by the stops at its ends."""
    return RESTS.get(text[:1], 0.0), RESTS.get(text[-1:], 0.0)


def differences(plan: Mapping[str, str], texts: Mapping[str, str]) -> list[str]:
    """Names whose recording is missing or says something else, in order of the plan."""
    return [name for name, text in plan.items() if texts.get(name) != text]


def _spoken(fixed: Iterable[str]) -> list[str]:
    """What of the texts is said in one piece, exactly as it will be asked for."""
    return [piece.text for text in fixed for piece in speech.say("text", text) if piece.kind == "free"]
