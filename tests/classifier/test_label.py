"""Labelling: the doubtful and unlike first, answers read as people type them, every answer safe at once."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from classifier import registry
from classifier.decide import Judgement, Ranked
from classifier.label_answer import Unread, read_label
from classifier.labelling import doubt, proposals
from intake.commands.label import command
from intake.model import Subclass
from intake.taxonomy import Taxonomy

LAMP = Subclass.parse("component:0118")


def judged(gap: float) -> Judgement:
    ranked = (Ranked(LAMP, 0.5 + gap / 2), Ranked(None, 0.5 - gap / 2))
    return Judgement(ranked, abstained=False, out_of_scope=False, redirect="")


def order(gaps: dict[str, float], *, done: tuple[str, ...] = ()) -> list[str]:
    return [proposal.text for proposal in proposals(gaps, lambda text: judged(gaps[text]), done=done)]


def test_the_most_doubtful_comes_first() -> None:
    assert order({"油烟扰民严重": 0.9, "路灯坏了没亮": 0.1, "井盖不见一个": 0.5}) == ["路灯坏了没亮", "井盖不见一个", "油烟扰民严重"]


def test_a_text_like_one_just_asked_waits() -> None:
    texts = {"路灯坏了好几天没亮": 0.1, "路灯坏了好几天不亮": 0.11, "油烟从早到晚飘进窗户": 0.3}
    assert order(texts)[1] == "油烟从早到晚飘进窗户"


def test_what_is_done_is_not_asked_and_what_is_like_it_waits() -> None:
    texts = {"路灯坏了好几天没亮": 0.1, "路灯坏了好几天不亮": 0.1, "油烟从早到晚飘进窗户": 0.3}
    assert order(texts, done=("路灯坏了好几天没亮",)) == ["油烟从早到晚飘进窗户", "路灯坏了好几天不亮"]


def test_order_is_the_same_every_time_and_each_text_comes_once() -> None:
    texts = {f"第{number}盏路灯在{number * 7}号门口": (number % 10) / 10 for number in range(80)}
    first = order(texts)
    assert first == order(dict(reversed(texts.items())))
    assert sorted(first) == sorted(texts)


def test_doubt_is_one_without_a_lead() -> None:
    assert doubt(judged(0.0)) == 1.0
    assert doubt(judged(0.75)) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("typed", "label"),
    [("1", "component:0118"), ("2", "none:"), ("component:0118", "component:0118"), ("路灯", "component:0118"),
     ("n", "none:"), ("n 12333", "none:12333"), ("非城管12345", "none:12345"), ("09012", "event:09012")],
)  # fmt: skip
def test_answers_are_read_as_people_type_them(taxonomy: Taxonomy, typed: str, label: str) -> None:
    assert read_label(typed, [LAMP, None], taxonomy) == label


@pytest.mark.parametrize("typed", ["", "6", "没有这种类别", "0101", "垃圾"])
def test_what_names_none_or_several_is_asked_again(taxonomy: Taxonomy, typed: str) -> None:
    with pytest.raises(Unread):
        read_label(typed, [LAMP], taxonomy)


@pytest.fixture
def home(tmp_path: Path, model_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    shutil.copy(model_path, tmp_path / "models" / registry.FILE_NAME)
    return tmp_path


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.jsonl"
    rows = ["南门的路灯不亮，电话19900000001", "隔壁饭店油烟太大", "公司拖欠工资"]
    path.write_text("\n".join([*(json.dumps({"text": text}) for text in rows), "nonsense"]), encoding="utf-8")
    return path


def run(home: Path, texts: Path, typed: str) -> Result:
    return CliRunner().invoke(command, [str(texts), "--home", str(home)], input=typed)


def answers(texts: Path) -> list[dict[str, str]]:
    lines = texts.with_suffix(".labelled.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_answering_can_stop_and_go_on_another_day(home: Path, texts: Path) -> None:
    first = run(home, texts, "路灯\nq\n")
    assert first.exit_code == 0
    assert "第 4 行" in first.stderr
    assert len(answers(texts)) == 1
    second = run(home, texts, "n 12333\n1\n")
    assert second.exit_code == 0
    assert "2 条待标注" in second.stdout
    assert len({answer["text"] for answer in answers(texts)}) == 3
    assert "没有" not in run(home, texts, "").stderr


def test_personal_data_is_neither_shown_nor_saved(home: Path, texts: Path) -> None:
    done = run(home, texts, "路灯\n路灯\n路灯\n")
    assert "19900000001" not in done.stdout
    assert "19900000001" not in texts.with_suffix(".labelled.jsonl").read_text(encoding="utf-8")


def test_the_last_answer_can_be_taken_back(home: Path, texts: Path) -> None:
    run(home, texts, "路灯\nu\nn 12333\nq\n")
    (only,) = answers(texts)
    assert (only["kind"], only["redirect"]) == ("none", "12333")


def test_skipped_texts_come_again_next_time(home: Path, texts: Path) -> None:
    assert run(home, texts, "s\ns\ns\n").exit_code == 0
    assert "3 条待标注" in run(home, texts, "q\n").stdout


def test_a_wrong_answer_is_asked_again(home: Path, texts: Path) -> None:
    done = run(home, texts, "没有这种类别\n路灯\nq\n")
    assert "没有类别" in done.stdout
    assert answers(texts)[0]["subclass_code"] == "0118"


def test_a_line_cut_short_by_a_crash_is_asked_anew(home: Path, texts: Path) -> None:
    run(home, texts, "路灯\nq\n")
    out = texts.with_suffix(".labelled.jsonl")
    with out.open("ab") as stream:
        stream.write('{"text": "公司'.encode())
    assert "2 条待标注，已标注 1 条" in run(home, texts, "q\n").stdout
    assert out.read_bytes().endswith(b"\n")
