"""A picture from outside made harmless: recognised by its bytes, measured before it is decoded, drawn anew as JPEG.

Only the decoder ever holds the whole picture; everything after it works on strips or on what is left after scaling.

The only importer of Pillow and pillow-heif. What the camera wrote about time and place is read and then left behind
with everything else that is not picture. Runs off the event loop; nothing here touches the disk.
"""

import io
import re
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from PIL import ExifTags, Image
from pillow_heif import register_heif_opener

from intake.errors import BadInput

MAX_PIXELS = 50_000_000
"""For ordinary JPEG, whose decoder scales down while it reads."""
MAX_PIXELS_WHOLE = 25_000_000
"""For what must be decoded whole. Measured at this size: PNG 180 MB, HEIC 180 MB, WebP 390 MB, about a second each."""
MAX_SIDE = 20_000
STRIP_ROWS = 256
KEPT_SIDE, THUMB_SIDE = 2560, 360
KEPT_QUALITY, THUMB_QUALITY = 85, 78
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
FIRST_YEAR = 2000
_Turn = Image.Transpose
TURNS: dict[object, Image.Transpose] = {
    2: _Turn.FLIP_LEFT_RIGHT, 3: _Turn.ROTATE_180, 4: _Turn.FLIP_TOP_BOTTOM, 5: _Turn.TRANSPOSE, 6: _Turn.ROTATE_270,
    7: _Turn.TRANSVERSE, 8: _Turn.ROTATE_90,
}  # fmt: skip
"""What brings a picture upright, by its Exif orientation (Exif 2.32, tag 274)."""

register_heif_opener()
# Our own limit below speaks before anything is decoded; Pillow's would only warn.
Image.MAX_IMAGE_PIXELS = None

# A file that is also something else: a page, a script, a document. Cameras write none of these words.
_ALSO_MARKUP = re.compile(rb"<script|<html|<!doctype|<\?php|<iframe", re.IGNORECASE)
_ALSO_DOCUMENT = re.compile(rb"%PDF-")
DOCUMENT_WITHIN = 1024


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture drawn anew, with its thumbnail, and what the camera knew. Degrees are WGS-84."""

    jpeg: bytes
    thumb: bytes
    width: int
    height: int
    taken_at: datetime | None = None
    lon: float | None = None
    lat: float | None = None


def develop(data: bytes, *, number: int, zone: tzinfo) -> Picture:
    """Make a picture of an upload; `number` is its place among them, for the message. Raises BadInput for `photos`."""
    form = sniffed(data)
    if form is None:
        raise _refused(number, "不是可用的照片，请用 JPEG、PNG、WebP 或 HEIC 格式。")
    if is_also_something_else(data):
        raise _refused(number, "文件里夹带了照片以外的内容，不能上传。")
    try:
        return _drawn(data, form, number=number, zone=zone)
    except BadInput:
        raise
    except Exception:
        # Decoders raise whatever they like for broken files; a picture that cannot be read is the sender's matter.
        raise _refused(number, "照片已损坏，无法读取，请换一张。") from None


def sniffed(data: bytes) -> str | None:
    """Pillow's name of the format the bytes begin with, or None for anything we do not take."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS:
        return "HEIF"
    return None


def is_also_something_else(data: bytes) -> bool:
    """Whether the file would open as an archive, a page, a script or a document too."""
    if _ALSO_MARKUP.search(data) or _ALSO_DOCUMENT.search(data, 0, DOCUMENT_WITHIN):
        return True
    return zipfile.is_zipfile(io.BytesIO(data))


def _drawn(data: bytes, form: str, *, number: int, zone: tzinfo) -> Picture:
    with Image.open(io.BytesIO(data), formats=(form,)) as image:
        _refuse_large(image, form, number=number)
        exif = image.getexif()
        taken_at, point = _taken_at(exif, zone), _point(exif)
        if form == "JPEG":
            # Lets the decoder skip detail that scaling down would throw away.
            image.draft("RGB", _fitted(image.size))
        small = _scaled_down(image)
    turn = TURNS.get(exif.get(ExifTags.Base.Orientation))
    upright = small if turn is None else small.transpose(turn)
    upright.thumbnail((KEPT_SIDE, KEPT_SIDE), Image.Resampling.LANCZOS)
    small = upright.copy()
    small.thumbnail((THUMB_SIDE, THUMB_SIDE), Image.Resampling.LANCZOS)
    lon, lat = point or (None, None)
    return Picture(_jpeg(upright, quality=KEPT_QUALITY), _jpeg(small, quality=THUMB_QUALITY), upright.width, upright.height,
                   taken_at, lon, lat)  # fmt: skip


