"""What `check` and `doctor` say of telephone settings that cannot work, before anything is connected."""

import pytest

from intake.commands.doctor_phone import phone_findings, phone_warnings
from intake.errors import Misconfigured

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
