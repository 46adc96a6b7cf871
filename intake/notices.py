"""临时公告 for the desk: what everybody who answers should know about an area for some hours. Units of work.

What callers hear after the greeting is the telephone's own (phone.toml); this is read by operators.
"""

from datetime import datetime

from intake.desk_record import Notice
from intake.errors import BadInput, NotAllowed, NotFound
from intake.model import Actor, Place, Role
from intake.ports import Work
from intake.text import normalise

MAX_CHARS = 200
MOST_SHOWN = 50


def put_notice(work: Work, actor: Actor, *, area: str, text: str, until_at: datetime | None) -> Notice:
    """Put a notice in force at once; the shift leader alone may. Raises BadInput naming the field."""
    _demand_leader(actor)
    text = normalise(text).strip()
    if not 0 < len(text) <= MAX_CHARS:
        raise BadInput("text", f"公告为 1 至 {MAX_CHARS} 个字。")
    if until_at is None or until_at <= work.now:
        raise BadInput("until", "截止时间应在现在之后。")
    notice = Notice(work.new_id(), area, text, work.now, until_at, actor.user_id)
    work.add(notice)
    return notice


def end_notice(work: Work, actor: Actor, notice_id: int) -> None:
    _demand_leader(actor)
    notice = work.get(Notice, notice_id, lock=True)
    if notice is None:
        raise NotFound("没有这条公告。")
    work.change(notice, Notice(notice.notice_id, notice.area, notice.text, notice.from_at, notice.until_at,
                               notice.made_by, work.now))  # fmt: skip


def notices_now(work: Work) -> list[Notice]:
    """Every notice in force, newest first."""
    found = work.find(Notice, ended_at=None, order="-notice_id", limit=MOST_SHOWN)
    return [one for one in found if one.from_at <= work.now < one.until_at]


def fits(notice: Notice, place: Place) -> bool:
    """Whether a notice is about a place; one for the whole city always is."""
    return not notice.area or notice.area in (place.district, place.street, place.community)


def _demand_leader(actor: Actor) -> None:
    if actor.role is not Role.SHIFT_LEADER:
        raise NotAllowed("临时公告由值班长发布。")
