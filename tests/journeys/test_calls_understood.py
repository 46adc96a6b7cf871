"""What citizens heard, recorded at their end and recognised by the speech pack, is what should have been said to them."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest

from channels.phone.pack_worker import PackWorker
from channels.phone.prompt_plan import reworded
from channels.phone.speech_pack.pack import pack_at
from channels.phone.transcripts import PackListener
from intake.call import Call
from intake.profile import City
from intake.settings import Settings, load_settings
from intake.voice_reply import words_of
from intake.wiring import open_gateway
from ivr.prompts import load_prompts
from tests.asterisk import hearing
from tests.asterisk.calls import Telephone, behave, rung
from tests.asterisk.exchange import Exchange
from tests.asterisk.gateway import connected, gateway_behind, rows, until, with_voice_replies
from tests.asterisk.room import Room
from tests.journeys.test_call_replies import file
from tests.phone.speech_oracle import sound_error_rate
from tests.running import RunningGateway

PACK = pack_at()
pytestmark = [
    pytest.mark.servers,
    pytest.mark.slow,
    pytest.mark.skipif(not PACK.is_installed(), reason="the speech pack is not installed (make speech)"),
]
MOST_WRONG = 0.15
"""Syllables wrong for each that was said. Of our prompt files themselves, never telephoned, it gets one in ten wrong at most."""
MOST_WRONG_FREE = 0.25
"""The same where places and words of a case are synthesised during the call."""
OFFERED, OFFERED_CLOSED = ("recording_notice", "offer_nobody"), ("recording_notice", "offer_closed")
LISTENED = "n&q2500"
"""Until what is being said has been said, on a busy machine too."""
HEARS_TWICE_MORE = f"{LISTENED}&d9&{LISTENED}&d9"
LONGEST_S = 180.0
LEAST_S, PAUSE_S = 3.0, 0.4
"""A recording is heard in stretches: each at least so long, and ended by a pause of so long."""
Said = tuple[str, Mapping[str, str]]


@pytest.fixture(scope="module")
def gateway(pbx: Exchange, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """Replies by voice are on, words without a recording are synthesised, nobody has logged in."""
    home = tmp_path_factory.mktemp("understood")
    gateway = gateway_behind(pbx, home / "home")
    gateway.environment["INTAKE_PHONE"] = json.dumps(pbx.phone_settings() | {"speech_url": gateway.url})
    gateway.environment["INTAKE_CITY"] = str(with_voice_replies(home / "city"))
    gateway.start("--no-train")
    yield gateway
    gateway.stop()


@pytest.fixture
async def listener() -> AsyncIterator[PackListener]:
    async with PackWorker(PACK, "recognition") as worker:
        yield PackListener(worker)


async def wrong(listener: PackListener, recording: Path, *should: str) -> tuple[float, str, str]:
    """The share of syllables that were not understood, what should have been said (the likeliest of several), and what was
    understood."""
    stretches = hearing.stretches(hearing.read(recording), least_s=LEAST_S, pause_s=PAUSE_S)
    files = [hearing.write(recording.with_name(f"{recording.stem}-{n}.wav"), each) for n, each in enumerate(stretches)]
    sounds = [await asyncio.to_thread(file.read_bytes) for file in files]
    understood = "".join([(await listener.hear(sound, seconds=hearing.seconds(one))).text
                          for sound, one in zip(sounds, stretches, strict=True)])  # fmt: skip
    return min((sound_error_rate(one, understood), one, understood) for one in should)


def words(city: City, *said: str | Said) -> str:
    """The words of prompts, in this city's wording."""
    prompts = reworded(load_prompts()["zh"], city.lines)
    return "".join(prompts.text(*((one, {}) if isinstance(one, str) else one)) for one in said)


async def listens(room: Room, number: str, caller: str, script: str = LISTENED) -> Telephone:
    """A citizen rings, does as the script says, and hangs up."""
    citizen = await room.citizen_rings(number, caller=caller, script=f"{script}&h")
    await room.pstn.event("UserEvent", UserEvent="PhoneEnded", Tag=citizen.tag, deadline_s=LONGEST_S)
    return citizen


