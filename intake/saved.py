"""Saved views of the queue: rows of one person, at most a few, each name once. Units of work."""

from intake.desk_record import SavedView
from intake.errors import BadInput, NotFound
from intake.model import Actor
from intake.ports import Work
from intake.text import normalise

MOST = 20
MAX_NAME, MAX_QUERY = 20, 1000


def saved_of(work: Work, actor: Actor) -> list[SavedView]:
    """A person's views, oldest first."""
    return work.find(SavedView, user_id=actor.user_id, order="created_at")


def save_view(work: Work, actor: Actor, *, name: str, query: str) -> SavedView:
    """Keep a view; one of the same name is replaced. Raises BadInput naming the field."""
    name = normalise(name).strip()
    if not 0 < len(name) <= MAX_NAME:
        raise BadInput("name", f"视图名称为 1 至 {MAX_NAME} 个字。")
    if len(query) > MAX_QUERY:
        raise BadInput("query", "筛选条件太长。")
    held = work.find(SavedView, user_id=actor.user_id)
    work.remove(SavedView, user_id=actor.user_id, name=name)
    if len([one for one in held if one.name != name]) >= MOST:
        raise BadInput("name", f"最多保存 {MOST} 个视图，请先删去不用的。")
    saved = SavedView(work.new_id(), actor.user_id, name, query, work.now)
    work.add(saved)
    return saved


def forget_view(work: Work, actor: Actor, saved_id: int) -> None:
    if not work.remove(SavedView, user_id=actor.user_id, saved_id=saved_id):
        raise NotFound("没有这个视图。")
