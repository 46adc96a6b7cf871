"""What helps while answering: the knowledge base, class look-up, the printable paper form, temporary notices, map layers."""

from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from channels.web.call_fields import Typed
from channels.web.call_panel import KNOWLEDGE
from channels.web.desk_frame import desk_page
from channels.web.number import number_in
from channels.web.render import page
from channels.web.session import form_of, require
from channels.web.setting import gateway_of, setting_of, signed_in
from intake.class_search import ClassFound, search_classes
from intake.errors import BadInput, NotFound
from intake.knowledge import PHRASE_WORDS
from intake.notices import end_notice, notices_now, put_notice

LAYERS = frozenset({"districts", "streets", "communities", "grids", "ways"})
MAX_QUERY = 100


@dataclass(frozen=True, slots=True)
class ClassLine:
    """A class that fits what was typed."""

    value: str
    code: str
    name: str
    major: str
    why: str


@require("take_calls")
async def show_knowledge(request: web.Request) -> web.StreamResponse:
    """知识库 and 口径, whole or by a question."""
    asked = request.query.get("q", "")[:MAX_QUERY]
    knowledge = request.app[KNOWLEDGE]
    articles = knowledge.search(asked, limit=20) if asked else knowledge.articles
    phrases = tuple((words, tuple(p for p in knowledge.phrases if p.kind == kind)) for kind, words in PHRASE_WORDS.items())
    return await desk_page(request, "desk_knowledge.html", asked=asked, articles=articles, phrases=phrases)


@require("see_queue")
async def show_classes(request: web.Request) -> web.StreamResponse:
    """Classes that fit what is typed, as a list of buttons."""
    asked = request.query.get("class_query", "")[:40]
    found = tuple(_line(one) for one in search_classes(gateway_of(request).city.taxonomy, asked))
    return page(request, "call_classes.html", found=found, asked=asked)


def _line(found: ClassFound) -> ClassLine:
    entry = found.entry
    return ClassLine(str(entry.subclass), entry.subclass.code, entry.name, entry.major, found.why)


@require("take_calls")
async def show_paper(request: web.Request) -> web.StreamResponse:
    """The emergency form on paper, to be printed before it is needed."""
    return await desk_page(request, "desk_paper.html", lines=gateway_of(request).city.lines)


@require("take_calls")
async def show_notices(request: web.Request) -> web.StreamResponse:
    return await _notices_page(request)


@require("post_notices")
async def post_notice(request: web.Request) -> web.StreamResponse:
    gateway, actor, form = gateway_of(request), signed_in(request).actor, await form_of(request)
    try:
        until_at = _moment(form.get("until"), request)
        await gateway.store.write(
            lambda work: put_notice(work, actor, area=form.get("area")[:60], text=form.get("text"), until_at=until_at)
        )
    except BadInput as error:
        return await _notices_page(request, typed=form.fields, fault=error, status=422)
    raise web.HTTPSeeOther("/desk/notices")


@require("post_notices")
async def close_notice(request: web.Request) -> web.StreamResponse:
    actor, number = signed_in(request).actor, number_in(request, "notice_id", missing=NotFound())
    await gateway_of(request).store.write(lambda work: end_notice(work, actor, number))
    raise web.HTTPSeeOther("/desk/notices")


async def _notices_page(
    request: web.Request, *, typed: dict[str, str] | None = None, fault: BadInput | None = None, status: int = 200
) -> web.StreamResponse:
    gateway = gateway_of(request)
    areas = tuple(area.name for level in ("district", "street") for area in gateway.city.areas.areas[level].values())
    notices = await gateway.store.read(notices_now)
    return await desk_page(request, "desk_notices.html", status=status, notices=notices, areas=areas, typed=Typed(typed or {}),
                           fault=fault.message if fault else "", field=fault.field if fault else "")  # fmt: skip


def _moment(word: str, request: web.Request) -> datetime | None:
    try:
        return datetime.fromisoformat(word).replace(tzinfo=gateway_of(request).city.zone).astimezone(UTC)
    except ValueError:
        return None


@require("see_queue")
async def show_layer(request: web.Request) -> web.StreamResponse:
    """One layer of the city's own map."""
    name = request.match_info["layer"]
    path = gateway_of(request).city.folder / f"{name}.geojson"
    if name not in LAYERS or not path.is_file():
        raise NotFound
    return web.FileResponse(path, headers={"Content-Type": "application/geo+json", "Cache-Control": "private, max-age=3600"})


@require("see_queue")
async def show_map(request: web.Request) -> web.StreamResponse:
    """Where the map opens and where its tiles come from, if the city uses any."""
    city, setting = gateway_of(request).city, setting_of(request)
    row = city.gazetteer.rows[0] if city.gazetteer.rows else None
    centre = [row.lat, row.lon] if row else [30.0, 110.0]
    return web.json_response({"centre": centre, "tiles": setting.map_tiles, "layers": ["districts", "streets", "ways"]})


ROUTES: list[web.RouteDef] = [
    web.get("/desk/knowledge", show_knowledge),
    web.get("/desk/classes", show_classes),
    web.get("/desk/paper", show_paper),
    web.get("/desk/notices", show_notices),
    web.post("/desk/notices", post_notice),
    web.post("/desk/notices/{notice_id}/close", close_notice),
    web.get("/desk/map", show_map),
    web.get("/desk/map/{layer}", show_layer),
]
