"""What we ask of WeChat's servers: the account's access token, customer-service messages, notices, pictures.

Source: developers.weixin.qq.com, 服务端 API. The token comes from stable_token, which gives every gateway the same one as
long as it lives, and is kept in the store besides. It is part of every address, so no address is logged.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import aiohttp
import structlog

from channels.asking import Answer, ask
from intake.errors import SendError
from intake.ports import Memory

TIMEOUT_S = 10.0
MEDIA_TIMEOUT_S = 3.0
"""WeChat waits 5 s for our word that a message is taken; a picture must not use them up."""
JSON = {"Content-Type": "application/json; charset=utf-8"}
TOKEN_SPARE_S = 300.0
FORCED_REST_S = 600.0
"""stable_token may be forced 20 times a day; a token refused again within this time is not its fault."""
BAD_TOKEN = frozenset({40001, 40014, 41001, 42001})
OUTCOME_OF_ERROR = {
    -1: "unavailable", 43004: "not_following", 43101: "not_following", 50005: "not_following", 40003: "bad_address",
    45015: "window_closed", 45047: "window_closed", 45002: "too_long", 45009: "throttled", 45011: "throttled",
    # A wrong account, secret or network address is for the administrator to mend; the message itself has no fault.
    40013: "unavailable", 40125: "unavailable", 40164: "unavailable", 41002: "unavailable", 41004: "unavailable",
} | dict.fromkeys(BAD_TOKEN, "unavailable")  # fmt: skip
"""developers.weixin.qq.com, 全局返回码; what is not listed is a refusal."""
OUTCOME_OF_STATUS = {429: "throttled", 502: "unavailable", 503: "unavailable"}
WAIT_S = {45009: 3600.0, 45011: 60.0}
log = structlog.get_logger()


class WechatApi:
    """The API for one account. Every method raises SendError."""

    def __init__(self, http: aiohttp.ClientSession, base_url: str, app_id: str, app_secret: str) -> None:
        self._http, self._base = http, base_url.rstrip("/")
        self._app = {"appid": app_id, "secret": app_secret}
        self._one_at_a_time = asyncio.Lock()
        self._told = 0

    async def post(self, path: str, body: Mapping[str, Any], memory: Memory) -> Mapping[str, Any]:
        """One call that must succeed; with a fresh token once more where the first was no good."""
        spoiled = ""
        while True:
            token = await self._token(memory, spoiled)
            answer = await self._send(path, body, params={"access_token": token})
            code = answer.get("errcode")
            if code == 0:
                return answer
            if code not in BAD_TOKEN or spoiled:
                raise failure_of(code)
            spoiled = token

    async def media(self, media_id: str, memory: Memory, *, family: str, max_bytes: int) -> tuple[bytes, str]:
        """A picture or sound (`family` image or audio) somebody sent, from WeChat's own servers, and its kind."""
        params = {"access_token": await self._token(memory, ""), "media_id": media_id}
        timeout = aiohttp.ClientTimeout(total=MEDIA_TIMEOUT_S)
        try:
            async with self._http.get(
                f"{self._base}/cgi-bin/media/get", params=params, timeout=timeout, allow_redirects=False
            ) as response:
                if response.status != 200 or not response.content_type.startswith(f"{family}/"):
                    raise SendError("unavailable")
                return await _bounded(response, max_bytes), response.content_type
        except (TimeoutError, aiohttp.ClientError):
            raise SendError("unavailable") from None

    async def _token(self, memory: Memory, spoiled: str) -> str:
        """The token in use; another one where this one was refused. One asking at a time, the others wait for it."""
        async with self._one_at_a_time:
            kept = await memory.recall("token")
            if kept is not None and kept.value != spoiled:
                return kept.value
            force = bool(spoiled) and await memory.recall("forced") is None
            if force:
                await memory.keep("forced", "yes", for_s=FORCED_REST_S)
            return await self._fetch_token(memory, force=force)

    async def _fetch_token(self, memory: Memory, *, force: bool) -> str:
        asked = self._app | {"grant_type": "client_credential", "force_refresh": force}
        try:
            answer = await self._send("/cgi-bin/stable_token", asked)
        except SendError as error:
            # Whatever became of this question, the message itself has not been sent.
            raise SendError("unavailable" if error.outcome == "unknown" else error.outcome,
                            retry_after_s=error.retry_after_s) from None  # fmt: skip
        token, lives_s = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(lives_s, int):
            self._tell(answer.get("errcode"))
            raise SendError("unavailable", f"token {answer.get('errcode')}")
        self._told = 0
        await memory.keep("token", token, for_s=max(lives_s - TOKEN_SPARE_S, 1.0))
        return token

    def _tell(self, code: object) -> None:
        """Which fault keeps us from a token (40164: our network address is not on the account's list), once."""
        if isinstance(code, int) and code != self._told:
            self._told = code
            log.error("wechat.no_token", errcode=code)

    async def _send(self, path: str, body: Mapping[str, Any], params: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        # WeChat shows \u escapes as they stand, so Chinese goes out as it is.
        request = {"data": json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"), "params": params, "headers": JSON}
        try:
            answer = await ask(self._http, "POST", self._base + path, timeout_s=TIMEOUT_S, **request)
        except SendError as error:
            # What went silent may have been taken, and nobody keeps a list to look it up in.
            raise SendError("unknown" if error.outcome == "timeout" else error.outcome) from None
        _refuse_status(answer)
        return answer.fields


def failure_of(code: object) -> SendError:
    """What an error code means for a message (outbox.FAILURES); an answer without one says nothing about it."""
    if not isinstance(code, int):
        return SendError("unknown")
    return SendError(OUTCOME_OF_ERROR.get(code, "refused"), str(code), retry_after_s=WAIT_S.get(code))


def _refuse_status(answer: Answer) -> None:
    """Their answers come with 200; anything else comes from something in between."""
    if answer.status == 200:
        return
    outcome = OUTCOME_OF_STATUS.get(answer.status, "unknown" if answer.status >= 500 else "refused")
    raise SendError(outcome, retry_after_s=answer.wait_s)


async def _bounded(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > max_bytes:
            raise SendError("too_long")
    return b"".join(chunks)
