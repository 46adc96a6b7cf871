"""A hotline room for one test: connections to the three exchanges, telephones to take up, and what people say."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.asterisk import hearing
from tests.asterisk.ami import Ami
from tests.asterisk.calls import Telephone, answer, behave, registered, ring, rung
from tests.asterisk.exchange import Exchange

SPEAKS_S = {"citizen": 4.0, "operator": 2.5}
"""Who says something, and for how long: voices unlike each other, so that it can be told who is on a recording."""


@dataclass
class Room:
    """The hotline, the citizens' network and the operators' telephones, with a connection to each."""

    hotline: Exchange
    public: Exchange
    desk: Exchange
    pbx: Ami
    pstn: Ami
    agents: Ami
    voices: dict[str, Path] = field(default_factory=dict)

    async def citizen_rings(self, number: str = "12319", script: str = "", **more: str) -> Telephone:
        return await ring(self.public, self.pstn, number, script=script, **more)

    async def operator_answers(self, number: str, script: str = "") -> Telephone:
        """The operator's telephone rings and is picked up."""
        telephone = await rung(self.desk, self.agents, number)
        await answer(telephone, number)
        return telephone

    async def talk(self, citizen: Telephone, operator: Telephone) -> None:
        """Each says something while the other listens."""
        await operator.do(self.speak("operator"))
        await citizen.do(self.speak("citizen"))

    def speak(self, who: str) -> str:
        """The step of a script in which somebody speaks."""
        return f"p{self.voices[who].with_suffix('')}"

    def is_on(self, who: str, recording: Path) -> bool:
        """Is that voice on a recording?"""
        return hearing.find(hearing.read(recording), hearing.read(self.voices[who])) is not None

    def prompts_on(self, recording: Path, *names: str) -> list[str]:
        """Which of these prompts were heard, in their order."""
        known = hearing.prompts(self.hotline.root / "sounds" / self.hotline.site.sounds, names)
        return [heard.name for heard in hearing.which(hearing.read(recording), known)]

    def stored(self, name: str) -> Path:
        """A recording that the hotline's Asterisk keeps, by the name ARI knows it by."""
        return self.hotline.folders.recordings / f"{name}.wav"

    async def notes(self) -> list[list[str]]:
        """Calls whose end no gateway has seen, as the dialplan noted them."""
        output = await self.pbx.command("database show hotline-open")
        return [line.partition(": ")[2].strip().split(",") for line in output.splitlines() if line.startswith("/hotline-open")]


@asynccontextmanager
async def opened(hotline: Exchange, public: Exchange, desk: Exchange, operators: Sequence[str]) -> AsyncIterator[Room]:
    """A room in which every operator's telephone is engaged until a test says otherwise."""
    async with hotline.ami() as pbx, public.ami() as pstn, desk.ami() as agents:
        await registered(pbx, *operators)
        for number in operators:
            await behave(agents, number, "busy")
        await pbx.command("database deltree hotline-open")
        room = Room(hotline, public, desk, pbx, pstn, agents)
        for seed, (who, lasts_s) in enumerate(SPEAKS_S.items()):
            room.voices[who] = hearing.write(public.root / f"{who}.wav", hearing.voice(seed, lasts_s))
        yield room
        for leg in await pstn.collect("CoreShowChannels", "CoreShowChannelsComplete"):
            await pstn.act("Hangup", Channel=leg["Channel"])
