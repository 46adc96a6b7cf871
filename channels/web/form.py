"""Forms as browsers and programs send them: text fields and uploaded files, counted while they are read.

Nothing is kept on the disk here, and no more than the limits in memory. What the fields mean is the pages' business.
"""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from channels.web.body import bounded_body, within
from channels.web.problem import BodyTooLarge, FormatNotSupported
from channels.web.setting import WebSetting, setting_of
from intake.errors import BadInput, BadPayload

MULTIPART, URLENCODED = "multipart/form-data", "application/x-www-form-urlencoded"
MAX_FIELD_BYTES = 64 * 1024
MAX_FIELDS = 40
PHOTOS = "photos"
SHEET = "sheet"


@dataclass(slots=True)
class Form:
    """What has been read so far; `sheet` is an uploaded list with its file name. When reading fails half-way, the
    fields read before stay usable."""

    fields: dict[str, str] = field(default_factory=dict)
    photos: list[bytes] = field(default_factory=list)
    sheet: tuple[str, bytes] = ("", b"")
    size: int = 0

    def get(self, name: str) -> str:
        return self.fields.get(name, "")

    def is_on(self, name: str) -> bool:
        """Whether a box was ticked."""
        return self.fields.get(name, "") not in ("", "false", "0", "off")


async def read_form(request: web.Request, *, form: Form | None = None) -> Form:
    """Read a form into `form` (a new one when not given). Raises BadInput naming the field, or BodyTooLarge."""
    form = form or Form()
    if request.content_type == URLENCODED:
        await _read_urlencoded(request, form)
    elif request.content_type == MULTIPART:
        await _read_multipart(request, form)
    else:
        raise FormatNotSupported("请用表单提交。")
    return form


async def _read_urlencoded(request: web.Request, form: Form) -> None:
    body = await bounded_body(request, max_bytes=MAX_FIELD_BYTES * 4)
    if body is None:
        raise BodyTooLarge("填写的内容过长，请删减后再提交。")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise BadPayload("表单内容无法读取，文字应为 UTF-8。") from None
    for name, value in pairs:
        _add(form, name, value)


async def _read_multipart(request: web.Request, form: Form) -> None:
    limits = setting_of(request)
    try:
        async with within(limits.max_upload_s):
            async for part in await request.multipart():
                if not isinstance(part, BodyPartReader):
                    raise BadPayload("表单内容无法读取。")
                await _read_part(part, form, limits)
    except (ValueError, LookupError, AssertionError, RuntimeError, HttpProcessingError) as error:
        # What aiohttp raises for a broken boundary, header or encoding has no common class.
        if isinstance(error, BadInput):
            raise
        raise BadPayload("表单内容无法读取。") from None


async def _read_part(part: BodyPartReader, form: Form, limits: WebSetting) -> None:
    name = part.name or ""
    if part.filename is None and name != PHOTOS:
        _add(form, name, _decoded(name, await _bytes_of(part, form, limits, most=MAX_FIELD_BYTES)))
        return
    body = await _bytes_of(part, form, limits, most=limits.max_photo_bytes)
    if not body and not part.filename:
        return  # A file field left empty.
    if name == SHEET:
        form.sheet = (part.filename or "", body)
        return
    if name != PHOTOS:
        raise BadInput(_short(name), "这里不能上传文件，照片请放在 photos 一栏。")
    if len(form.photos) >= limits.max_photos:
        raise BadInput(PHOTOS, f"照片最多 {limits.max_photos} 张。")
    form.photos.append(body)


async def _bytes_of(part: BodyPartReader, form: Form, limits: WebSetting, *, most: int) -> bytes:
    body = bytearray()
    while chunk := await part.read_chunk():
        body += chunk
        form.size += len(chunk)
        if form.size > limits.max_body_bytes:
            raise BodyTooLarge(f"提交的内容超过 {_megabytes(limits.max_body_bytes)} MB，请减少照片。", field=PHOTOS)
        if len(body) > most:
            raise _too_long(part, form, limits)
    return bytes(body)


def _too_long(part: BodyPartReader, form: Form, limits: WebSetting) -> BadInput:
    if part.filename is None:
        return BadInput(_short(part.name or ""), "内容过长，请删减后再提交。")
    most = _megabytes(limits.max_photo_bytes)
    return BadInput(PHOTOS, f"第 {len(form.photos) + 1} 张照片超过 {most} MB，请换一张小一些的。")


def _megabytes(size: int) -> int:
    return size // (1024 * 1024)


def _decoded(name: str, body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadPayload("内容不是正确的 UTF-8 文字。", field=_short(name)) from None


def _add(form: Form, name: str, value: str) -> None:
    if name in form.fields:
        raise BadInput(_short(name), "同一项出现了两次。")
    if len(form.fields) >= MAX_FIELDS:
        raise BadPayload("表单的项目过多。")
    form.fields[name] = value


def _short(name: str) -> str:
    return "".join(char for char in name if char.isprintable())[:40] or "body"