async def test_greetings_and_offers_are_understood(room: Room, gateway: RunningGateway, city: City, listener: PackListener) -> None:
    await connected(room)
    callers = {"12319": "19900000081", "96310": "19900000082"}
    citizens = await asyncio.gather(*(listens(room, number, caller) for number, caller in callers.items()))
    for number, citizen in zip(callers, citizens, strict=True):
        by_hours = (words(city, f"greeting_{number}", *OFFERED), words(city, f"closed_greeting_{number}", *OFFERED_CLOSED))
        rate, *texts = await wrong(listener, citizen.heard, *by_hours)
        assert rate <= MOST_WRONG, (rate, texts)


async def test_the_state_of_a_case_is_understood(room: Room, gateway: RunningGateway, city: City, listener: PackListener) -> None:
    await connected(room)
    report = {"text": "鼓楼广场北侧有一堆垃圾", "place": "鼓楼广场北侧"}
    _, receipt = await asyncio.to_thread(gateway.ask, "POST", "/api/v1/reports", report)
    keys = f"{LISTENED}&d2&{LISTENED}&d{receipt['case_no']}#&{LISTENED}&d{receipt['query_code']}#&n&q4000"
    for caller in ("19900000083", "19900000084"):  # a word that is not synthesised in time is left out the first time only
        citizen = await listens(room, "12319", caller, keys)
    [(call_id,)] = rows(gateway, "select max(call_id) from calls")
    asked = {"case_no": str(receipt["case_no"]), "code": str(receipt["query_code"])}
    async with open_gateway(settings_of(gateway), judging=False) as running:
        result, told = await running.switchboard.ask(int(str(call_id)), "case_status", asked)
    assert result == "found"
    should = words(city, "greeting_12319", *OFFERED, "ask_case_no", "ask_code", "looking", ("status_told", asked | told), "status_more")
    rate, *texts = await wrong(listener, citizen.heard, should)
    assert rate <= MOST_WRONG_FREE, (rate, texts)


async def test_a_reply_by_voice_is_understood(room: Room, gateway: RunningGateway, city: City, listener: PackListener) -> None:
    await connected(room)
    mobile = "19900000085"
    citizen = await room.citizen_rings(caller=mobile, script=f"{LISTENED}&d1")
    await room.pbx.event("Newexten", Application="Record", CallerIDNum=mobile)
    await citizen.begin(f"w1&{room.speak('citizen')}&d#&{LISTENED}&d1&n&q1500&h")
    await citizen.ended()
    query = "select r.case_no from recordings r where kind = 'message' and case_no > 0"
    [(number,)] = await until(lambda: rows(gateway, query))
    # Somebody who talks longer than this before he listens is taken for an answering machine.
    hello = hearing.write(room.public.root / "hello.wav", hearing.voice(7, 0.6))
    await behave(room.pstn, mobile, "answer", f"p{hello.with_suffix('')}&{HEARS_TWICE_MORE}&{LISTENED}&d1&n&q1500&w1")
    await file(gateway, int(number))
    rang = await rung(room.public, room.pstn, mobile)
    await room.pstn.event("UserEvent", UserEvent="PhoneEnded", Tag=rang.tag, deadline_s=LONGEST_S)
    [(call_id,)] = rows(gateway, "select call_id from calls where purpose = 'voice'")

    async with open_gateway(settings_of(gateway), judging=False) as running:
        reply = await running.store.read(lambda work: words_of(work, work.get(Call, int(call_id))))
    told = [("reply_told", {"case_no": str(number), "reply": reply}), "reply_choices"]
    rate, *texts = await wrong(listener, rang.heard, words(city, "reply_hello", *told, *told, *told, "reply_thanks"))
    assert rate <= MOST_WRONG_FREE, (rate, texts)


def settings_of(gateway: RunningGateway) -> Settings:
    return load_settings(home=gateway.home, city=gateway.environment["INTAKE_CITY"])
