"""Both sides of a conflict: what this person typed beside what the case says now, field by field. Nothing typed is lost.

Pure. A page that comes back because somebody was faster shows these, so that a person decides and not the clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from channels.web.desk_form import FormView
from channels.web.desk_timeline import Line

UNSEEN = frozenset({"csrf", "version", "shown_class", "shown_draft", "preview"})


@dataclass(frozen=True, slots=True)
class Side:
    """One field: `yours` as typed, `theirs` as the case or the colleague's step says now; `differs` is worth a look."""

    label: str
    yours: str
    theirs: str
    differs: bool


def both_sides(
    form: FormView | None, typed: Mapping[str, str], present: Mapping[str, str], changes: Sequence[Line]
) -> tuple[Side, ...]:
    """`present` holds what each field would say for the case as it is now; a colleague's own words come from `changes`."""
    if form is None or not changes:
        return ()
    said = {kind: text for line in changes for kind, text in _said(line)}
    fields = [field for field in form.fields if field.name in typed and field.name not in UNSEEN]
    found = []
    for field in fields:
        words = {value: label for group in field.groups for value, label in group.items}
        yours = words.get(typed[field.name], typed[field.name])
        now = said.get(field.name) or present.get(field.name, "")
        theirs = words.get(now, now)
        if yours.strip() or theirs.strip():
            found.append(Side(field.label, yours, theirs, yours.strip() != theirs.strip()))
    return tuple(found)


def _said(line: Line) -> tuple[tuple[str, str], ...]:
    return tuple((remark.kind, remark.text) for remark in line.remarks)
