"""`train` and `model` on a gateway's own cases: from an operator's correction to a challenger, promoted, taken back.

What trains in full takes some seconds and runs with the tests that need servers.
"""

import asyncio
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from classifier import registry, shadow
from classifier.corpus import Example
from classifier.learning import Lessons
from classifier.registry import StoredModel
from classifier.versions import Shelf
from intake.commands import model, train
from intake.errors import BadInput
from intake.model import Prediction, Role, Scored, Subclass
from intake.receive import Judged, receive
from intake.settings import load_settings
from intake.usecases import Command, perform
from intake.wiring import Running, open_gateway, shadow_key
from tests.make import make_actor, make_inbound

RUBBISH, LAMP = Subclass.parse("event:0102"), Subclass.parse("component:0118")


def run(home: Path, *arguments: str, group: bool = True) -> Result:
    return CliRunner().invoke(model.command if group else train.command, [*arguments, "--home", str(home)])


@pytest.fixture
def home(tmp_path: Path, model_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    shutil.copy(model_path, tmp_path / "models" / registry.FILE_NAME)
    return tmp_path


@pytest.fixture
def shelf(home: Path) -> Shelf:
    return Shelf(home / "models")


@pytest.fixture
def challenge(shelf: Shelf, stored: StoredModel) -> Callable[..., str]:
    """Put a challenger on the shelf, as good as the champion or useless; returns its version."""

    def write(*, useless: bool = False) -> str:
        one_sided = np.zeros(len(stored.model.labels), dtype=np.float32)
        one_sided[0] = 100.0
        chosen = replace(stored.model, bias=one_sided) if useless else stored.model
        registry.save(shelf.challenger, model=chosen, card=replace(stored.card, texts=1))
        return registry.load(shelf.challenger).version

    return write


@pytest.fixture
def small_corpus(tmp_path: Path, examples: tuple[Example, ...]) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    lines = []
    for example in examples:
        kind, _, code = example.label.partition(":")
        lines.append(json.dumps({"text": example.text, "kind": kind, "subclass_code": code, "redirect": code}))
    for split in ("train", "dev", "test"):
        (folder / f"{split}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


async def _file(running: Running, text: str, choice: Subclass, prediction: Prediction) -> None:
    store, rules = running.store, running.gateway.rules
    inbound = make_inbound(text=text, received_at=running.gateway.now())
    received = await store.write(lambda work: receive(work, inbound, Judged(prediction), rules))
    condition = rules.taxonomy.conditions(choice)[0]
    steps = (("accept", {"subclass": str(choice)}),
             ("file", {"subclass": str(choice), "condition": condition, "waive_verify": "clear_evidence"}))  # fmt: skip
    for step, fields in steps:
        command = Command(received.case_no, step, make_actor(Role.OPERATOR), fields=fields)
        await store.write(lambda work, c=command: perform(work, c, rules))  # type: ignore[misc]


def file_cases(home: Path, texts: list[str], choice: Subclass, prediction: Prediction) -> None:
    async def go() -> None:
        async with open_gateway(load_settings(home=home)) as running:
            for text in texts:
                await _file(running, text, choice, prediction)

    asyncio.run(go())


def proposed(version: str, **changes: object) -> Prediction:
    values = {"top": (Scored(RUBBISH, 0.9),), "abstained": False, "model_version": version} | changes
    return Prediction(**values)  # type: ignore[arg-type]


@pytest.mark.servers
def test_the_first_model_serves_and_the_next_one_is_a_challenger(tmp_path: Path, small_corpus: Path) -> None:
    shelf = Shelf(tmp_path / "models")
    assert run(tmp_path, "--corpus", str(small_corpus), group=False).exit_code == 0
    assert shelf.champion.exists()
    assert not shelf.challenger.exists()
    done = run(tmp_path, "--corpus", str(small_corpus), group=False)
    assert "候选" in done.stdout
    assert shelf.challenger.read_bytes() == shelf.champion.read_bytes()
    assert registry.load(shelf.champion).card.tested["top1"] > 0.9


@pytest.mark.servers
def test_corrections_reach_the_challenger_and_its_card(home: Path, shelf: Shelf, small_corpus: Path) -> None:
    texts = [f"第{number}号楼下的灯箱式路灯不亮了" for number in range(10)]
    file_cases(home, texts, LAMP, proposed(registry.load(shelf.champion).version))
    arguments = ("--corpus", str(small_corpus), "--corrections", "--cap", "5")
    assert run(home, *arguments, group=False).exit_code == 0
    card = registry.load(shelf.challenger).card
    assert card.corrections == 5
    assert card.learned_until
    assert card.newest.keys() == card.tested.keys()
    before = shelf.challenger.read_bytes()
    assert run(home, *arguments, group=False).exit_code == 0
    assert shelf.challenger.read_bytes() == before


def test_without_a_database_there_is_nothing_to_learn_and_none_is_made(home: Path) -> None:
    assert train.lessons_from(home, weight=1.0, cap=5) == Lessons()
    assert not (home / "intake.db").exists()


def test_cases_of_the_store_become_lessons(home: Path) -> None:
    file_cases(home, [f"第{number}号楼下的路灯不亮" for number in range(10)], LAMP, proposed("m"))
    found = train.lessons_from(home, weight=2.0, cap=5)
    assert [(example.label, example.weight) for example in found.learned] == [(str(LAMP), 2.0)] * 5
    assert len(found.newest) == 2


def test_a_worse_challenger_is_refused_with_its_figures(
    home: Path, shelf: Shelf, challenge: Callable[..., str]
) -> None:
    before = registry.load(shelf.champion).version
    challenge(useless=True)
    done = run(home, "promote")
    assert done.exit_code == 1
    assert "test top1:" in done.stderr
    assert registry.load(shelf.champion).version == before


def test_an_equal_challenger_is_promoted_listed_and_taken_back(
    home: Path, shelf: Shelf, challenge: Callable[..., str]
) -> None:
    first, second = registry.load(shelf.champion).version, challenge()
    assert run(home, "promote").exit_code == 0
    listed = run(home, "list").stdout
    assert f"在用  {second}" in listed
    assert f"以往  {first}" in listed
    assert run(home, "rollback").exit_code == 0
    assert registry.load(shelf.champion).version == first
    assert run(home, "promote").exit_code == 1
    assert isinstance(run(home, "rollback").exception, BadInput)


def test_a_gateway_judges_with_the_champion_of_its_home(home: Path, shelf: Shelf) -> None:
    async def version() -> str:
        async with open_gateway(load_settings(home=home)) as running:
            return running.gateway.judge("路灯不亮").prediction.model_version

    assert asyncio.run(version()) == registry.load(shelf.champion).version


def test_the_shadow_is_told_with_who_was_right(home: Path, shelf: Shelf, challenge: Callable[..., str]) -> None:
    champion, challenger = registry.load(shelf.champion).version, challenge()
    text = "南门第三盏路灯不亮"
    file_cases(home, [text], LAMP, proposed(champion))

    async def key() -> str:
        async with open_gateway(load_settings(home=home), judging=False) as running:
            return shadow_key(running.gateway.vault)(text)

    line = shadow.Beside(asyncio.run(key()), str(RUBBISH), True, str(LAMP), True)
    shadow.append(shelf.shadow(champion, challenger), line)
    told = run(home, "compare").stdout
    assert "并行试判 1 条，答案一致 0 条；其中已由受理员定类 1 条" in told
    assert "只有候选判对 1 条" in told
    assert "最近确认案件 1 条" in told


def test_drift_over_a_limit_exits_with_one(home: Path, shelf: Shelf) -> None:
    assert run(home, "drift").exit_code == 0
    version = registry.load(shelf.champion).version
    file_cases(home, [f"第{number}盏路灯不亮" for number in range(25)], LAMP, proposed(version))
    done = run(home, "drift")
    assert done.exit_code == 1
    assert "某一类别的改判率" in done.stdout
    assert "1.000" in done.stdout


def test_comparing_without_a_challenger_is_told_plainly(home: Path) -> None:
    done = run(home, "compare")
    assert done.exit_code == 1
    assert "没有候选模型" in done.stderr
