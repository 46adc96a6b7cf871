"""The reliability diagram as a PNG: how often answers of each confidence were right, beside how sure they were.

Drawn with Pillow, of which this is the only importer in the classifier. Digits only, so that no font is needed; the page
around it (report_html.py) says what the axes are.
"""

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw

from classifier.calibration import Bin

SIZE, LEFT, BOTTOM, EDGE = 480, 44, 64, 14
SPAN = SIZE - LEFT - EDGE
HISTOGRAM = 44
WHITE, INK, GRID, BAR, GAP, LINE = "#ffffff", "#333333", "#dddddd", "#3b78b8", "#e8a33d", "#888888"


def reliability_png(bins: Sequence[Bin]) -> bytes:
    """A square diagram: bars are precision, orange what confidence promises beyond or short of it, below the texts."""
    image = Image.new("RGB", (SIZE, SIZE + BOTTOM - EDGE), WHITE)
    pen = ImageDraw.Draw(image)
    _axes(pen)
    most = max((each.texts for each in bins), default=1)
    for each in bins:
        _bar(pen, each)
        _count(pen, each, most)
    pen.line((_x(0), _y(0), _x(1), _y(1)), fill=LINE, width=1)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _axes(pen: ImageDraw.ImageDraw) -> None:
    for tenth in range(0, 11, 2):
        share = tenth / 10
        pen.line((_x(0), _y(share), _x(1), _y(share)), fill=GRID)
        pen.line((_x(share), _y(0), _x(share), _y(1)), fill=GRID)
        pen.text((_x(0) - 26, _y(share) - 6), f"{share:.1f}", fill=INK)
        pen.text((_x(share) - 9, _y(0) + 5), f"{share:.1f}", fill=INK)
    pen.rectangle((_x(0), _y(1), _x(1), _y(0)), outline=INK)


def _bar(pen: ImageDraw.ImageDraw, each: Bin) -> None:
    left, right = _x(each.low) + 3, _x(each.high) - 3
    pen.rectangle((left, _y(each.precision), right, _y(0)), fill=BAR)
    high, low = max(each.precision, each.confidence), min(each.precision, each.confidence)
    if _y(high) < _y(low):
        pen.rectangle((left, _y(high), right, _y(low)), outline=GAP, width=2)


def _count(pen: ImageDraw.ImageDraw, each: Bin, most: int) -> None:
    foot = _y(0) + 24 + HISTOGRAM
    top = foot - max(1, round(HISTOGRAM * each.texts / most))
    pen.rectangle((_x(each.low) + 3, top, _x(each.high) - 3, foot), fill=LINE)
    pen.text((_x(each.low) + 6, foot + 3), str(each.texts), fill=INK)


def _x(share: float) -> int:
    return LEFT + round(share * SPAN)


def _y(share: float) -> int:
    return EDGE + round((1 - share) * SPAN)
