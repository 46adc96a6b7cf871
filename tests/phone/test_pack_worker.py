"""The worker process: started when needed, asked in turn, stopped and started again when it fails."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from channels.phone.pack_worker import PackWorker, WorkerFailed
from channels.phone.speech_pack.pack import Pack

SCRIPT = """#!{python}
import json, os, sys
print(json.dumps({{"ready": sys.argv[-1]}}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    what = asked.get("text", "")
    if what == "die":
        sys.exit(1)
    if what == "hang":
        continue
    if what == "babble":
        print("not json", flush=True)
        continue
    answer = {{"error": "no"}} if what == "refuse" else {{"audio": what, "pid": os.getpid(), "seen": sorted(os.environ)}}
    print(json.dumps({{"id": asked["id"], **answer}}), flush=True)
"""


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """A pack whose interpreter is a script that answers as the worker does."""
    here = Pack(tmp_path)
    here.python.parent.mkdir(parents=True)
    here.python.write_text(SCRIPT.format(python=sys.executable))
    here.python.chmod(0o755)
    return here


async def test_questions_are_answered_in_turn_by_one_process(pack: Pack) -> None:
    async with PackWorker(pack, "synthesis") as worker:
        answers = await asyncio.gather(*(worker.ask({"text": str(n)}, timeout_s=20) for n in range(5)))
    assert [answer["audio"] for answer in answers] == ["0", "1", "2", "3", "4"]
    assert len({answer["pid"] for answer in answers}) == 1


@pytest.mark.parametrize("mishap", ["die", "babble"])
async def test_a_worker_that_dies_or_babbles_is_started_again(pack: Pack, mishap: str) -> None:
    async with PackWorker(pack, "synthesis") as worker:
        before = await worker.ask({"text": "a"}, timeout_s=20)
        with pytest.raises(WorkerFailed):
            await worker.ask({"text": mishap}, timeout_s=20)
        after = await worker.ask({"text": "b"}, timeout_s=20)
    assert after["audio"] == "b"
    assert before["pid"] != after["pid"]


async def test_a_worker_that_hangs_is_given_up_and_started_again(pack: Pack) -> None:
    async with PackWorker(pack, "synthesis") as worker:
        with pytest.raises(WorkerFailed, match="Timeout"):
            await worker.ask({"text": "hang"}, timeout_s=0.05)
        assert (await worker.ask({"text": "b"}, timeout_s=20))["audio"] == "b"


async def test_a_refused_question_leaves_the_process_alone(pack: Pack) -> None:
    async with PackWorker(pack, "synthesis") as worker:
        before = await worker.ask({"text": "a"}, timeout_s=20)
        with pytest.raises(WorkerFailed, match="no"):
            await worker.ask({"text": "refuse"}, timeout_s=20)
        assert (await worker.ask({"text": "b"}, timeout_s=20))["pid"] == before["pid"]


async def test_a_cancelled_question_does_not_answer_the_next(pack: Pack) -> None:
    async with PackWorker(pack, "synthesis") as worker:
        await worker.ask({"text": "a"}, timeout_s=20)
        waiting = asyncio.create_task(worker.ask({"text": "hang"}, timeout_s=20))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert (await worker.ask({"text": "c"}, timeout_s=20))["audio"] == "c"


async def test_no_secret_of_the_gateway_reaches_the_worker(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTAKE_MASTER_KEY", "secret")
    async with PackWorker(pack, "synthesis") as worker:
        seen = (await worker.ask({"text": "a"}, timeout_s=20))["seen"]
    assert [name for name in seen if name.startswith("INTAKE_")] == ["INTAKE_SPEECH"]


async def test_the_process_ends_with_the_gateway(pack: Pack) -> None:
    async with PackWorker(pack, "synthesis") as worker:
        pid = (await worker.ask({"text": "a"}, timeout_s=20))["pid"]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_missing_interpreter_is_a_failure_not_a_crash(tmp_path: Path) -> None:
    async with PackWorker(Pack(tmp_path), "synthesis") as worker:
        with pytest.raises(WorkerFailed):
            await worker.ask({"text": "a"}, timeout_s=1)


async def test_a_worker_is_not_started_after_its_end(pack: Pack) -> None:
    async with PackWorker(pack, "synthesis") as worker:
        pass
    with pytest.raises(WorkerFailed, match="over"):
        await worker.ask({"text": "a"}, timeout_s=20)
