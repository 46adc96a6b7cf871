"""What a test reads from a page: its text, its fields, whether something is said to go wrong. No browser is needed."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from aiohttp import ClientResponse


@dataclass
class Page(HTMLParser):
    """A parsed page: words as read, inputs by name, ids, and every attribute that may hold a script or a style."""

    status: int = 0
    source: str = ""
    inputs: dict[str, str] = field(default_factory=dict)
    checked: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    labelled: set[str] = field(default_factory=set)
    actions: list[str] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)
    classes: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self._words: list[str] = []
        self._area = ""
        self._open: list[str] = []
        self.feed(self.source)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids += [given["id"]] if "id" in given else []
        self.inline += [name for name in given if name.startswith("on") or name == "style"]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)
        if tag == "a":
            self.links.append(given.get("href", ""))
        if tag == "form":
            self.actions.append(given.get("action", ""))
        if tag == "label" and "for" in given:
            self.labelled.add(given["for"])
        if tag == "input":
            self._input(given)
        if tag == "textarea":
            self._area = given["name"]
            self.inputs[self._area] = ""
        if tag not in ("input", "meta", "link", "img", "br"):
            self._open.append(given.get("class", ""))

    def _input(self, given: dict[str, str]) -> None:
        name = given.get("name", "")
        if given.get("type") in ("checkbox", "radio"):
            if "checked" in given:
                self.checked.add(f"{name}={given['value']}")
        elif name:
            self.inputs.setdefault(name, given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""
        if self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        self._words.append(data)
        if self._area:
            self.inputs[self._area] += data
        if self._open and data.strip():
            self.classes.setdefault(self._open[-1], []).append(data.strip())

    def words(self, name: str) -> list[str]:
        """The words inside elements of exactly this class."""
        return self.classes.get(name, [])


async def page_of(answer: ClientResponse) -> Page:
    assert answer.content_type == "text/html"
    return Page(status=answer.status, source=await answer.text())
