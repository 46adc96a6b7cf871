"""Saved views of the queue: keeping one, forgetting one. They are listed on the queue's page."""

from aiohttp import web

from channels.web.desk_filter import wish_from
from channels.web.desk_hand import back_to
from channels.web.number import number_in
from channels.web.session import form_of, require
from channels.web.setting import gateway_of, signed_in
from intake.errors import NotFound
from intake.saved import forget_view, save_view


@require("see_queue")
async def keep(request: web.Request) -> web.StreamResponse:
    """Keep the filters of the page under a name; they are read once, so that no view leads to a refusal."""
    actor, form = signed_in(request).actor, await form_of(request)
    query = form.get("query")
    wish_from(request.url.with_query(query).query.items())
    name = form.get("name")
    await gateway_of(request).store.write(lambda work: save_view(work, actor, name=name, query=query))
    raise web.HTTPSeeOther(back_to(query))


@require("see_queue")
async def forget(request: web.Request) -> web.StreamResponse:
    actor, number = signed_in(request).actor, number_in(request, "saved_id", missing=NotFound())
    form = await form_of(request)
    await gateway_of(request).store.write(lambda work: forget_view(work, actor, number))
    raise web.HTTPSeeOther(back_to(form.get("query")))


ROUTES: list[web.RouteDef] = [
    web.post("/desk/saved", keep),
    web.post("/desk/saved/{saved_id}/forget", forget),
]
