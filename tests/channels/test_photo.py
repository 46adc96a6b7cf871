"""A picture from outside: what is taken, what is refused, what is read from it and what is left behind."""

import io
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from PIL import Image, ImageOps

from channels.web import photo
from channels.web.photo import Picture, develop, sniffed
from intake.errors import BadInput
from tests.channels.pictures import bomb, exif, picture, zipped

ZONE = ZoneInfo("Asia/Shanghai")


def developed(data: bytes) -> Picture:
    return develop(data, number=1, zone=ZONE)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def pixel(data: bytes, at: tuple[int, int]) -> tuple[int, ...]:
    found = opened(data).getpixel(at)
    assert isinstance(found, tuple)
    return found


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_every_accepted_format_becomes_a_jpeg_of_the_same_size(form: str) -> None:
    found = developed(picture(form))
    image = opened(found.jpeg)
    assert (image.format, image.size, found.width, found.height) == ("JPEG", (320, 240), 320, 240)
    red, blue = pixel(found.jpeg, (20, 120)), pixel(found.jpeg, (300, 120))
    assert red[0] > 150 > red[2]
    assert blue[2] > 150 > blue[0]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_time_and_place_are_read_and_then_left_behind(form: str) -> None:
    found = developed(picture(form, exif=exif()))
    assert found.taken_at == datetime(2026, 11, 20, 3, 58, 30, tzinfo=UTC)
    assert (found.lon, found.lat) == (102.34, 40.33)
    for body in (found.jpeg, found.thumb):
        assert b"SECRET-CAMERA" not in body
        assert b"Exif" not in body
        assert not opened(body).getexif()


def test_the_cameras_own_offset_wins_over_the_citys_zone() -> None:
    found = developed(picture(exif=exif(offset="+09:00")))
    assert found.taken_at == datetime(2026, 11, 20, 2, 58, 30, tzinfo=UTC)


@pytest.mark.parametrize("taken", ["", "0000:00:00 00:00:00", "yesterday", "1970:01:01 00:00:00"])
def test_a_camera_without_a_set_clock_tells_no_time(taken: str) -> None:
    assert developed(picture(exif=exif(taken=taken, point=False))).taken_at is None


def test_a_picture_is_turned_upright() -> None:
    found = developed(picture(exif=exif(orientation=6)))
    assert (found.width, found.height) == (240, 320)
    top = pixel(found.jpeg, (120, 20))
    assert top[0] > 150 > top[2]


def test_large_pictures_are_scaled_and_thumbnails_are_small() -> None:
    found = developed(picture(size=(5300, 80)))
    assert max(found.width, found.height) == photo.KEPT_SIDE
    assert max(opened(found.thumb).size) == photo.THUMB_SIDE


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "I;16"])
def test_unusual_colour_modes_are_taken(mode: str) -> None:
    assert opened(developed(picture("PNG", mode=mode)).jpeg).mode == "RGB"


def test_transparent_parts_become_white() -> None:
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    out = io.BytesIO()
    image.save(out, "PNG")
    assert pixel(developed(out.getvalue()).jpeg, (20, 20)) == (255, 255, 255)


def test_a_comment_in_the_file_does_not_survive() -> None:
    assert b"hidden words" not in developed(picture(comment=b"hidden words")).jpeg


POLYGLOTS = {
    "jpeg with an archive behind it": picture() + zipped(),
    "png with an archive behind it": picture("PNG") + zipped(),
    "jpeg with a script in its comment": picture(comment=b"<script>alert(1)</script>"),
    "jpeg with php in its comment": picture(comment=b"<?php system('id'); ?>"),
    "jpeg head before a document": b"\xff\xd8\xff\xe0" + b"%PDF-1.7\n" + b"x" * 200,
}


@pytest.mark.parametrize("name", POLYGLOTS)
def test_a_file_that_is_also_something_else_is_refused(name: str) -> None:
    with pytest.raises(BadInput) as caught:
        developed(POLYGLOTS[name])
    assert caught.value.field == "photos"
    assert "夹带" in caught.value.message


