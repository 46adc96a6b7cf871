"""The keyboard as a telephone: a driver that reads lines instead of keys and speech and gives the same transcript.

A line is keys, or "" for silence; h hangs up. While recording it is what is said; while waiting p answers, n tells that
nobody is there, "" lets the time pass; while talking "" or l ends the talk, b tells of a transfer nobody
answered. No clock, no audio, no outside of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ivr import commands as do
from ivr import events as on
from ivr.engine import begin, step
from ivr.flow import Flow
from ivr.keypad import gather
from ivr.position import Outcome
from ivr.prompts import Prompts
from ivr.transcript import Line, lines_of_command, lines_of_event

HANG_UP = "h"
SPOKEN_PER_SECOND = 4
"""Characters of Mandarin a second, for the length of a typed recording."""
PHONE_KEYS = frozenset("0123456789*#")
WAITING_WORDS: Mapping[str, on.Event] = {"": on.Timeout(), "p": on.PersonAnswered(), "n": on.NobodyThere()}
TALKING_WORDS: Mapping[str, on.Event] = {"": on.PersonLeft(), "l": on.PersonLeft(), "b": on.GivenBack()}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the keyboard needs from outside. `read` gives a line, None at the end, which is a hang-up."""

    read: Callable[[], str | None]
    answer: Callable[[do.Ask], on.ActResult]
    write: Callable[[Line], None]


@dataclass(frozen=True, slots=True)
class _Typing:
    """What stands between two events: what is waited for, keys typed ahead, recordings so far, whether a talk is on."""

    asked: do.Command | None = None
    ahead: str = ""
    recordings: int = 0
    talking: bool = False
    around: Surroundings = field(kw_only=True)


def walk(flow: Flow, facts: Mapping[str, str], *, prompts: Prompts, around: Surroundings) -> Outcome:
    """Walk a flow to its end and give its outcome; every line of the transcript goes to `around.write`."""
    position = begin(flow)
    event: on.Event = on.Started(facts)
    typing = _Typing(around=around)
    while True:
        position, told = step(position, event, flow=flow)
        for line in (line for command in told for line in lines_of_command(command, prompts)):
            around.write(line)
        last = told[-1] if told else typing.asked
        if isinstance(last, do.End):
            return last.outcome
        event, typing = _next_event(replace(typing, asked=last, talking=position.talking))
        secret = isinstance(last, do.Collect) and last.secret
        for line in lines_of_event(event, secret=secret):
            around.write(line)


def _next_event(typing: _Typing) -> tuple[on.Event, _Typing]:
    if isinstance(typing.asked, do.Ask):
        return typing.around.answer(typing.asked), typing
    # Keys from before the tone are no speech.
    ahead = "" if isinstance(typing.asked, do.Record) else typing.ahead
    line = ahead or typing.around.read()
    typing = replace(typing, ahead="")
    if line is None or line.strip() == HANG_UP:
        return on.Hangup(), typing
    if isinstance(typing.asked, do.Record):
        return _speech(line, typing)
    line = line.strip()
    if isinstance(typing.asked, do.Collect):
        return _keys(line, typing.asked, typing)
    words = TALKING_WORDS if typing.talking else WAITING_WORDS
    return words.get(line) or on.Digits(line[:1]), replace(typing, ahead="" if line in words else line[1:])


def _keys(line: str, asked: do.Collect, typing: _Typing) -> tuple[on.Event, _Typing]:
    if not line:
        return on.Silence(), typing
    gathered = gather(line, asked)
    return on.Digits(gathered.keys), replace(typing, ahead=gathered.rest)


def _speech(line: str, typing: _Typing) -> tuple[on.Event, _Typing]:
    """Speech, ended by a key when the line ends with one; a line of a single key is a key without speech."""
    if not line.strip():
        return on.Silence(), typing
    key = line[-1] if len(line) == 1 or line[-1] in "#*" else ""
    said = line.removesuffix(key) if key in PHONE_KEYS else line
    key = key if key in PHONE_KEYS else ""
    ref = f"recording-{typing.recordings + 1}" if said else ""
    seconds = -(-len(said) // SPOKEN_PER_SECOND)
    return on.Recorded(ref, seconds, key), replace(typing, recordings=typing.recordings + bool(said))
