"""The measure of what a recogniser heard: numbers count as heard however they are written."""

import pytest

from tests.phone.speech_oracle import in_figures, value_errors


@pytest.mark.parametrize(("text", "figures"), [
    ("十一月二十日", "11月20日"), ("二十三位", "23位"), ("受理编号二六，幺幺二零", "受理编号261120"), ("尾号0047的请按一", "尾号0047的请按1"),
    ("一百零五", "105"), ("两位", "2位"), ("约1小时30分钟。", "约1小时30分钟"), ("2十分钟", "20分钟"), ("", ""),
])  # fmt: skip
def test_numbers_are_figures_however_they_are_written(text: str, figures: str) -> None:
    assert in_figures(text) == figures


@pytest.mark.parametrize(("said", "heard", "errors"), [
    ("26112000007", "您的留言已经收到，受理编号261120-00007，我们会", 0), ("26112000007", "受理编号 26112 0007", 2),
    ("十一月二十日", "您11月20日反映的", 0), ("3位", "未来电人", 2), ("12", "", 2),
])  # fmt: skip
def test_a_value_is_sought_in_what_was_heard(said: str, heard: str, errors: int) -> None:
    assert value_errors(said, heard) == errors
