"""No address a stranger can send makes the gateway ask anybody but the provider (SSRF)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from channels.media_fetch import Fetcher
from intake.errors import SendError

PICTURE = b"\xff\xd8picture"
CREDENTIALS = {"Authorization": "Basic c2VjcmV0"}


@dataclass
class Network:
    """The provider, and a server inside our own network which nobody may reach through us."""

    asked: list[str] = field(default_factory=list)
    provider: TestServer | None = None
    inside: TestServer | None = None

    async def provides(self, request: web.Request) -> web.Response:
        self.asked.append(f"provider {request.path} {request.headers.get('Authorization', '')}".strip())
        if to := request.query.get("to"):
            raise web.HTTPFound(to)
        return web.Response(body=PICTURE)

    async def is_inside(self, request: web.Request) -> web.Response:
        self.asked.append("inside")
        return web.Response(body=b"metadata")


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    found = Network()
    for name, handler in (("provider", found.provides), ("inside", found.is_inside)):
        app = web.Application()
        app.router.add_get("/{rest:.*}", handler)
        server = TestServer(app)
        await server.start_server(access_log=None)
        setattr(found, name, server)
    yield found
    for one in (found.provider, found.inside):
        assert one is not None
        await one.close()


async def fetched(network: Network, address: str) -> bytes:
    assert network.provider
    async with aiohttp.ClientSession() as http:
        fetcher = Fetcher(http, origin=str(network.provider.make_url("/")), hosts={"media.example"}, max_bytes=1000)
        return await fetcher.fetch(address, credentials=CREDENTIALS)


def hostile(network: Network) -> list[str]:
    """Ways of naming the server inside, some dressed up as the provider."""
    assert network.provider
    assert network.inside
    inside, provider = f"127.0.0.1:{network.inside.port}", f"127.0.0.1:{network.provider.port}"
    return [
        f"http://{inside}/latest/meta-data", f"http://{provider}@{inside}/", f"http://{inside}\\@{provider}/",
        f"http://{inside}#@{provider}/", f"http://{inside}/?@{provider}", f"//{inside}/", f"http://[::ffff:127.0.0.1]:{network.inside.port}/",
        f"http://0:{network.inside.port}/", f"http://2130706433:{network.inside.port}/", f"https://{provider}/", f"HTTP://{inside}/",
        f"http://media.example@{inside}/", f"http://media.example:{network.inside.port}/", "file:///etc/passwd", "gopher://media.example/",
        f"http://{provider}.example/", f"http://{inside}\t@{provider}/", "http://", "", "https://media.example.evil.example/",
    ]  # fmt: skip


async def test_an_address_that_is_not_the_providers_is_never_asked(network: Network) -> None:
    for address in hostile(network):
        with pytest.raises(SendError) as refused:
            await fetched(network, address)
        assert refused.value.outcome == "refused", address
    assert network.asked == []


async def test_a_redirect_of_the_provider_to_somewhere_inside_is_not_followed(network: Network) -> None:
    assert network.provider
    for address in hostile(network):
        if address and not address.startswith("//"):
            with pytest.raises(SendError):
                await fetched(network, str(network.provider.make_url("/a").with_query(to=address)))
    assert "inside" not in network.asked


async def test_the_providers_own_redirects_are_followed_and_counted(network: Network) -> None:
    assert network.provider
    assert await fetched(network, str(network.provider.make_url("/a").with_query(to="/b"))) == PICTURE
    assert network.asked == [f"provider {path} {CREDENTIALS['Authorization']}" for path in ("/a", "/b")]
    with pytest.raises(SendError):
        await fetched(network, str(network.provider.make_url("/round").with_query(to="/round?to=/round?to=/round?to=/round")))