NOT_PHOTOS = {
    "empty": b"", "words": "这不是照片".encode(), "archive": zipped(), "gif": picture("GIF"), "bmp": picture("BMP"),
    "tiff": picture("TIFF"), "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>", "page": b"<!doctype html><p>",
    "program": b"\x7fELF" + b"\0" * 60, "video": b"\0\0\0\x18ftypisom" + b"\0" * 60,
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_PHOTOS)
def test_anything_but_the_four_formats_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="JPEG、PNG、WebP 或 HEIC"):
        developed(NOT_PHOTOS[name])


BROKEN = {
    "cut short": picture()[:400], "only a head": b"\xff\xd8\xff\xe0\0\x10JFIF" + b"\0" * 40,
    "png head over words": b"\x89PNG\r\n\x1a\n" + b"word" * 40, "webp head": b"RIFF\x40\0\0\0WEBP" + b"\0" * 64,
    "heic head": b"\0\0\0\x18ftypheic" + b"\0" * 64,
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_picture_is_refused_with_its_number(name: str) -> None:
    with pytest.raises(BadInput, match="第 3 张") as caught:
        develop(BROKEN[name], number=3, zone=ZONE)
    assert caught.value.field == "photos"


def test_a_decompression_bomb_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    data = bomb()
    assert len(data) < 20_000

    def decoding(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decoding)
    with pytest.raises(BadInput, match="尺寸过大"):
        developed(data)


@pytest.mark.parametrize(
    ("form", "options", "most"),
    [("JPEG", {}, photo.MAX_PIXELS), ("JPEG", {"progressive": True}, photo.MAX_PIXELS_WHOLE),
     ("PNG", {}, photo.MAX_PIXELS_WHOLE), ("WEBP", {}, photo.MAX_PIXELS_WHOLE), ("HEIF", {}, photo.MAX_PIXELS_WHOLE)],
)  # fmt: skip
def test_what_must_be_decoded_whole_may_be_smaller_only(
    monkeypatch: pytest.MonkeyPatch, form: str, options: dict[str, bool], most: int
) -> None:
    """The picture says that it is one pixel too large, or just small enough, without being so."""
    data = picture(form, **options)
    kind = type(Image.open(io.BytesIO(data)))
    for width, words in ((most // 5000, "损坏"), (most // 5000 + 1, f"最多 {most // 10_000} 万像素")):
        monkeypatch.setattr(kind, "size", property(lambda _, width=width: (width, 5000)))
        monkeypatch.setattr(kind, "load", _not_decoded)
        with pytest.raises(BadInput, match=words):
            developed(data)


def _not_decoded(*_: object) -> None:
    raise OSError


@pytest.mark.parametrize(("form", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("WEBP", "RGBA"), ("JPEG", "RGB")])
def test_nothing_but_the_decoder_holds_a_whole_picture(monkeypatch: pytest.MonkeyPatch, form: str, mode: str) -> None:
    """A picture of 25 megapixels would otherwise be in memory several times over."""
    data = picture(form, size=(5200, 600), mode=mode)
    held: list[int] = []
    for name in ("convert", "copy", "reduce", "transpose", "resize"):
        whole = getattr(Image.Image, name)

        def watched(image: Image.Image, *given: object, whole: Any = whole, **options: object) -> Image.Image:
            held.append(image.width * image.height)
            made = whole(image, *given, **options)
            assert isinstance(made, Image.Image)
            return made

        monkeypatch.setattr(Image.Image, name, watched)
    found = developed(data)
    assert (found.width, found.height) == (2560, 295)
    assert max(held) <= 5200 * 600 / 2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_as_cameras_mean_it(orientation: int) -> None:
    """Compared with Pillow's own turning of the same picture."""
    data = picture("PNG", size=(30, 20), exif=exif(orientation=orientation))
    whole = ImageOps.exif_transpose(opened(data))
    found = opened(developed(data).jpeg)
    assert found.size == whole.size
    for corner in ((3, 3), (whole.width - 4, 3), (3, whole.height - 4)):
        assert (found.getpixel(corner)[0] > 100) == (whole.getpixel(corner)[0] > 100)  # type: ignore[index]


def test_the_format_is_told_by_the_bytes_alone() -> None:
    assert [sniffed(picture(form)) for form in ("JPEG", "PNG", "WEBP", "HEIF")] == ["JPEG", "PNG", "WEBP", "HEIF"]
    assert sniffed(picture("GIF")) is None