def _refuse_large(image: Image.Image, form: str, *, number: int) -> None:
    """Before anything is decoded. A progressive JPEG keeps all its detail in memory, however small it is drawn."""
    width, height = image.size
    scales = form == "JPEG" and not image.info.get("progressive")
    most = MAX_PIXELS if scales else MAX_PIXELS_WHOLE
    if width * height > most or max(width, height) > MAX_SIDE:
        raise _refused(number, f"照片尺寸过大（最多 {most // 10_000} 万像素），请缩小后再传。")


def _fitted(size: tuple[int, int]) -> tuple[int, int]:
    """The size whose longer side is KEPT_SIDE."""
    longer = max(size)
    return max(1, size[0] * KEPT_SIDE // longer), max(1, size[1] * KEPT_SIDE // longer)


def _scaled_down(image: Image.Image) -> Image.Image:
    """A new image without metadata, in three colours, at most about twice as long as is kept.

    Made strip by strip, because changing the colours of the whole picture would hold it in memory several times.
    """
    factor = max(1, max(image.size) // KEPT_SIDE)
    width, height = image.size
    found = Image.new("RGB", (-(-width // factor), -(-height // factor)))
    rows = factor * max(1, STRIP_ROWS // factor)
    for top in range(0, height, rows):
        strip = _plain(image.crop((0, top, width, min(top + rows, height))))
        found.paste(strip.reduce(factor), (0, top // factor))
    return found


def _plain(image: Image.Image) -> Image.Image:
    """Three colours without transparency; what was transparent becomes white."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    layered = image.convert("RGBA")
    plain = Image.new("RGB", layered.size, "white")
    plain.paste(layered, mask=layered.getchannel("A"))
    return plain


def _jpeg(image: Image.Image, *, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()


def _taken_at(exif: Image.Exif, zone: tzinfo) -> datetime | None:
    """DateTimeOriginal; a camera without an offset is taken to show the city's time."""
    tags = exif.get_ifd(ExifTags.IFD.Exif)
    words = [
        str(tags.get(tag, "")).strip("\0 ")
        for tag in (ExifTags.Base.DateTimeOriginal, ExifTags.Base.OffsetTimeOriginal)
    ]
    try:
        taken = datetime.strptime(words[0], "%Y:%m:%d %H:%M:%S").replace(tzinfo=zone)
        if words[1]:
            taken = datetime.strptime("".join(words), "%Y:%m:%d %H:%M:%S%z")
        return taken.astimezone(UTC) if taken.year >= FIRST_YEAR else None
    except (ValueError, OverflowError):
        return None


def _point(exif: Image.Exif) -> tuple[float, float] | None:
    """Longitude and latitude in degrees, or None when they are missing or no place on earth."""
    tags = exif.get_ifd(ExifTags.IFD.GPSInfo)
    try:
        lon = _degrees(tags[ExifTags.GPS.GPSLongitude], str(tags[ExifTags.GPS.GPSLongitudeRef]), negative="W")
        lat = _degrees(tags[ExifTags.GPS.GPSLatitude], str(tags[ExifTags.GPS.GPSLatitudeRef]), negative="S")
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (lon, lat) if abs(lon) <= 180 and abs(lat) <= 90 and (lon, lat) != (0.0, 0.0) else None


def _degrees(parts: tuple[float, float, float], side: str, *, negative: str) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    value = degrees + minutes / 60 + seconds / 3600
    return round(-value if side.strip("\0 ").upper() == negative else value, 7)


def _refused(number: int, message: str) -> BadInput:
    return BadInput("photos", f"第 {number} 张：{message}")
