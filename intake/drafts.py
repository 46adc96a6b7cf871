"""The draft box (草稿箱): what an operator types during a call, kept from the first word. Units of work.

A draft belongs to one person. Saving names the version that was read, so that a second window cannot wipe out the first;
what was typed is emptied when the call has ended, because by then it stands where it belongs.
"""

import json
from collections.abc import Mapping
from dataclasses import replace

from intake.desk_record import Draft
from intake.errors import BadInput, NotFound, StaleVersion
from intake.model import Actor
from intake.ports import Work

MOST_OPEN = 100
MAX_CHARS = 20_000


def open_draft(work: Work, actor: Actor, *, call_id: int = 0, caller: str = "", late: bool = False) -> Draft:
    """A new draft; of one call a person has one, found again after a restart."""
    if call_id:
        held = [one for one in work.find(Draft, call_id=call_id) if one.user_id == actor.user_id]
        if held:
            return held[0]
    if len(open_drafts(work, actor)) >= MOST_OPEN:
        raise BadInput("draft", f"草稿箱最多 {MOST_OPEN} 份，请先办结或删去一些。")
    draft = Draft(work.new_id(), actor.user_id, work.now, work.now, call_id=call_id, late=late, caller=caller)
    work.add(draft)
    return draft


def open_drafts(work: Work, actor: Actor) -> list[Draft]:
    """A person's drafts that have not ended, newest first."""
    found = work.find(Draft, user_id=actor.user_id, ended_at=None)
    return sorted(found, key=lambda one: one.updated_at, reverse=True)


def draft_of(work: Work, actor: Actor, draft_id: int, *, lock: bool = False) -> Draft:
    """A draft of this person; another's is told as not found."""
    draft = work.get(Draft, draft_id, lock=lock)
    if draft is None or draft.user_id != actor.user_id:
        raise NotFound("没有这份草稿。")
    return draft


def save_draft(work: Work, actor: Actor, draft_id: int, *, typed: Mapping[str, str], version: int) -> Draft:
    """Keep what is typed; raises StaleVersion when another window saved meanwhile."""
    draft = draft_of(work, actor, draft_id, lock=True)
    if draft.ended_at is not None:
        raise BadInput("draft", "这份草稿已经办结。")
    text = json.dumps(dict(typed), ensure_ascii=False)
    if text == (draft.typed or "{}"):
        return draft
    if draft.version != version:
        raise StaleVersion(current_version=draft.version)
    if len(text) > MAX_CHARS:
        raise BadInput("what", "内容太长，请删减。")
    return work.change(draft, replace(draft, typed=text, version=draft.version + 1, updated_at=work.now))


def drop_draft(work: Work, actor: Actor, draft_id: int) -> None:
    """Throw a draft away; one of a real call cannot be, because every call needs its summary."""
    draft = draft_of(work, actor, draft_id)
    if draft.call_id:
        raise BadInput("draft", "来电须填写来电小结，不能直接删除。")
    if draft.ended_at is None:
        work.remove(Draft, draft_id=draft_id)


def typed_of(draft: Draft) -> dict[str, str]:
    """The fields of a draft as they were typed."""
    value = json.loads(draft.typed or "{}")
    return {str(name): str(text) for name, text in value.items()}
