"""What every channel must satisfy. Modules are found, not listed: a new one needs its settings, its samples and nothing here.

tests/samples/<module>.json holds settings that work against a test server, the names of the secrets among them, and sample
requests, each with its meaning and what it must parse to. `signed` names what a provider's proof stands in or covers:
headers, query, body; without it headers and body. `unsigned` are parameters of the query that it does not cover.
"""

import contextlib
import dataclasses
import importlib
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import channels
from channels.webhook import Forged, ProviderCall
from intake import outbox
from intake.errors import BadPayload, Misconfigured, SendError
from intake.ledger import LADDERS
from intake.model import DeliveryReport, Inbound, Outbound
from intake.text import sms_parts

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
NAMES = channels.names()
AT = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
PHONE = "+8619900000001"


def sample_file(name: str) -> dict[str, Any]:
    path = SAMPLES / f"{name}.json"
    assert path.exists(), f"channel {name} has no sample payloads: tests/samples/{name}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert found["source"], f"{path.name} does not say where its samples come from"
    return found


def settings_of(name: str, server: str = "http://127.0.0.1:9") -> dict[str, Any]:
    given = sample_file(name)["settings"]
    return {key: value.replace("{server}", server) if isinstance(value, str) else value for key, value in given.items()}


def call_of(sample: dict[str, Any], **changes: Any) -> ProviderCall:
    given = sample["call"]
    call = ProviderCall(given["method"], given["url"], AT, given["headers"], given["body"].encode(), given.get("peer", ""))
    return dataclasses.replace(call, **changes)


def module_of(name: str) -> ModuleType:
    return importlib.import_module(f"channels.{name}")


async def built(name: str, server: str = "http://127.0.0.1:9") -> tuple[Any, aiohttp.ClientSession]:
    http = aiohttp.ClientSession()
    return channels.build(name, settings_of(name, server), http), http


@pytest.fixture(params=NAMES)
async def named(request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, Any]]:
    channel, http = await built(request.param)
    yield request.param, channel
    await http.close()


def receives(channel: Any) -> None:
    if not hasattr(channel, "verify"):
        pytest.skip("does not receive by webhook")


