"""Third-party scripts and styles of the desk: fetched by npm when the gateway is installed, served from memory by us.

Nothing of them stands in our repository and nothing is loaded from elsewhere at run time. Where they were not fetched the
pages work without scripts and say so.
"""

import hashlib
from pathlib import Path

from aiohttp import web

from channels.web.render import STATIC_TYPES, Asset
from channels.web.static import answer_asset

FRONT = Path(__file__).parent / "front" / "node_modules"
FILES = {
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "leaflet.js": "leaflet/dist/leaflet.js",
    "leaflet.css": "leaflet/dist/leaflet.css",
}
"""Our name and where the package keeps it."""
VENDOR = web.AppKey("vendor", dict[str, Asset])


def load_vendor(folder: Path = FRONT) -> dict[str, Asset]:
    """The files that were fetched, by our name."""
    found = ((name, folder / path) for name, path in FILES.items())
    return {name: _asset(name, path) for name, path in found if path.is_file()}


def _asset(name: str, path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(body, STATIC_TYPES[Path(name).suffix], hashlib.sha256(body).hexdigest()[:12])


async def show_vendor(request: web.Request) -> web.Response:
    return answer_asset(request, request.app[VENDOR].get(request.match_info["name"]))


ROUTES = [web.get("/static/vendor/{name}", show_vendor)]
