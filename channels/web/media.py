"""The folder of pictures: written whole or not at all, readable by us alone, found only by an unguessable token.

Pictures are shown to signed-in staff who may see the case, never to strangers, and never as files of the folder.
"""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from aiohttp import web

from channels.web.desk_sight import sees_photo, sight_of
from channels.web.photo import Picture, develop
from channels.web.session import require
from channels.web.setting import gateway_of, signed_in
from intake.codes import new_secret
from intake.durable import write_whole
from intake.errors import NotFound
from intake.model import Actor, Photo
from intake.ports import Work
from intake.records import Attachment
from intake.usecases import load_case

MIME = "image/jpeg"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
AT_ONCE = 1
"""Pictures decoded at the same time; each may need a few hundred megabytes while it is."""


class Album:
    """The folder under the setting `media`."""

    def __init__(self, folder: Path, zone: ZoneInfo) -> None:
        self._folder, self._zone = folder, zone
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def keep(self, uploads: Sequence[bytes]) -> tuple[Photo, ...]:
        """Develop and store uploads, all or none. Raises BadInput for `photos`."""
        kept: list[Photo] = []
        try:
            for number, data in enumerate(uploads, start=1):
                async with self._turn:
                    kept.append(await asyncio.to_thread(self._keep_one, data, number))
        except BaseException:
            await self.forget(kept)
            raise
        return tuple(kept)

    async def forget(self, photos: Sequence[Photo]) -> None:
        """Delete pictures that no case came to hold."""
        if photos:
            await asyncio.to_thread(self._remove, [photo.token for photo in photos])

    def path(self, token: str, *, thumb: bool = False) -> Path:
        """Where a picture lies; raises NotFound for what cannot be a token."""
        if not _TOKEN.fullmatch(token):
            raise NotFound("没有这张照片。")
        return self._folder / token[:2] / f"{token}{'.thumb' if thumb else ''}.jpg"

    def _keep_one(self, data: bytes, number: int) -> Photo:
        picture = develop(data, number=number, zone=self._zone)
        token = new_secret()
        try:
            write_whole(self.path(token), picture.jpeg)
            write_whole(self.path(token, thumb=True), picture.thumb)
        except BaseException:
            self._remove([token])
            raise
        return _photo(token, picture)

    def _remove(self, tokens: Sequence[str]) -> None:
        for token in tokens:
            self.path(token).unlink(missing_ok=True)
            self.path(token, thumb=True).unlink(missing_ok=True)


ALBUM = web.AppKey("album", Album)


def _photo(token: str, picture: Picture) -> Photo:
    return Photo(
        token=token, sha256=hashlib.sha256(picture.jpeg).hexdigest(), mime=MIME, width=picture.width,
        height=picture.height, size=len(picture.jpeg), taken_at=picture.taken_at, lon=picture.lon, lat=picture.lat,
    )  # fmt: skip


@require("see_case")
async def show_photo(request: web.Request) -> web.StreamResponse:
    """A picture of a case this person may see; in confidential cases units do not see the reporter's own."""
    token, thumb = request.match_info["token"], request.path.endswith("/thumb")
    path = request.app[ALBUM].path(token, thumb=thumb)
    actor = signed_in(request).actor
    await gateway_of(request).store.read(lambda work: refuse_unseen(work, token, actor))
    if not await asyncio.to_thread(path.is_file):
        raise NotFound("没有这张照片。")
    headers = {"Cache-Control": "no-store", "Content-Type": MIME, "Content-Disposition": "inline"}
    return web.FileResponse(path, headers=headers)


def refuse_unseen(work: Work, token: str, actor: Actor) -> None:
    """Raise NotFound unless the picture belongs to a case this person may see, and he may see the picture."""
    found = work.get(Attachment, token)
    if found is None:
        raise NotFound("没有这张照片。")
    case = load_case(work, found.case_no, actor)
    if not sees_photo(sight_of(case, actor), found):
        raise NotFound("没有这张照片。")


ROUTES = [web.get("/media/{token}", show_photo), web.get("/media/{token}/thumb", show_photo)]
