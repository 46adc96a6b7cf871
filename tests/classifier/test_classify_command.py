"""The `classify` command: a promise to other programs about every line."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from intake.commands.classify import command
from intake.taxonomy import load_taxonomy

SCORED = {"kind", "subclass_code", "subclass", "confidence"}
TOLD = {"id", "abstained", "out_of_scope", "redirect", "top", "why", "urgency", "condition", "place"}


@pytest.fixture
def home(tmp_path: Path, model_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    shutil.copy(model_path, tmp_path / "models" / "classifier.model")
    return tmp_path


def run(home: Path, text: str | bytes) -> Result:
    return CliRunner().invoke(command, ["--home", str(home)], input=text)


def test_each_line_is_answered_in_order(home: Path) -> None:
    rows = [{"id": 7, "text": "路灯不亮了"}, {"id": "b", "text": ""}, {"id": None, "text": "拖欠工资找谁"}]
    done = run(home, "\n".join(json.dumps(row) for row in rows))
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 0
    assert [answer["id"] for answer in answers] == [7, "b", None]
    assert [answer["abstained"] for answer in answers][1:] == [True, True]
    assert answers[0]["subclass"] == "路灯"
    assert (answers[2]["kind"], answers[2]["subclass_code"], answers[2]["subclass"]) == ("none", "", "非城管事项")


def test_a_line_holds_the_best_five_with_names_of_the_class_table(home: Path) -> None:
    answer = json.loads(run(home, '{"id":1,"text":"地铁口共享单车乱停"}').stdout)
    names = {(e.subclass.kind.value, e.subclass.code): e.name for e in load_taxonomy(optional_on=()).in_use}
    names["none", ""] = "非城管事项"
    assert set(answer) == TOLD | SCORED
    assert len(answer["top"]) == 5
    assert all(set(row) == SCORED for row in answer["top"])
    assert all(names[row["kind"], row["subclass_code"]] == row["subclass"] for row in answer["top"])
    assert {key: answer[key] for key in SCORED} == answer["top"][0]


def test_a_line_tells_why_how_urgent_in_which_condition_and_where(home: Path) -> None:
    text = "和平巷12号對面路燈不亮，孩子放学很危险"
    answer = json.loads(run(home, json.dumps({"id": 1, "text": text})).stdout)
    assert (answer["subclass"], answer["condition"], answer["urgency"]) == ("路灯", "不亮", "urgent")
    assert all(text[row["start"] : row["end"]] == row["text"] for row in answer["why"])
    assert {frozenset(row) for row in answer["why"]} == {frozenset(("start", "end", "text", "weight"))}
    assert answer["place"] == {
        "text": "和平巷12号對面", "start": 0, "end": 8, "grid": "",
        "parts": {"road": "和平巷", "number": "12号", "relation": "对面"},
    }  # fmt: skip


def test_a_citys_gazetteer_gives_the_grid(home: Path) -> None:
    done = CliRunner().invoke(command, ["--home", str(home), "--city", "demo"], input='{"id":1,"text":"和平巷路灯不亮"}')
    assert json.loads(done.stdout)["place"]["grid"]


def test_an_unknown_city_is_told_in_plain_words(home: Path) -> None:
    done = CliRunner().invoke(command, ["--home", str(home), "--city", "nowhere"], input="")
    assert done.exit_code == 1
    assert "nowhere" in done.stderr


@pytest.mark.parametrize("bad", ["nonsense", "[]", '{"id":1}', '{"text":"x"}', '{"id":1,"text":5}', "[" * 5000, '"\\ud800'])
def test_a_bad_line_is_told_and_the_others_answered(home: Path, bad: str) -> None:
    done = run(home, f'{{"id":1,"text":"路灯"}}\n{bad}\n\n{{"id":2,"text":"油烟"}}\n')
    assert done.exit_code == 1
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [1, 2]
    assert "第 2 行" in done.stderr
    assert "Traceback" not in done.stderr


def test_broken_utf8_is_a_bad_line(home: Path) -> None:
    done = run(home, b'{"id":1,"text":"\xff\xfe"}\n{"id":2,"text":"x"}\n')
    assert done.exit_code == 1
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [2]


@pytest.mark.parametrize("text", ["😀" * 10, "x" * 100_000, "路" * 100_000, "\u0000\u001b[31m", "\ud83d", "路灯 lamp лампа"])
def test_any_text_is_answered(home: Path, text: str) -> None:
    done = run(home, json.dumps({"id": 1, "text": text}))
    assert done.exit_code == 0
    assert len(json.loads(done.stdout)["top"]) == 5


def test_a_spoilt_model_is_told_in_plain_words(home: Path) -> None:
    (home / "models" / "classifier.model").write_bytes(b"junk")
    done = run(home, '{"id":1,"text":"x"}')
    assert done.exit_code == 1
    assert "python -m intake train" in done.stderr
