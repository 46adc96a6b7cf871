"""A worker process of the speech pack, seen from the gateway: asked one thing at a time, started when first needed, started
again when it died, stopped with the gateway. The process itself is speech_pack/worker.py.
"""

import asyncio
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import structlog

from channels.phone.speech_pack.pack import ENVIRONMENT, Pack

ROOT = Path(__file__).resolve().parent.parent.parent
MOST_LINE = 64 << 20
START_S = 120.0
"""Reading the models takes a second or two, on a busy machine longer."""
STOP_S = 2.0
log = structlog.get_logger()


class WorkerFailed(Exception):
    """The question could not be answered: the engine refused it, took too long, or died. Asking again may help."""


class PackWorker:
    """Use it as a context; `ask` raises WorkerFailed only."""

    def __init__(self, pack: Pack, part: str) -> None:
        self._pack, self._part = pack, part
        self._turn = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._asked = 0
        self._is_over = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over = True
        await self.stop()

    async def ask(self, question: Mapping[str, Any], *, timeout_s: float) -> dict[str, Any]:
        """The answer to one question; the time counts from when it is its turn."""
        async with self._turn:
            if self._is_over:
                raise WorkerFailed(f"{self._part}: over")
            try:
                process = self._process or await self._start()
                async with asyncio.timeout(timeout_s):
                    return await self._talk(process, question)
            except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError) as error:
                await self.stop()
                raise WorkerFailed(f"{self._part}: {type(error).__name__}") from error
            except asyncio.CancelledError:
                # Its answer would be taken for that of the next question.
                await self.stop()
                raise

    async def stop(self) -> None:
        """End the process; the next question starts another."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _talk(self, process: asyncio.subprocess.Process, question: Mapping[str, Any]) -> dict[str, Any]:
        assert process.stdin is not None
        self._asked += 1
        process.stdin.write(json.dumps({"id": self._asked, **question}).encode() + b"\n")
        await process.stdin.drain()
        answer = await self._line(process)
        if answer.pop("id", None) != self._asked:
            raise ValueError("an answer to another question")
        if "error" in answer:
            raise WorkerFailed(f"{self._part}: {answer['error']}")
        return answer

    async def _start(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            str(self._pack.python), "-m", "channels.phone.speech_pack.worker", self._part,
            cwd=ROOT, env={**_environment(), ENVIRONMENT: str(self._pack.folder)}, limit=MOST_LINE,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        self._process = process
        async with asyncio.timeout(START_S):
            await self._line(process)
        log.info("speech.started", part=self._part)
        return process

    async def _line(self, process: asyncio.subprocess.Process) -> dict[str, Any]:
        assert process.stdout is not None
        line = await process.stdout.readuntil(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _environment() -> dict[str, str]:
    """No secret of the gateway goes to the worker."""
    return {name: value for name, value in os.environ.items() if not name.startswith("INTAKE_")}
