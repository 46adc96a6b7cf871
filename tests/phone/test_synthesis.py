"""Words are synthesised in bounded time, kept for the next caller, and left out rather than waited for."""

import asyncio
import hashlib

import pytest

from channels.phone.pack_worker import WorkerFailed
from channels.phone.speech import NoSpeech, Speech, open_speech
from channels.phone.synthesis import MOST_CHARS, MOST_WAITING, Speaker


class FakeEngine:
    """Says a byte for each character; waits at the gate when there is one."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.gate: asyncio.Event | None = None
        self.fails = False

    async def say(self, text: str) -> bytes:
        self.said.append(text)
        if self.gate:
            await self.gate.wait()
        if self.fails:
            raise WorkerFailed("gone")
        return b"\xd5" * len(text)


def key_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def speaker(engine: FakeEngine, *, most_bytes: int = 1000) -> Speaker:
    return Speaker(engine, key_of, most_bytes=most_bytes)


async def test_a_text_is_made_once_and_kept() -> None:
    engine = FakeEngine()
    speaking = speaker(engine)
    first = await speaking.speak("鼓楼广场北侧")
    again = await speaking.speak(" 鼓楼广场北侧 ")
    assert first is not None
    assert first == again
    assert first.audio == b"\xd5" * 6
    assert engine.said == ["鼓楼广场北侧"]


async def test_two_callers_share_the_making() -> None:
    engine = FakeEngine()
    speaking = speaker(engine)
    both = await asyncio.gather(speaking.speak("人民路"), speaking.speak("人民路"))
    assert both[0] == both[1] is not None
    assert engine.said == ["人民路"]


async def test_a_slow_engine_is_not_waited_for_and_the_next_caller_has_the_words() -> None:
    engine = FakeEngine()
    engine.gate = asyncio.Event()
    speaking = speaker(engine)
    assert await speaking.speak("人民路", wait_s=0) is None
    engine.gate.set()
    late = await speaking.speak("人民路")
    assert late is not None
    assert engine.said == ["人民路"]


async def test_a_failing_engine_is_silence_and_may_be_asked_again() -> None:
    engine = FakeEngine()
    engine.fails = True
    speaking = speaker(engine)
    assert await speaking.speak("人民路") is None
    engine.fails = False
    assert await speaking.speak("人民路") is not None


async def test_what_was_not_heard_for_longest_goes_first() -> None:
    engine = FakeEngine()
    speaking = speaker(engine, most_bytes=10)
    await speaking.speak("一一一一")
    await speaking.speak("二二二二")
    await speaking.speak("一一一一")
    await speaking.speak("三三三三")
    assert speaking.kept(key_of("一一一一"))
    assert speaking.kept(key_of("二二二二")) is None


async def test_long_text_is_cut_and_empty_text_is_nothing() -> None:
    engine = FakeEngine()
    speaking = speaker(engine)
    await speaking.speak("长" * 5000)
    assert engine.said == ["长" * MOST_CHARS]
    assert await speaking.speak("  ") is None


async def test_a_flood_of_texts_is_refused_rather_than_queued() -> None:
    engine = FakeEngine()
    engine.gate = asyncio.Event()
    speaking = speaker(engine)
    speaking.prepare(str(number) for number in range(MOST_WAITING + 5))
    assert await speaking.speak("另一句") is None
    await speaking.stop()


async def test_spoken_words_have_an_address_and_are_found_under_it() -> None:
    spoken = Speech(speaker(FakeEngine()), "http://gateway:12319/")
    address = await spoken.sound_of("人民路")
    assert address == f"http://gateway:12319/speech/{key_of('人民路')}.alaw"
    assert spoken.audio(key_of("人民路")) == b"\xd5" * 3
    assert spoken.audio(key_of("别的")) is None


async def test_without_the_pack_or_an_address_free_text_is_left_out(tmp_path: pytest.TempPathFactory) -> None:
    async with open_speech(tmp_path, "http://gateway:12319", key_of) as spoken:  # type: ignore[arg-type]
        assert isinstance(spoken, NoSpeech)
        assert await spoken.sound_of("人民路") is None
