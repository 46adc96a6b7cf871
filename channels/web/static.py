"""Our own styles and scripts, served from memory under addresses that change with their content."""

from aiohttp import web

from channels.web.render import Asset

ASSETS = web.AppKey("assets", dict[str, Asset])


async def show_asset(request: web.Request) -> web.Response:
    return answer_asset(request, request.app[ASSETS].get(request.match_info["name"]))


def answer_asset(request: web.Request, asset: Asset | None) -> web.Response:
    """A file with how long it may be kept: for ever under the address that names its content."""
    if asset is None:
        raise web.HTTPNotFound
    kept = "public, max-age=31536000, immutable" if request.query.get("v") == asset.digest else "no-cache"
    headers = {"Cache-Control": kept, "ETag": f'"{asset.digest}"'}
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return web.Response(status=304, headers=headers)
    return web.Response(body=asset.body, headers=headers, content_type=asset.content_type, charset="utf-8")


ROUTES = [web.get("/static/{name}", show_asset)]
