"""Pictures for tests, drawn here: any format, with the marks a camera leaves, and files that only pretend."""

import io
import struct
import zipfile
import zlib
from typing import Any

from PIL import ExifTags, Image

NEAR = ((102, 20, 24.0), (40, 19, 48.0))
"""102.34 E, 40.33 N in degrees, minutes and seconds: in the demo city."""


def picture(form: str = "JPEG", *, size: tuple[int, int] = (320, 240), mode: str = "RGB", **options: Any) -> bytes:
    """A picture whose left half is red and right half blue, so that turning it shows."""
    image = Image.new("RGB", size, (200, 30, 30))
    image.paste((30, 30, 200), (size[0] // 2, 0, *size))
    out = io.BytesIO()
    image.convert(mode).save(out, form, **options)
    return out.getvalue()


def exif(*, orientation: int = 1, taken: str = "2026:11:20 11:58:30", offset: str = "", point: bool = True) -> bytes:
    marks = Image.Exif()
    marks[ExifTags.Base.Orientation] = orientation
    marks[ExifTags.Base.Make] = "SECRET-CAMERA"
    inner = marks.get_ifd(ExifTags.IFD.Exif)
    inner[ExifTags.Base.DateTimeOriginal] = taken
    if offset:
        inner[ExifTags.Base.OffsetTimeOriginal] = offset
    if point:
        place = marks.get_ifd(ExifTags.IFD.GPSInfo)
        place[ExifTags.GPS.GPSLongitudeRef], place[ExifTags.GPS.GPSLongitude] = "E", NEAR[0]
        place[ExifTags.GPS.GPSLatitudeRef], place[ExifTags.GPS.GPSLatitude] = "N", NEAR[1]
    return marks.tobytes()


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("run.sh", "echo hello")
    return out.getvalue()


def bomb(*, side: int = 30_000) -> bytes:
    """A PNG of a few kilobytes that would decode to hundreds of megabytes."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * (side // 8 + 1) * 2000, 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
