"""A gateway as a process of its own with people at its desk, each with a token, taking steps by the API."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from intake.model import Subclass
from intake.profile import City
from tests.running import RunningGateway
from tests.servers import Postgres

CLASS = "event:0102"
PEOPLE = {"op9": "operator", "disp9": "dispatcher", "unit9": "unit", "insp9": "inspector"}
FILING = (("op9", "accept", {"subclass": CLASS}), ("op9", "file", {"waive_verify": "clear_evidence"}))
CLOSING = (
    ("disp9", "dispatch", {}), ("unit9", "take", {}), ("unit9", "feedback", {"result": "垃圾已清走"}),
    ("op9", "check", {"check_method": "photo"}), ("insp9", "checked", {"check_result": "pass"}), ("op9", "close", {}),
)  # fmt: skip


@dataclass
class Desk:
    """One of each post; the unit's person belongs to every unit."""

    gateway: RunningGateway
    city: City
    tokens: dict[str, str] = field(default_factory=dict)

    def open(self) -> None:
        for name, role in PEOPLE.items():
            self.tokens[name] = self.gateway.token_for(name, role)

    async def file(self, number: int) -> None:
        await self._take(number, FILING)

    async def handle_and_close(self, number: int) -> None:
        await self._take(number, CLOSING)

    async def case(self, number: int) -> dict[str, Any]:
        return await asyncio.to_thread(self._read, number)

    async def numbers(self) -> list[int]:
        """Every case there is."""
        status, answer = await asyncio.to_thread(self._ask, "GET", "/api/v1/queue?limit=100", "op9", None)
        assert status == 200, answer
        return [int(case["case_no"]) for case in answer["cases"]]

    def _read(self, number: int) -> dict[str, Any]:
        status, answer = self._ask("GET", f"/api/v1/cases/{number}/full", "op9", None)
        assert status == 200, answer
        return answer

    async def take(self, number: int, who: str, move: str, fields: dict[str, str]) -> None:
        """One step by one of them."""
        await self._take(number, ((who, move, fields),))

    async def _take(self, number: int, steps: tuple[tuple[str, str, dict[str, str]], ...]) -> None:
        for who, move, fields in steps:
            more = {"condition": self.city.taxonomy.conditions(Subclass.parse(CLASS))[0]} if move == "file" else {}
            version = (await self.case(number))["version"]
            body = {"move": move, "version": version} | fields | more
            status, answer = await asyncio.to_thread(self._ask, "POST", f"/api/v1/cases/{number}/moves", who, body)
            assert status == 200, (move, answer)

    def _ask(self, method: str, path: str, who: str, body: object) -> tuple[int, Any]:
        return self.gateway.ask(method, path, body, {"Authorization": f"Bearer {self.tokens[who]}"})


@asynccontextmanager
async def desk_of(
    home: Path, city: City, environment: Mapping[str, str], *, database: str, request: pytest.FixtureRequest
) -> AsyncIterator[Desk]:
    """A started gateway on a database of its own, and its desk; ended whatever happens."""
    variables = dict(environment)
    if database == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        variables["INTAKE_DATABASE_URL"] = server.url(server.new_database("intake_template"))
    gateway = RunningGateway(home, variables)
    desk = Desk(gateway, city)
    await asyncio.to_thread(gateway.start, "--no-train")
    try:
        await asyncio.to_thread(desk.open)
        yield desk
        assert await asyncio.to_thread(gateway.stop) == 0
    finally:
        if gateway.process is not None:
            await asyncio.to_thread(gateway.kill)
