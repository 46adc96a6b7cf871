"""A reply by voice is said word for word or not at all: made before anybody is rung, never half of it with a key after it."""

import pytest

from channels.phone.sounds import Sounds, WordsMissing
from channels.phone.speech import NoSpeech, SoundOf
from intake.commands.dial import FACTS
from intake.errors import Unavailable
from intake.telephony import NoVoice
from ivr.commands import Say
from ivr.speech import LONGEST_BREATH, LONGEST_LETTER, say
from tests.phone.conftest import PROMPTS, Synthesiser, all_files, opened

TOLD = Say("reply_told", {"case_no": "26112000007", "reply": "已办结：垃圾已清走，十七日复查无误"})


def sounds(speech: SoundOf) -> Sounds:
    return Sounds(PROMPTS, all_files(), "zh", speech)


async def test_every_breath_of_a_reply_is_made_ahead_and_then_heard() -> None:
    speech = Synthesiser()
    await sounds(speech).make(TOLD)
    made = list(speech.asked)
    assert "垃圾已清走" in made
    heard = await sounds(speech).of([TOLD], stored="")
    assert speech.asked == [*made, *made]
    assert sum(name.startswith("http://") for name in heard) == len(made)


@pytest.mark.parametrize(
    ("speech", "raised"), [(NoSpeech(), NoVoice), (Synthesiser(is_there=False), NoVoice), (Synthesiser(late=True), Unavailable)]
)
async def test_what_cannot_be_said_is_known_before_anybody_is_rung(speech: SoundOf, raised: type[Exception]) -> None:
    with pytest.raises(raised):
        await sounds(speech).make(TOLD)


async def test_half_a_reply_is_not_said_while_other_prompts_do_without_their_words() -> None:
    with pytest.raises(WordsMissing):
        await sounds(Synthesiser(late=True)).of([TOLD], stored="")
    assert await sounds(Synthesiser(late=True)).of([Say("temporary_notice", {"notice": "来电较多"})], stored="") is not None


async def test_a_citizen_whose_reply_is_not_ready_is_not_asked_for_a_key() -> None:
    facts = FACTS["reply_by_voice"] | {"answered_by": "person", **TOLD.values}
    async with opened(speech=Synthesiser(late=True), given=facts) as gateway:
        await gateway.call()
        gateway.board.positions.clear()
        peer = await gateway.call("1", path="voice-reply", arguments=("pbx", "1", "person"))
        assert "zh/reply_choices" not in peer.heard
        assert peer.variables["GW_DONE"] == "1"
        assert [told for told in gateway.board.told if told[2:3] == ("save_answer",)] == []
        assert gateway.board.outcomes[1].end == "cut_short"


def test_a_long_reply_is_said_to_its_end_in_breaths_short_enough_to_be_made() -> None:
    text = "雨水箅子已经疏通" * (LONGEST_LETTER // 8)
    pieces = say("letter", text)
    assert "".join(piece.text for piece in pieces if piece.kind == "free") == text
    assert max(len(piece.text) for piece in pieces) <= LONGEST_BREATH
