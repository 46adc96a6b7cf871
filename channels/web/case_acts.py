"""Acts on a case that are no steps: parting it (拆单), linking an earlier one (复发件), hearing its recordings.

Each shows the case page again when something is wrong; nothing typed is lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from aiohttp import web
from aiohttp.web_exceptions import HTTPRequestRangeNotSatisfiable

from channels.web.case_page import Shown, case_no_of, case_page
from channels.web.case_parts import UNLOCKED_FOR
from channels.web.desk_form import Trouble
from channels.web.desk_phone import Audio, board_of
from channels.web.session import form_of, require
from channels.web.setting import gateway_of, signed_in
from intake.call import CallRecording, Playback
from intake.codes import parse_case_no
from intake.errors import BadInput, IllegalMove, NotAllowed, NotFound, Refused, StaleVersion, Unavailable
from intake.gateway import Gateway
from intake.model import Actor, Case, Place
from intake.ports import Work
from intake.recurrence import link_again
from intake.splitting import MOST_PARTS, Part, Parting, split_case
from intake.switchboard_audio import recording_of, refuse_unheard
from intake.text import normalise
from intake.usecases import load_case

PHOTO = "photo-"
ONE_MORE = "已添加一栏，尚未提交。"
STALE = "案件已有新的变化，请核对后再次确认拆单。"


@require("see_case")
async def split(request: web.Request) -> web.StreamResponse:
    """Part the case as the form says; the first part stays. `more` only adds a line to the form."""
    gateway, actor, number = gateway_of(request), signed_in(request).actor, case_no_of(request)
    typed = (await form_of(request)).fields
    parts = tuple((typed.get(f"text-{n}", ""), typed.get(f"place-{n}", "")) for n in range(1, MOST_PARTS + 1))
    filled = tuple((normalise(text).strip(), normalise(place).strip()) for text, place in parts if text.strip())
    shows = _shows(typed, [n for n, (text, _) in enumerate(parts, start=1) if text.strip()])
    if "more" in typed:
        return await case_page(request, Shown(parts=(*filled, ("", "")), part_photos=shows, notice=ONE_MORE))
    case = await gateway.store.read(lambda work: load_case(work, number, actor))
    word = typed.get("version", "")
    parting = Parting(number, actor, int(word) if word.isascii() and word.isdigit() and len(word) < 10 else 0,
                      tuple(replace(_part(gateway, case, text, place, n), photos=_photos(shows, n + 1))
                            for n, (text, place) in enumerate(filled)))  # fmt: skip
    try:
        await gateway.store.write(lambda work: split_case(work, parting, gateway.rules))
    except (BadInput, IllegalMove, StaleVersion) as error:
        return await case_page(request, replace(_refused(error, filled), part_photos=shows))
    raise web.HTTPSeeOther(f"/desk/cases/{number}?done=split#links")


def _shows(typed: Mapping[str, str], kept: Sequence[int]) -> dict[str, int]:
    """Which part each photo shows, by its token; parts left empty are not counted, and what names no part stays with the case."""
    places = {str(number): place for place, number in enumerate(kept, start=1)}
    return {name.removeprefix(PHOTO): places.get(value, 1) for name, value in typed.items() if name.startswith(PHOTO)}


def _photos(shows: Mapping[str, int], part: int) -> tuple[str, ...]:
    return tuple(token for token, place in shows.items() if place == part)


def _part(gateway: Gateway, case: Case, text: str, place: str, number: int) -> Part:
    """A part with its place: the report's own point where the words of the place are unchanged."""
    where = case.place if place == case.place.text else gateway.rules.locate(Place(text=place))
    judged = gateway.judge(text) if number else None
    return Part(text, where, judged) if judged else Part(text, where)


def _refused(error: Refused, parts: tuple[tuple[str, str], ...]) -> Shown:
    stale = isinstance(error, StaleVersion)
    words = STALE if stale else error.message
    status = 422 if isinstance(error, BadInput) else 409
    return Shown(parts=parts, trouble=Trouble(words, "parts"), status=status)


@require("see_case")
async def again(request: web.Request) -> web.StreamResponse:
    """Link an earlier case, which this one is come back."""
    gateway, actor, number = gateway_of(request), signed_in(request).actor, case_no_of(request)
    earlier = parse_case_no((await form_of(request)).get("earlier"))
    if earlier is None:
        raise NotFound("没有找到这件案件。")
    await gateway.store.write(lambda work: link_again(work, number, earlier, actor))
    raise web.HTTPSeeOther(f"/desk/cases/{number}#links")


@require("hear_recording")
async def unlock(request: web.Request) -> web.StreamResponse:
    """Say why one listens; it is written down, and for a while this person's player gets the sound."""
    number, token = case_no_of(request), request.match_info["token"]
    reason = normalise((await form_of(request)).get("reason"))
    held = await gateway_of(request).store.read(lambda work: recording_of(work, token))
    if held.case_no != number:
        raise NotFound("没有这段录音。")
    try:
        await _audio(request).unlock(token, signed_in(request).actor, reason=reason)
    except BadInput as error:
        return await case_page(request, Shown(trouble=Trouble(error.message, f"sound-{token}"), status=422))
    raise web.HTTPSeeOther(f"/desk/cases/{number}#sounds")


@require("hear_recording")
async def play(request: web.Request) -> web.StreamResponse:
    """The sound, whole or a range of it, for who said lately why he listens."""
    token, actor = request.match_info["token"], signed_in(request).actor
    held = await gateway_of(request).store.read(lambda work: _unlocked(work, token, actor))
    return await _played(request, held)


def _unlocked(work: Work, token: str, actor: Actor) -> CallRecording:
    held = recording_of(work, token)
    refuse_unheard(work, held, actor)
    lately = work.find(Playback, recording_id=held.recording_id, user_id=actor.user_id, order="-playback_id", limit=1)
    if not lately or work.now - lately[0].at >= UNLOCKED_FOR:
        raise NotAllowed("请先写明听录音的理由。")
    return held


def _audio(request: web.Request) -> Audio:
    board = board_of(request)
    if board is None:
        raise Unavailable("电话系统没有接通，暂时不能听录音。")
    return board.audio


async def _played(request: web.Request, held: CallRecording) -> web.StreamResponse:
    """The sound as it is opened, with byte ranges (RFC 9110, section 14), which players need for winding."""
    try:
        start, stop, _ = request.http_range.indices(held.size)
        is_part = request.http_range != slice(None, None, 1)
    except ValueError:
        start, stop, is_part = 0, 0, True
    if is_part and start >= stop:
        raise HTTPRequestRangeNotSatisfiable(headers={"Content-Range": f"bytes */{held.size}"})
    answer = web.StreamResponse(status=206 if is_part else 200, headers={"Accept-Ranges": "bytes", "Cache-Control": "no-store"})
    answer.content_type, answer.content_length = held.mime, stop - start
    if is_part:
        answer.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{held.size}"
    parts = _audio(request).part(held.token, start=start, stop=stop)
    # The first part before the head: a sound that is gone is told as such.
    first = await anext(parts, b"")
    await answer.prepare(request)
    await answer.write(first)
    async for part in parts:
        await answer.write(part)
    await answer.write_eof()
    return answer


ROUTES: list[web.RouteDef] = [
    web.post("/desk/cases/{case_no}/split", split),
    web.post("/desk/cases/{case_no}/again", again),
    web.post("/desk/cases/{case_no}/recordings/{token}", unlock),
    web.get("/desk/recordings/{token}", play),
]
