"""The API document says what the routes do: every route is in it, every reference leads somewhere, answers fit it."""

from collections.abc import Iterator
from typing import Any

import pytest

from channels.web import api_case, api_report
from channels.web.json_body import Body, read_model
from channels.web.report import ReportBody
from intake.errors import BadInput
from tests.channels.browsing import page_of
from tests.channels.conftest import Client


@pytest.fixture
async def document(client: Client) -> dict[str, Any]:
    answer = await client.get("/api/openapi.json")
    assert answer.content_type == "application/json"
    found: dict[str, Any] = await answer.json()
    return found


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (str(inner) for name, inner in value.items() if name == "$ref")
        for inner in value.values():
            yield from references(inner)
    if isinstance(value, list):
        for inner in value:
            yield from references(inner)


async def test_every_api_route_is_described_and_nothing_else(client: Client, document: dict[str, Any]) -> None:
    assert client.app is not None
    routes = {
        (route.method.lower(), route.resource.canonical)
        for route in client.app.router.routes()
        if route.resource and route.resource.canonical.startswith("/api/v1/") and route.method != "HEAD"
    }
    described = {(method, path) for path, methods in document["paths"].items() for method in methods}
    assert described == routes
    assert len(routes) >= 7


async def test_the_document_is_whole(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    schemas = document["components"]["schemas"]
    for reference in references(document):
        assert reference.removeprefix("#/components/schemas/") in schemas
    ids = [one["operationId"] for methods in document["paths"].values() for one in methods.values()]
    assert len(ids) == len(set(ids))
    used = {
        name
        for methods in document["paths"].values()
        for one in methods.values()
        for each in one["security"]
        for name in each
    }
    assert used <= set(document["components"]["securitySchemes"])


async def test_path_parameters_are_described(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        wanted = {part.strip("{}") for part in path.split("/") if part.startswith("{")}
        for one in methods.values():
            assert {parameter["name"] for parameter in one["parameters"] if parameter["in"] == "path"} == wanted


async def test_a_report_is_described_as_it_is_read(document: dict[str, Any]) -> None:
    content = document["paths"]["/api/v1/reports"]["post"]["requestBody"]["content"]
    schema = document["components"]["schemas"]["ReportBody"]
    assert schema["required"] == ["text"]
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == set(ReportBody.model_fields)
    assert set(content["multipart/form-data"]["schema"]["properties"]) == {*schema["properties"], "photos"}


async def test_answers_fit_their_description(client: Client) -> None:
    taken = await (await client.post("/api/v1/reports", json={"text": "垃圾", "place": "人民路"})).json()
    assert fits(api_report.ReportTaken, taken)
    status = await (await client.get(f"/api/v1/cases/{taken['case_no']}?code={taken['query_code']}")).json()
    assert set(status) == set(api_case.CaseStatus.model_fields)
    assert not fits(api_report.ReportTaken, taken | {"more": 1})


def fits(model: type[Body], value: object) -> bool:
    try:
        read_model(model, value)
    except BadInput:
        return False
    return True


async def test_the_page_for_people_names_every_route_without_a_third_party(
    client: Client, document: dict[str, Any]
) -> None:
    page = await page_of(await client.get("/api/docs"))
    assert page.status == 200
    assert all(path in page.source for path in document["paths"])
    assert "http" not in page.source.replace("http://127.0.0.1", "")
