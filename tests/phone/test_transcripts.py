"""Messages are drafted one after the other; nothing that goes wrong loses one or stops the rest."""

from dataclasses import dataclass, field

from channels.phone.pack_worker import WorkerFailed
from channels.phone.transcripts import MOST_TRIES, Draft, Transcripts, open_transcripts
from intake.echoes import Echoes
from intake.errors import NotFound


@dataclass
class Row:
    token: str
    duration_ms: int = 9000


@dataclass
class FakeRecordings:
    waiting: list[Row]
    audio: dict[str, bytes]
    drafts: dict[str, tuple[str, float]] = field(default_factory=dict)

    async def untranscribed(self) -> list[Row]:
        return [row for row in self.waiting if row.token not in self.drafts]

    async def read(self, token: str, *, most: int | None = None) -> bytes:
        if token not in self.audio:
            raise NotFound("没有")
        return self.audio[token]

    async def transcribe(self, token: str, text: str, *, confidence: float = 0.0) -> None:
        self.drafts[token] = (text, confidence)


class FakeListener:
    def __init__(self, failing: bytes = b"") -> None:
        self.heard: list[tuple[bytes, float]] = []
        self.failing = failing

    async def hear(self, audio: bytes, *, seconds: float) -> Draft:
        self.heard.append((audio, seconds))
        if audio == self.failing:
            raise WorkerFailed("died")
        return Draft("冰江路的井盖坏了", 0.8)


def loop(recordings: FakeRecordings, listener: FakeListener) -> Transcripts:
    return Transcripts(recordings, listener, Echoes(["滨江路"]).mended)


async def test_a_message_gets_a_draft_with_the_street_the_city_has() -> None:
    held = FakeRecordings([Row("a", 12_500)], {"a": b"sound"})
    listener = FakeListener()
    assert await loop(held, listener).round() == 1
    assert held.drafts == {"a": ("滨江路（听作“冰江路”）的井盖坏了", 0.8)}
    assert listener.heard == [(b"sound", 12.5)]


async def test_a_message_that_fails_waits_and_the_others_are_drafted() -> None:
    held = FakeRecordings([Row("bad"), Row("good")], {"bad": b"bad", "good": b"good"})
    assert await loop(held, FakeListener(b"bad")).round() == 1
    assert list(held.drafts) == ["good"]


async def test_a_message_that_fails_again_and_again_is_left_to_people() -> None:
    held = FakeRecordings([Row("bad")], {"bad": b"bad"})
    listener = FakeListener(b"bad")
    drafting = loop(held, listener)
    for _ in range(MOST_TRIES + 2):
        await drafting.round()
    assert held.drafts == {"bad": ("", 0.0)}
    assert len(listener.heard) == MOST_TRIES


async def test_a_message_whose_sound_is_gone_is_not_asked_for_again() -> None:
    held = FakeRecordings([Row("gone")], {})
    await loop(held, FakeListener()).round()
    assert held.drafts == {"gone": ("", 0.0)}


async def test_without_the_pack_messages_wait(tmp_path: object) -> None:
    async with open_transcripts(tmp_path, FakeRecordings([], {}), str) as drafting:  # type: ignore[arg-type]
        assert drafting is None
