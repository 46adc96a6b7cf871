"""What the web server is told at the start, and the keys under which a request finds what it needs."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from aiohttp import web
from jinja2 import Environment

from intake.gateway import Gateway
from intake.signin import SignedIn


@dataclass(frozen=True, slots=True)
class WebSetting:
    """Limits count requests a minute and client address. `media` is the folder of pictures, never served as files.

    `map_tiles` is the address of map tiles with {z}, {x} and {y}; empty, the map draws the city's own layers only.
    `shares_database`: other gateways may stand on the same database. `max_read_s` bounds the sending of a body, `max_upload_s`
    that of a form with pictures.
    """

    media: Path
    public_url: str = ""
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    secure_cookies: bool = False
    report_limit: str = "30/minute"
    status_limit: str = "60/minute"
    sign_in_limit: str = "20/minute"
    api_limit: str = "6000/minute"
    max_body_bytes: int = 40 * 1024 * 1024
    max_json_bytes: int = 256 * 1024
    max_read_s: float = 30.0
    max_upload_s: float = 120.0
    max_photos: int = 6
    max_photo_bytes: int = 15 * 1024 * 1024
    max_text_chars: int = 2000
    map_tiles: str = ""
    shares_database: bool = False


GATEWAY = web.AppKey("gateway", Gateway)
SETTING = web.AppKey("setting", WebSetting)
TEMPLATES = web.AppKey("templates", Environment)
SIGNED_IN = web.RequestKey("signed_in", SignedIn)
"""request[SIGNED_IN] holds a SignedIn on every route that staff use."""


def gateway_of(request: web.Request) -> Gateway:
    return request.app[GATEWAY]


def setting_of(request: web.Request) -> WebSetting:
    return request.app[SETTING]


def signed_in(request: web.Request) -> SignedIn:
    """Who asks; only on routes behind session.require."""
    return request[SIGNED_IN]
