"""Synthesised words for Asterisk to fetch and play. The address is unguessable and short-lived; nothing else is needed.

Made and kept by channels/phone/speech.py; without it every address is unknown.
"""

from aiohttp import web

from channels.phone.prompt_files import ENDING
from channels.phone.speech import PATH, Speech

SPEECH = web.AppKey("speech", Speech)
KEPT_S = 600
"""How long Asterisk may play its own copy before it asks again."""


async def show_spoken(request: web.Request) -> web.Response:
    speech = request.app.get(SPEECH)
    audio = speech.audio(request.match_info["name"]) if speech else None
    if audio is None:
        raise web.HTTPNotFound
    # No type of its own: Asterisk then goes by the ending.
    return web.Response(
        body=audio, content_type="application/octet-stream", headers={"Cache-Control": f"private, max-age={KEPT_S}"}
    )


ROUTES = [web.get(f"{PATH}{{name:[0-9a-f]{{64}}}}{ENDING}", show_spoken)]
