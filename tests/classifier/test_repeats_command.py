"""The `repeats` command: a promise to other programs about every line."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from intake.commands.repeats import command, moment

LINES = (
    {"id": "a", "text": "滨河路水岸花园门口水管爆了", "at": "2026-05-11T06:50:00+08:00"},
    {"id": 7, "text": "", "at": "2026-05-11T06:55:00+08:00"},
    {"id": None, "text": "桃园路路灯不亮", "at": "2026-05-11T06:56:00+08:00"},
    {"id": "d", "text": "水岸花园那边的水管还在喷水", "at": "2026-05-11T07:50:00+08:00"},
)


@pytest.fixture
def home(tmp_path: Path, model_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    shutil.copy(model_path, tmp_path / "models" / "classifier.model")
    return tmp_path


def run(home: Path, text: str | bytes) -> Result:
    return CliRunner().invoke(command, ["--home", str(home)], input=text)


def written(*rows: object) -> str:
    return "\n".join(json.dumps(row) for row in rows)


@pytest.mark.parametrize("has_model", [True, False])
def test_each_line_is_answered_in_order_among_the_earlier_ones(home: Path, has_model: bool) -> None:
    if not has_model:
        (home / "models" / "classifier.model").write_bytes(b"junk")
    done = run(home, written(*LINES))
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 0
    assert [answer["id"] for answer in answers] == ["a", 7, None, "d"]
    assert [[row["id"] for row in answer["candidates"]] for answer in answers] == [[], [], ["a"], ["a", None]]
    assert all(set(row) == {"id", "score"} for answer in answers for row in answer["candidates"])
    assert ("train" in done.stderr) != has_model


def test_five_candidates_at_most(home: Path) -> None:
    rows = [{"id": n, "text": f"桃园路{n}号路灯不亮", "at": "2026-05-11"} for n in range(9)]
    answers = [json.loads(line) for line in run(home, written(*rows)).stdout.splitlines()]
    assert [len(answer["candidates"]) for answer in answers] == [0, 1, 2, 3, 4, 5, 5, 5, 5]


@pytest.mark.parametrize(
    "bad", ["nonsense", "[]", '{"id":1}', '{"text":"x"}', '{"id":1,"text":5}', "[" * 5000, '"\\ud800']
)
def test_a_bad_line_is_told_and_the_others_answered(home: Path, bad: str) -> None:
    done = run(home, f'{{"id":1,"text":"路灯"}}\n{bad}\n\n{{"id":2,"text":"路灯"}}\n')
    assert done.exit_code == 1
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [1, 2]
    assert "第 2 行" in done.stderr


@pytest.mark.parametrize(
    "at", [None, 5, "yesterday", "0001-01-01T00:00:00+08:00", "2026-05-11", [], "9999-12-31T23:59:59-23:00"]
)
@pytest.mark.parametrize(
    "text", ["😀" * 10, "路" * 100_000, "\u0000\u001b[31m", "\ud83d", "13800000000", "路灯 lamp лампа"]
)
def test_any_text_and_any_time_is_answered(home: Path, text: str, at: object) -> None:
    done = run(home, written({"id": "\ud83d", "text": text, "at": at}, {"id": 2, "text": text, "at": at}))
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == 2


def test_the_first_use_trains_a_model(
    tmp_path: Path, model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train_to(path: Path) -> None:
        path.parent.mkdir(parents=True)
        shutil.copy(model_path, path)

    monkeypatch.setattr("intake.commands.train.train_to", train_to)
    done = run(tmp_path / "empty", written(*LINES))
    assert done.exit_code == 0
    assert "先用语料训练" in done.stderr
    assert (tmp_path / "empty" / "models" / "classifier.model").exists()


def test_a_time_without_a_zone_is_chinas() -> None:
    assert moment("2026-05-11T08:00:00") == moment("2026-05-11T00:00:00+00:00")
    assert moment("soon") is None
