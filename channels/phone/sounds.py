"""What is said, as the names of sounds in the order they are played.

Which recordings are joined is decided in prompt_files.py; words that have none are handed to the synthesiser and left out
where there is none. Here they become names that Asterisk can play and that cannot change a command.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from channels.phone.prompt_files import PromptFiles, Sound
from channels.phone.speech import NoSpeech, SoundOf
from ivr.commands import Say
from ivr.prompts import Prompts

UNSAFE = frozenset("&,\r\n\0\"\\ ")
"""Characters that would change the meaning of a list of sounds in a command."""


@dataclass(frozen=True, slots=True)
class Sounds:
    """`folder` is ours below Asterisk's sounds."""

    prompts: Prompts
    files: PromptFiles
    folder: str
    speech: SoundOf = field(default_factory=NoSpeech)

    async def of(self, says: Iterable[Say], *, stored: str) -> list[str]:
        """The sounds of some prompts one after the other; `stored` is the folder on Asterisk's disk with recordings."""
        pieces = [piece for say in says for piece in self.prompts.spoken(say.prompt, say.values)]
        # Asked for together, so that the caller waits once for all that must be synthesised.
        named = await asyncio.gather(*(self._name(sound, stored) for sound in self.files.joined(pieces)))
        return [name for name in named if name and not UNSAFE & set(name)]

    async def ahead(self, notices: Iterable[str]) -> None:
        """Have temporary notices ready before anybody calls: what is synthesised while he waits may come too late for him."""
        await self.of([Say("temporary_notice", {"notice": text}) for text in notices], stored="")

    async def _name(self, sound: Sound, stored: str) -> str | None:
        if sound.kind == "free":
            return await self.speech.sound_of(sound.text)
        return f"{stored if sound.kind == 'recording' else self.folder}/{sound.name}" if sound.name else None
