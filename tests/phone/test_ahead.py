"""Words that must be synthesised: those of one step are asked for together, a temporary notice is made before anybody calls."""

import asyncio

from channels.phone.sounds import Sounds
from ivr.commands import Say
from tests.phone.conftest import PROMPTS, all_files

NOTICE = "受强降温影响，来电较多"


class Slow:
    """Says nothing before `wanted` texts have been asked for: whoever asks one after the other waits for ever."""

    def __init__(self, wanted: int) -> None:
        self.asked: list[str] = []
        self._wanted, self._all = wanted, asyncio.Event()

    is_there = True

    async def sound_of(self, text: str, *, wait_s: float = 0.0) -> str | None:
        self.asked.append(text)
        if len(self.asked) == self._wanted:
            self._all.set()
        await self._all.wait()
        return f"http://gateway/{len(text)}"


async def test_all_free_texts_of_one_step_are_asked_for_at_once() -> None:
    speech = Slow(3)
    sounds = Sounds(PROMPTS, all_files(), "zh", speech)
    says = [Say("temporary_notice", {"notice": NOTICE}), Say("reply_told", {"case_no": "26112000007", "reply": "鼓楼广场的垃圾清走了"})]
    async with asyncio.timeout(10):
        named = await sounds.of(says, stored="")
    assert sum(name.startswith("http://") for name in named) == 3
    assert speech.asked == ["受强降温影响", "来电较多", "鼓楼广场的垃圾清走了"]


async def test_a_notice_is_made_as_its_first_caller_will_hear_it() -> None:
    ahead, heard = Slow(1), Slow(1)
    await Sounds(PROMPTS, all_files(), "zh", ahead).ahead([NOTICE])
    await Sounds(PROMPTS, all_files(), "zh", heard).of([Say("recording_notice", {}), Say("temporary_notice", {"notice": NOTICE})], stored="")
    assert ahead.asked == heard.asked == ["受强降温影响", "来电较多"]


async def test_without_a_notice_nothing_is_made() -> None:
    speech = Slow(1)
    await Sounds(PROMPTS, all_files(), "zh", speech).ahead([])
    assert speech.asked == []
