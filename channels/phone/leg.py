"""What can be done with one leg over AGI: say sounds and collect keys, record, set variables, leave.

Saying and recording run as subroutines of the dialplan (deploy/asterisk/hotline/extensions.conf), which renew Asterisk's
dead man's switch behind themselves: when the gateway freezes meanwhile, the caller is led into the local fallback.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from channels.phone.agi import LegGone, Reply, Session, command
from ivr.keypad import FLOOD

GUARD_S = 4
"""Seconds in which the gateway must give its next command."""
SAY, TELL, TAKE = "hotline-say", "hotline-tell", "hotline-take"
SOUND_S = 20
"""Length assumed of a sound; the longest prompt we ship takes 16."""
WELL, DEAD = 200, 511
"""Asterisk's answer to a command that needs a living leg."""
TONE_S = 0.7
"""From the command to the end of the tone."""
WAV_HEADER, BYTES_PER_S = 44, 16_000
ANY_KEY = "0123456789*#"
SHORTEST_WAIT_S = 0.1
MAX_SOUNDS = 1500
"""Characters of sound names in one command; Asterisk cuts a command at 2048."""
TAIL_S = 1.0
"""Asterisk cuts the silence that ended a recording, but for this last second."""
TAKE_KEYS: Mapping[str, str] = {"OPERATOR": "0", "DTMF": "#"}
"""How Record ended to the key that ended it: it tells 0 from the others, and no more is asked of it."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Typed:
    """Keys collected. `ended`: by # or because there were enough of them, not by the time running out."""

    keys: str
    ended: bool


@dataclass(frozen=True, slots=True)
class Take:
    """What a recording came to. `gone`: the caller hung up meanwhile."""

    seconds: float
    key: str = ""
    gone: bool = False


class Leg:
    """A caller's leg while the gateway has it. Raises LegGone from every method once he is gone."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def begin(self, variables: Mapping[str, str], *, answer: bool) -> None:
        """The gateway's first word: renews the guard, sets variables, answers."""
        await self.renew()
        await self._set(variables)
        if answer:
            await self._run("ANSWER")

    async def renew(self) -> None:
        """Tell Asterisk that the gateway is alive."""
        await self._set({"TIMEOUT(absolute)": str(GUARD_S)})

    async def say(self, sounds: Sequence[str]) -> str:
        """Say sounds; the key that stopped them, or ""."""
        for part in parts(sounds):
            typed = await self._read(part, most=1, wait_s=SHORTEST_WAIT_S, between_s=1)
            if typed.keys:
                return typed.keys
        return ""

    async def tell(self, sounds: Sequence[str]) -> None:
        """Say sounds to their end, whatever is keyed meanwhile."""
        for part in parts(sounds):
            await self._subroutine(TELL, "&".join(part), lasts_s=SOUND_S * len(part))

    async def collect(self, sounds: Sequence[str], *, most: int, first_s: float, between_s: float) -> Typed:
        """Say sounds, which a key stops, and collect up to `most` keys or until #: `first_s` to wait for the first one after
        the last sound, `between_s` for each further one. Of one key # is one itself."""
        *early, last = list(parts(sounds)) or [()]
        ahead = ""
        for part in early:
            ahead = (await self._read(part, most=1, wait_s=SHORTEST_WAIT_S, between_s=between_s)).keys
            if ahead:
                break
        if ahead and (most == 1 or ahead == "#"):
            return Typed(ahead, ended=True)
        wait_s = between_s if ahead else first_s
        rest = await self._read(() if ahead else last, most=most - len(ahead), wait_s=wait_s, between_s=between_s)
        return Typed(ahead + rest.keys, rest.ended)

    async def _read(self, sounds: Sequence[str], *, most: int, wait_s: float, between_s: float) -> Typed:
        most = min(most, FLOOD)
        lasts_s = SOUND_S * len(sounds) + (wait_s + between_s) * most
        arguments = f"{'&'.join(sounds)},{most},{wait_s:g},{between_s:g}"
        await self._subroutine(SAY, arguments, lasts_s=lasts_s)
        status, _, keys = (await self._run(command("GET FULL VARIABLE", "${GW_READ}"))).data.partition(":")
        keys = "".join(key for key in keys if key in ANY_KEY)
        return Typed(keys, ended=status == "OK" and bool(keys or most > 1))

    async def record(self, path: str, *, max_s: int, silence_s: int) -> Take:
        """A tone, then a WAV file at `path` (without ending) on Asterisk's disk until a key, silence or `max_s`."""
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            await self._subroutine(TAKE, f"{path},{silence_s},{max_s}", lasts_s=max_s + SOUND_S)
            return await self.last_take(path, max_s=max_s) or Take(0)
        except LegGone:
            # The file up to that moment stays on Asterisk's disk; only its length is not told.
            return Take(round(max(0.0, clock() - began - TONE_S), 1), gone=True)

    async def last_take(self, path: str, *, max_s: int) -> Take | None:
        """What was recorded at `path`, also by a gateway that was killed meanwhile; None when nothing was."""
        told, _, where = (await self._run(command("GET FULL VARIABLE", "${GW_TAKE}"))).data.rpartition(":")
        return take_of(told, max_s=max_s) if where == path else None

    async def leave(self, variables: Mapping[str, str]) -> None:
        """The gateway's last word: what the dialplan is to do next; then the connection ends."""
        await self._set(variables)
        self._session.close()

    async def _set(self, variables: Mapping[str, str]) -> None:
        for name, value in variables.items():
            await self._run(command("SET VARIABLE", name, value))

    async def _subroutine(self, context: str, arguments: str, *, lasts_s: float) -> None:
        reply = await self._run(command("GOSUB", context, "s", "1", arguments), lasts_s=lasts_s)
        if reply.result == "-1":
            raise LegGone

    async def _run(self, line: str, *, lasts_s: float = 0) -> Reply:
        reply = await self._session.send(line, lasts_s=lasts_s)
        if reply.code == DEAD:
            raise LegGone
        if reply.code != WELL:
            log.error("phone.agi_refused", verb=line.partition(" ")[0], code=reply.code)
        return reply


def take_of(told: str, *, max_s: int) -> Take:
    """The length of a recording and how it ended, from "status:bytes of its WAV file"."""
    status, _, size = told.partition(":")
    seconds = max(0, int(size) - WAV_HEADER) / BYTES_PER_S if size.isdigit() else 0.0
    if status == "SILENCE":
        seconds = max(0.0, seconds - TAIL_S)
    if status == "TIMEOUT":
        seconds = float(max_s)
    return Take(round(seconds, 3), TAKE_KEYS.get(status, ""), gone=status == "HANGUP")


def parts(sounds: Sequence[str]) -> list[tuple[str, ...]]:
    """Sounds in portions that fit into one command."""
    found: list[tuple[str, ...]] = []
    length = MAX_SOUNDS
    for sound in sounds:
        if length + len(sound) + 1 > MAX_SOUNDS:
            found.append(())
            length = 0
        found[-1] += (sound,)
        length += len(sound) + 1
    return found
