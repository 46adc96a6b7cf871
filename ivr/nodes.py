"""The kinds of node a call flow is made of, as frozen values, and the exits each kind has.

An exit says where the walk goes on, whether the caller's own doing is needed for it, and what is known afterwards; the
checks and the engine both read it. Reading documents stands in flow.py, stepping in engine.py.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ivr.acts import FAILED, results_of

DEFAULT_SILENCE_PROMPT = "not_heard"
DEFAULT_NONSENSE_PROMPT = "not_understood"


@dataclass(frozen=True, slots=True)
class Edge:
    """A way out of a node. With `times` it is taken so often in one call and afterwards leads to `then`.

    `settles` names the outcome that stands from here on: hanging up later is no longer a call cut short.
    """

    to: str
    times: int = 0
    then: str = ""
    settles: str = ""

    def targets(self) -> tuple[str, ...]:
        return (self.to, self.then) if self.times else (self.to,)


@dataclass(frozen=True, slots=True)
class Exit:
    """An edge with its name in the node. `by_caller`: somebody must key, speak or answer before it is taken."""

    name: str
    edge: Edge
    by_caller: bool = False
    gives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Say:
    """Say a prompt and go on."""

    name: str
    prompt: str
    next: Edge

    def exits(self) -> Iterator[Exit]:
        yield Exit("next", self.next)

    def prompts(self) -> tuple[str, ...]:
        return (self.prompt,)


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask for digits: one of `choices`, or any `min_digits` to `max_digits` kept as `save_as`. Waits in seconds.

    `retries` counts how often the question is put again before `silence` or `nonsense` is taken. `secret` digits stay
    out of outcomes and transcripts.
    """

    name: str
    prompt: str
    choices: Mapping[str, Edge]
    next: Edge | None
    silence: Edge | None
    nonsense: Edge | None
    save_as: str = ""
    min_digits: int = 1
    max_digits: int = 1
    terminator: str = "#"
    first_s: int = 6
    between_s: int = 4
    retries: int = 2
    secret: bool = False
    silence_prompt: str = DEFAULT_SILENCE_PROMPT
    nonsense_prompt: str = DEFAULT_NONSENSE_PROMPT

    def exits(self) -> Iterator[Exit]:
        gives = (self.save_as,) if self.save_as else ()
        yield from (Exit(f"choices.{key}", edge, by_caller=True, gives=gives) for key, edge in self.choices.items())
        yield from _present(Exit("next", self.next, by_caller=True, gives=gives) if self.next else None)
        yield from _present(Exit("silence", self.silence) if self.silence else None)
        yield from _present(Exit("nonsense", self.nonsense, by_caller=True) if self.nonsense else None)

    def prompts(self) -> tuple[str, ...]:
        return (self.prompt, self.silence_prompt, self.nonsense_prompt) if self.retries else (self.prompt,)


@dataclass(frozen=True, slots=True)
class Record:
    """Record speech up to `max_s` seconds, ended by `silence_s` of silence, a key or hang-up; kept as `save_as`.

    Shorter than `min_s` counts as silence. A later take under the same name replaces the earlier one.
    """

    name: str
    prompt: str
    next: Edge
    silence: Edge | None
    full: Edge
    save_as: str
    max_s: int = 180
    min_s: int = 1
    silence_s: int = 5
    retries: int = 1
    silence_prompt: str = DEFAULT_SILENCE_PROMPT

    def exits(self) -> Iterator[Exit]:
        yield Exit("next", self.next, by_caller=True, gives=(self.save_as,))
        yield Exit("full", self.full, by_caller=True, gives=(self.save_as,))
        yield from _present(Exit("silence", self.silence) if self.silence else None)

    def prompts(self) -> tuple[str, ...]:
        return (self.prompt, self.silence_prompt) if self.retries else (self.prompt,)


@dataclass(frozen=True, slots=True)
class Branch:
    """Go by a known value: a fact handed in, an answer, or what an act brought back."""

    name: str
    on: str
    cases: Mapping[str, Edge]
    otherwise: Edge

    def exits(self) -> Iterator[Exit]:
        yield from (Exit(f"cases.{value}", edge) for value, edge in self.cases.items())
        yield Exit("otherwise", self.otherwise)

    def prompts(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Act:
    """Put a named question to the outside (acts.py) and go by its result. `given`: its argument to the value's name."""

    name: str
    act: str
    given: Mapping[str, str]
    results: Mapping[str, Edge]
    prompt: str = ""

    def exits(self) -> Iterator[Exit]:
        values = results_of(self.act)
        for result, edge in self.results.items():
            yield Exit(f"results.{result}", edge, gives=values.get(result, ()))

    def prompts(self) -> tuple[str, ...]:
        return (self.prompt,) if self.prompt else ()

    def edge_for(self, result: str) -> tuple[str, Edge]:
        """The result and its edge; a result nobody declared is a failure."""
        result = result if result in self.results else FAILED
        return result, self.results[result]


@dataclass(frozen=True, slots=True)
class HandOver:
    """Give the caller to a queue or a person and wait at most `timeout_s` seconds; `keys` leave the wait.

    `after`: the person has left and the caller is still there. `outcome` is how the call ended when he hangs up then.
    `back_prompt` is said to a caller who was given on to somebody that did not answer, before he waits here again;
    `on_prompt` to one whom the person wants to be served by somebody else.
    """

    name: str
    to: str
    timeout_s: int
    timeout: Edge
    unavailable: Edge
    after: Edge
    keys: Mapping[str, Edge]
    prompt: str = ""
    outcome: str = "served"
    back_prompt: str = ""
    on_prompt: str = ""

    def exits(self) -> Iterator[Exit]:
        yield from (Exit(f"keys.{key}", edge, by_caller=True) for key, edge in self.keys.items())
        yield Exit("after", self.after, by_caller=True)
        yield Exit("timeout", self.timeout)
        yield Exit("unavailable", self.unavailable)

    def prompts(self) -> tuple[str, ...]:
        return tuple(prompt for prompt in (self.prompt, self.back_prompt, self.on_prompt) if prompt)


@dataclass(frozen=True, slots=True)
class End:
    """The call is over for the flow. `call_back`: a person owes this caller a call."""

    name: str
    outcome: str
    call_back: bool = False

    def exits(self) -> Iterator[Exit]:
        return iter(())

    def prompts(self) -> tuple[str, ...]:
        return ()


Node = Say | Ask | Record | Branch | Act | HandOver | End
LISTENING = (Ask, Record, Act, HandOver)
"""The nodes at which the walk waits and a key may arrive."""


def _present(leaving: Exit | None) -> Iterator[Exit]:
    if leaving is not None:
        yield leaving
