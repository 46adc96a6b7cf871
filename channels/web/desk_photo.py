"""Pictures that go with a step: found on the spot, after handling, at the check. Step and pictures are stored as one."""

from collections.abc import Sequence

from aiohttp import web

from channels.web.media import ALBUM
from channels.web.setting import gateway_of
from intake import permission
from intake.errors import BadInput, Unavailable
from intake.model import Case, Photo
from intake.ports import Work
from intake.receive import attachment_of
from intake.rules import Rules
from intake.usecases import Command, perform

USAGE_OF_STEP = {"verified": "verify", "take": "before", "feedback": "after", "checked": "check", "settle": "after"}
"""Which steps take pictures, and as what they are kept (附件用途)."""


async def perform_with_photos(request: web.Request, command: Command, *, uploads: Sequence[bytes]) -> Case:
    """Take a step; its pictures are kept only if it is taken. Raises what the step raises, BadInput for a bad picture."""
    gateway = gateway_of(request)
    if not uploads:
        return await gateway.perform(command)
    if command.step not in USAGE_OF_STEP:
        raise BadInput("photos", "这一步不能上传照片。")
    permission.demand(command.actor, "add_photo")
    album = request.app[ALBUM]
    photos = await album.keep(uploads)
    try:
        return await gateway.store.write(
            lambda work: step_with_photos(work, command, rules=gateway.rules, photos=photos)
        )
    except Unavailable:
        # As on cancellation, the unit of work may still commit, and then its case needs its pictures.
        raise
    except Exception:
        await album.forget(photos)
        raise


def step_with_photos(work: Work, command: Command, *, rules: Rules, photos: Sequence[Photo]) -> Case:
    """One unit of work: the step, and its pictures bound to the case."""
    case = perform(work, command, rules)
    usage, by = USAGE_OF_STEP[command.step], command.actor.user_id
    work.add(*(attachment_of(photo, case.case_no, usage=usage, at=work.now, by=by) for photo in photos))
    return case