def test_channels_are_found() -> None:
    assert {"sms_twilio", "sms_aggregator"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
async def test_a_missing_setting_is_refused_by_name(name: str) -> None:
    given = settings_of(name)
    needed = [f.name for f in dataclasses.fields(module_of(name).Settings)
              if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING]  # fmt: skip
    assert set(sample_file(name)["secrets"]) <= set(needed)
    async with aiohttp.ClientSession() as http:
        for key in needed:
            for without in ({k: v for k, v in given.items() if k != key}, given | {key: ""}):
                with pytest.raises(Misconfigured, match=f"INTAKE_CHANNELS__{name}__{key}".upper()):
                    channels.build(name, without, http)
        with pytest.raises(Misconfigured, match="no_such_setting"):
            channels.build(name, given | {"no_such_setting": "1"}, http)


@pytest.mark.parametrize("name", NAMES)
def test_secrets_are_not_shown_by_what_holds_them(name: str) -> None:
    given = settings_of(name)
    shown = repr(channels.read_settings(name, module_of(name).Settings, given))
    assert [key for key in sample_file(name)["secrets"] if given[key] in shown] == []


def test_an_unknown_channel_and_two_of_one_kind_are_refused() -> None:
    with pytest.raises(Misconfigured):
        channels.kind_of("pigeon_post")
    with pytest.raises(Misconfigured):
        channels.kind_of("sms_twilio.os")
    with pytest.raises(Misconfigured):
        channels.kinds_of(["sms_twilio", "sms_aggregator"])


def test_the_kind_has_a_ladder_of_routes(named: tuple[str, Any]) -> None:
    name, channel = named
    assert channel.kind == channels.kind_of(name)
    assert channel.kind in LADDERS
    assert set(channels.routes_of(channel)) <= {rung for ladder in LADDERS.values() for rung in ladder}


def test_each_sample_is_verified_and_parses_to_its_meaning(named: tuple[str, Any]) -> None:
    name, channel = named
    receives(channel)
    for sample in sample_file(name)["samples"]:
        call = call_of(sample)
        channel.verify(call)
        found = channel.parse(call)
        told = [{"type": type(one).__name__} | json.loads(json.dumps(dataclasses.asdict(one), default=str)) for one in found]
        expected = [told_part | wanted for told_part, wanted in zip(told, sample["expect"], strict=True)]
        assert told == expected, sample["meaning"]


def _changed_headers(call: dict[str, Any], _unsigned: Sequence[str]) -> list[dict[str, Any]]:
    plain = {key: value for key, value in call["headers"].items() if key == "content-type"}
    garbled = {key: value if key == "content-type" else value[::-1] + "x" for key, value in call["headers"].items()}
    return [{"headers": plain}, {"headers": garbled}]


def _changed_query(call: dict[str, Any], unsigned: Sequence[str]) -> list[dict[str, Any]]:
    """Each parameter left out, and each changed."""
    path, _, query = call["url"].partition("?")
    pairs = query.split("&")
    signed = [n for n, pair in enumerate(pairs) if pair.partition("=")[0] not in unsigned]
    without = [pairs[:n] + pairs[n + 1 :] for n in signed]
    garbled = [[*pairs[:n], pairs[n] + "0", *pairs[n + 1 :]] for n in signed]
    return [{"url": f"{path}?{'&'.join(rest)}"} for rest in (*without, *garbled)]


def _changed_body(call: dict[str, Any], _unsigned: Sequence[str]) -> list[dict[str, Any]]:
    return [{"body": call["body"].encode() + b" "}]


CHANGED = {"headers": _changed_headers, "query": _changed_query, "body": _changed_body}


def test_a_changed_request_is_refused_before_it_is_parsed(named: tuple[str, Any]) -> None:
    name, channel = named
    receives(channel)
    file = sample_file(name)
    for sample in file["samples"]:
        for part in file.get("signed", ["headers", "body"]):
            for changes in CHANGED[part](sample["call"], file.get("unsigned", ())):
                with pytest.raises(Forged):
                    channel.verify(call_of(sample, **changes, peer="203.0.113.9"))


def test_parsing_is_pure_and_gives_normal_forms(named: tuple[str, Any]) -> None:
    name, channel = named
    receives(channel)
    for sample in sample_file(name)["samples"]:
        first, second = channel.parse(call_of(sample)), channel.parse(call_of(sample))
        later = channel.parse(call_of(sample, received_at=AT + timedelta(hours=1)))
        assert list(first) == list(second)
        assert [one.provider_id for one in first] == [one.provider_id for one in later]
        for one in first:
            at = one.received_at if isinstance(one, Inbound) else one.at
            assert (one.channel in channels.routes_of(channel), bool(one.provider_id), at.tzinfo) == (True, True, UTC)
            if isinstance(one, Inbound):
                assert one.channel == channel.kind
                assert one.address
                assert not one.phone or one.phone.startswith("+") or one.phone.isdigit()
            else:
                assert isinstance(one, DeliveryReport)
                assert one.outcome in outbox.OUTCOMES


@given(body=st.binary(max_size=300), text=st.text(max_size=200), method=st.sampled_from(["GET", "POST"]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], print_blob=True)
async def test_any_bytes_at_all_give_a_result_or_bad_payload(named: tuple[str, Any], body: bytes, text: str, method: str) -> None:
    _, channel = named
    receives(channel)
    kinds = ("application/x-www-form-urlencoded", "application/json", "")
    for content, kind in ((body, kinds[0]), (json.dumps([{"phone": text, "text": text, "status": text}]).encode(), kinds[1]), (body, kinds[2])):
        call = ProviderCall(method, "https://hotline.example/hooks/x", AT, {"content-type": kind, "x-timestamp": text}, content)
        with pytest.raises(Forged):
            channel.verify(call)
        with contextlib.suppress(BadPayload):
            assert all(isinstance(one, Inbound | DeliveryReport) for one in channel.parse(call))


# Sending, against a server that answers everything with one status.


class Answering:
    """An HTTP server that answers every request alike; `abort` cuts the line instead."""

    def __init__(self, status: int, body: str = "<html>no JSON here</html>", *, abort: bool = False) -> None:
        self.status, self.body, self.abort, self.asked = status, body, abort, 0
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._answer)
        self.server = TestServer(app, host="127.0.0.1")

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        await request.read()
        if self.abort and request.transport:
            request.transport.abort()
        return web.Response(status=self.status, text=self.body, headers={"Retry-After": "7"})


async def outcome_of_sending(name: str, answering: Answering, text: str = "编号26112000001已受理立案") -> SendError | None:
    await answering.server.start_server(access_log=None)
    channel, http = await built(name, str(answering.server.make_url("")).rstrip("/"))
    try:
        if not hasattr(channel, "send"):
            pytest.skip("does not send")
        await channel.send(Outbound("r1", channel.kind, PHONE, tuple(sms_parts(text))))
    except SendError as error:
        return error
    finally:
        await http.close()
        await answering.server.close()
    return None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("status", [429, 503])
async def test_throttling_and_an_unavailable_provider_are_tried_again(name: str, status: int) -> None:
    error = await outcome_of_sending(name, Answering(status))
    assert error is not None
    assert outbox.FAILURES[error.outcome].retry
    assert error.retry_after_s == 7


@pytest.mark.parametrize("name", NAMES)
async def test_a_broken_line_or_server_fault_is_tried_again_only_where_that_cannot_double(name: str) -> None:
    for answering in (Answering(500), Answering(200, abort=True)):
        error = await outcome_of_sending(name, answering)
        assert error is not None
        failure = outbox.FAILURES[error.outcome]
        assert failure.retry or failure.unsure


@pytest.mark.parametrize("name", NAMES)
async def test_a_refusal_is_not_tried_again_and_garbage_is_not_taken_for_success(name: str) -> None:
    refused = await outcome_of_sending(name, Answering(400))
    assert refused is not None
    assert not outbox.FAILURES[refused.outcome].retry
    assert await outcome_of_sending(name, Answering(200)) is not None
    assert await outcome_of_sending(name, Answering(200, "{}")) is not None


@pytest.mark.parametrize("name", NAMES)
async def test_what_is_longer_than_the_limit_is_refused_without_asking_anybody(name: str) -> None:
    channel, http = await built(name)
    limit = channel.limits.max_chars
    await http.close()
    answering = Answering(200)
    error = await outcome_of_sending(name, answering, "长" * (limit + 1))
    assert error is not None
    assert (error.outcome, answering.asked) == ("too_long", 0)
