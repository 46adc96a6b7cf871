"""Forms of a page as a browser without JavaScript reads them: fields, their values, choices, and where they go."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class PageForm:
    """One form. `values` is what would be sent untouched; `choices` the values of each select; `required` its fields."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    labelled: set[str] = field(default_factory=set)
    ids: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self.labels: set[str] = set()
        self._form: PageForm | None = None
        self._select = ""
        self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = PageForm(given.get("action", ""), given.get("method", "get"))
            self.forms.append(self._form)
        if tag == "label" and "for" in given:
            self.labels.add(given["for"])
        if self._form is None:
            return
        name = given.get("name", "")
        if tag in ("input", "select", "textarea") and name and given.get("type") != "hidden":
            self._form.ids[name] = given.get("id", "")
        if tag in ("input", "select", "textarea") and "required" in given:
            self._form.required.add(name)
        if tag == "input" and name and given.get("type") not in ("checkbox", "file", "submit"):
            self._form.values[name] = given.get("value", "")
        if tag == "select":
            self._select = name
            self._form.choices[name] = []
        if tag == "textarea":
            self._area = name
            self._form.values[name] = ""
        if tag == "option" and self._select:
            self._form.choices[self._select].append(given.get("value", ""))
            if "selected" in given or self._select not in self._form.values:
                self._form.values[self._select] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._form is not None and self._area:
            self._form.values[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        if tag == "select":
            self._select = ""
        if tag == "textarea" and self._form is not None:
            # A browser drops the first line end after <textarea>.
            self._form.values[self._area] = self._form.values[self._area].removeprefix("\n")
            self._area = ""


def forms_in(page: str) -> list[PageForm]:
    """Every form of a page."""
    reader = _Reader()
    reader.feed(page)
    return reader.forms


def form_to(page: str, end: str) -> PageForm:
    """The form whose address ends in `end` (the part after # left out)."""
    return next(form for form in forms_in(page) if form.action.partition("#")[0].endswith(end))


def unlabelled(page: str) -> list[str]:
    """Names of visible fields no label is bound to; boxes inside their label are left out."""
    reader = _Reader()
    reader.feed(page)
    return [name for form in reader.forms for name, id_ in form.ids.items() if id_ and id_ not in reader.labels
            and name not in ("urgent", "overdue", "mine", "hold_reply")]  # fmt: skip
