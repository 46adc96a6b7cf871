"""What is said, as the names of sounds in the order they are played.

Which recordings are joined is decided in prompt_files.py; words that have none are handed to the synthesiser and left out
where there is none, unless they are owed in full. Here they become names that Asterisk can play and that cannot change a
command.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from channels.phone.prompt_files import PromptFiles, Sound
from channels.phone.speech import NoSpeech, SoundOf
from channels.phone.synthesis import WAIT_S
from intake.errors import Unavailable
from intake.telephony import NoVoice
from ivr.commands import Say
from ivr.prompts import Prompts

UNSAFE = frozenset("&,\r\n\0\"\\ ")
"""Characters that would change the meaning of a list of sounds in a command."""

IN_FULL = frozenset({"reply_told"})
"""Prompts that tell what a citizen is owed: said word for word or not at all, because his key after it is the receipt."""
MAKING_S = 20.0
"""For one breath of a text that is made before anybody is rung."""


class WordsMissing(Exception):
    """Words that are owed in full cannot be said now."""


@dataclass(frozen=True, slots=True)
class Sounds:
    """`folder` is ours below Asterisk's sounds."""

    prompts: Prompts
    files: PromptFiles
    folder: str
    speech: SoundOf = field(default_factory=NoSpeech)

    async def of(self, says: Iterable[Say], *, stored: str) -> list[str]:
        """The sounds of some prompts one after the other; `stored` is the folder on Asterisk's disk with recordings. Raises
        WordsMissing for a prompt that is said in full."""
        says = tuple(says)
        pieces = [piece for say in says for piece in self.prompts.spoken(say.prompt, say.values)]
        # Asked for together, so that the caller waits once for all that must be synthesised.
        named = await asyncio.gather(*(self._name(sound, stored) for sound in self.files.joined(pieces)))
        if None in named and any(say.prompt in IN_FULL for say in says):
            raise WordsMissing
        return [name for name in named if name and not UNSAFE & set(name)]

    async def make(self, say: Say) -> None:
        """Have everything ready that a prompt will say; raises NoVoice when some of it can never be said, Unavailable when
        not yet."""
        for sound in self.files.joined(self.prompts.spoken(say.prompt, say.values)):
            if sound.kind != "free":
                continue
            if not self.speech.is_there:
                raise NoVoice
            if await self.speech.sound_of(sound.text, wait_s=MAKING_S) is None:
                raise Unavailable

    async def ahead(self, notices: Iterable[str]) -> None:
        """Have temporary notices ready before anybody calls: what is synthesised while he waits may come too late for him."""
        await self.of([Say("temporary_notice", {"notice": text}) for text in notices], stored="")

    async def _name(self, sound: Sound, stored: str) -> str | None:
        """None for words that cannot be said, "" for a sound without a name."""
        if sound.kind == "free":
            return await self.speech.sound_of(sound.text, wait_s=WAIT_S)
        return f"{stored if sound.kind == 'recording' else self.folder}/{sound.name}" if sound.name else ""
