"""Pages from templates. The only importer of jinja2 beside the key in setting.py.

Values are escaped, a name the page was not given is an error, and no template decides anything beyond loops and ifs.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from channels.web.choice_list import options
from channels.web.desk_form import class_choices
from channels.web.problem import REQUEST_ID
from channels.web.setting import SIGNED_IN, TEMPLATES
from intake.gateway import Gateway
from intake.masking import mask_name, mask_phone

HERE = Path(__file__).parent
SIZE_COOKIE = "size"
STATIC_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".png": "image/png"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of our own, held in memory. `digest` goes into its address, so that browsers may keep it for long."""

    body: bytes
    content_type: str
    digest: str


def load_assets(folder: Path = HERE / "static") -> dict[str, Asset]:
    """Every style, script and picture by file name."""
    files = (path for path in sorted(folder.iterdir()) if path.suffix in STATIC_TYPES)
    return {path.name: _asset(path) for path in files}


def _asset(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(body, STATIC_TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:12])


def build_templates(
    gateway: Gateway, assets: Mapping[str, Asset], vendor: Mapping[str, Asset] = MappingProxyType({})
) -> Environment:
    """The environment all pages share."""
    templates = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    zone = gateway.city.zone
    templates.filters.update(
        moment=lambda at: moment_words(at, zone=zone, now=gateway.now()), mask_phone=mask_phone, mask_name=mask_name
    )
    templates.globals.update(
        city=gateway.city,
        title=gateway.city.title,
        numbers=gateway.city.lines,
        options_of=options,
        class_groups=class_choices(gateway.city.taxonomy),
        asset=lambda name: f"/static/{name}?v={assets[name].digest}",
        vendor=lambda name: f"/static/vendor/{name}?v={vendor[name].digest}" if name in vendor else "",
    )
    return templates


def moment_words(at: datetime | None, *, zone: ZoneInfo, now: datetime) -> str:
    """11月20日 14:05 in the city's zone, with the year when it is not the present one; empty for None."""
    if at is None:
        return ""
    local = at.astimezone(zone)
    year = "" if local.year == now.astimezone(zone).year else f"{local.year}年"
    return f"{year}{local.month}月{local.day}日 {local:%H:%M}"


def part(request: web.Request, template: str, **values: object) -> Markup:
    """A page or a part of one as markup. `person` is who is signed in (SignedIn) or None; `large` says that large type is
    wanted. A long part that is made apart and put into its page costs half: within, every piece passes each layer."""
    shared = {
        "request_id": request.get(REQUEST_ID, ""),
        "person": request.get(SIGNED_IN),
        "large": request.cookies.get(SIZE_COOKIE) == "large",
        "path": request.path,
        "method": request.method,
    }
    return Markup(request.app[TEMPLATES].get_template(template).render(shared | values))  # noqa: S704  escaped by jinja


def page(request: web.Request, template: str, *, status: int = 200, **values: object) -> web.Response:
    """The same as an answer."""
    text = str(part(request, template, **values))
    response = web.Response(text=text, status=status, content_type="text/html")
    response.headers["Cache-Control"] = "no-store"
    return response
