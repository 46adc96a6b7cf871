"""What `check` and `doctor` say of telephone settings that cannot work, before anything is connected."""

from pathlib import Path

import pytest

from intake.commands.doctor_phone import phone_findings, phone_warnings, voice_warnings
from intake.errors import Misconfigured
from intake.profile import load_city
from intake.settings import Settings
from tests.asterisk.gateway import with_voice_replies
from tests.asterisk.stand_in_pack import stand_in_pack

SERVER = {"name": "pbx", "ami_secret": "s3cret-ami", "ari_secret": "s3cret-ari"}


def test_good_settings_and_none_at_all_give_no_warning() -> None:
    assert phone_warnings({}) == []
    assert phone_warnings({"servers": [SERVER]}) == []


@pytest.mark.parametrize(("given", "words"), [
    ({"servers": [{"name": "pbx", "ami_secret": "s"}]}, "ari_secret"),
    ({"servers": [SERVER | {"host": "10.0.0.9"}]}, "agi_host"),
])  # fmt: skip
def test_what_will_not_work_is_told(given: dict[str, object], words: str) -> None:
    [warning] = phone_warnings(given)
    assert words in warning
    assert "s3cret" not in warning


@pytest.mark.parametrize(("given", "words"), [
    ({"servers": []}, "至少"), ({"servers": [{"name": "pbx"}]}, "缺少 ami_secret"),
    ({"servers": [SERVER | {"ami_secret": "two\r\nlines"}]}, "不能换行"), ({"servers": [SERVER | {"hots": "x"}]}, "不认识这个键"),
    ({"servers": [SERVER], "agi_port": "seven"}, "agi_port：无法读取"), ({"servers": [SERVER, SERVER]}, "不能重复"),
])  # fmt: skip
async def test_what_cannot_be_read_is_named(given: dict[str, object], words: str) -> None:
    with pytest.raises(Misconfigured, match=words):
        phone_warnings(given)
    [finding] = await phone_findings(given)
    assert finding.wrong
    assert words in finding.words
    assert "s3cret" not in finding.words


def test_a_city_that_cannot_say_its_voice_replies_is_told(tmp_path: Path) -> None:
    city = load_city(with_voice_replies(tmp_path / "city"))

    def warned(pack: Path, **more: object) -> list[str]:
        return voice_warnings(Settings(home=tmp_path, channels={}, speech=pack, phone={"servers": [SERVER]} | more), city)

    [warning] = warned(tmp_path / "none")
    assert "语音包" in warning
    assert "speech_url" in warning
    assert warned(stand_in_pack(tmp_path / "pack"), speech_url="http://10.0.0.5:12319") == []
