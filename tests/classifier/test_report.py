"""The page and the diagram of an evaluation, and the figures of places."""

import io
import json
import re
import shutil
from pathlib import Path

from click.testing import CliRunner
from PIL import Image

from classifier import registry
from classifier.calibration import Bin
from classifier.corpus import Example
from classifier.evaluate import Answer, report
from classifier.place_score import place_scores
from classifier.report_diagram import BAR, reliability_png
from classifier.report_html import FIGURES, Page, page_of
from intake.commands.evaluate import command

PAGE = Page("v1", "test.jsonl", lambda label: f"<{label}>")
BINS = (Bin(0.5, 0.6, 10, 0.55, 0.3), Bin(0.9, 1.0, 90, 0.95, 1.0))


def answer(truth: str, said: str, confidence: float, **more: object) -> Answer:
    return Answer(truth, frozenset((truth,)), (said, "event:0102", "none"), confidence, 0.5, False, **more)  # type: ignore[arg-type]


ANSWERS = [
    answer("event:0101", "event:0101", 0.95, register="sms", length=12),
    answer("event:0103", "event:0101", 0.85, register="letter", length=200),
]


def test_the_page_stands_alone_and_hides_personal_data() -> None:
    examples = [Example("路灯不亮", "event:0101"), Example("找王先生 19900000001 <script>", "event:0103")]
    page = page_of(PAGE, report(ANSWERS), diagram=b"png", judged=list(zip(examples, ANSWERS, strict=True)))
    assert "19900000001" not in page
    assert "<script>" not in page
    assert "&lt;event:0101&gt;" in page
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []
    assert "路灯不亮" not in page


def test_every_figure_of_a_report_has_a_name() -> None:
    assert report(ANSWERS).scores.keys() <= FIGURES.keys()


def test_slices_tell_registers_and_lengths_apart() -> None:
    found = {each.name: (each.texts, each.top1) for each in report(ANSWERS).slices}
    assert found == {"letter": (1, 0.0), "sms": (1, 1.0), "0-19": (1, 1.0), "150+": (1, 0.0)}


def test_the_diagram_is_a_picture_whose_bars_are_as_high_as_the_precision() -> None:
    raw = reliability_png(BINS)
    assert raw == reliability_png(BINS)
    image = Image.open(io.BytesIO(raw))
    blue = tuple(int(BAR[place : place + 2], 16) for place in (1, 3, 5))
    heights = [sum(image.getpixel((x, y)) == blue for y in range(image.height)) for x in _middles(image)]
    assert heights[0] < 0.35 * heights[1]
    assert heights[0] > 0.25 * heights[1]


def _middles(image: Image.Image) -> tuple[int, int]:
    """Columns through the middle of both bars."""
    span = image.width - 44 - 14
    return 44 + round(0.56 * span), 44 + round(0.96 * span)


def test_no_bins_give_an_empty_diagram() -> None:
    assert Image.open(io.BytesIO(reliability_png(()))).format == "PNG"


def test_overlap_is_shared_over_joined_characters() -> None:
    examples = [Example("在人民路12号", "a", place="人民路12号"), Example("路灯", "a"), Example("中山路口", "a", place="中山路口")]
    spans = {"在人民路12号": (1, 4), "中山路口": None}
    found = place_scores(lambda text: spans[text], examples)
    assert found == {"place_overlap": 0.25, "place_found": 0.5}
    assert place_scores(lambda _: None, [Example("路灯", "a")]) == {}


def test_the_command_writes_page_and_diagram(tmp_path: Path, model_path: Path) -> None:
    (tmp_path / "models").mkdir()
    shutil.copy(model_path, tmp_path / "models" / registry.FILE_NAME)
    labelled = tmp_path / "ours.jsonl"
    row = {"text": "人民路12号门口的路灯不亮了", "kind": "component", "subclass_code": "0118", "place": "人民路12号门口"}
    labelled.write_text(json.dumps(row), encoding="utf-8")
    done = CliRunner().invoke(command, ["--home", str(tmp_path), "--file", str(labelled)])
    assert done.exit_code == 0
    assert "top1_strict" in done.stdout
    (page,) = (tmp_path / "reports").glob("ours-*.html")
    assert "路灯" in page.read_text(encoding="utf-8")
    assert page.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    again = page.read_bytes()
    CliRunner().invoke(command, ["--home", str(tmp_path), "--file", str(labelled), "--report", str(page)])
    assert page.read_bytes() == again
