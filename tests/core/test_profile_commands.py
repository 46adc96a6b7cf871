"""Commands by which a city tries and changes what it lays down: its rules of dispatch, its holidays, its settings."""

import asyncio
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from intake.__main__ import main
from intake.commands.serve import confirm_due_times
from intake.errors import Misconfigured
from intake.history import append_entry
from intake.model import SYSTEM, Case, State, Subclass
from intake.ports import Work
from intake.profile import CITIES, load_city
from intake.records import HistoryEntry
from intake.settings import load_settings
from intake.wiring import open_gateway
from tests.core.test_case_clock import local
from tests.make import NOON, make_case

NEW_YEAR = "".join(f"2027-01-0{day},元旦,holiday\n" for day in (1, 2, 3))
SENT = {"rule": "市容环卫由城管局"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gateway's home with a city of its own."""
    shutil.copytree(CITIES / "demo", tmp_path / "city")
    monkeypatch.setenv("INTAKE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("INTAKE_CITY", str(tmp_path / "city"))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def refusal(done: Result) -> str:
    """What the command line prints of an error of ours before it leaves."""
    assert isinstance(done.exception, Misconfigured), done.output
    return done.exception.message


def keep(*cases: Case, steps: tuple[tuple[str, dict[str, object]], ...] = ()) -> None:
    """Cases as an earlier run left them, each with these steps behind it."""

    def unit(work: Work) -> None:
        for given in cases:
            case, lines = given, []
            for step, refs in (("receive", {}), *steps):
                before = case.state if lines else None
                case, line = append_entry(before, case, step=step, actor=SYSTEM, at=work.now, refs=refs)
                lines.append(line)
            work.add(case, *lines)

    async def write() -> None:
        async with open_gateway(load_settings(), judging=False) as running:
            await running.store.write(unit)

    asyncio.run(write())


def kept(number: int) -> tuple[Case, list[HistoryEntry]]:
    async def read() -> tuple[Case | None, list[HistoryEntry]]:
        async with open_gateway(load_settings(), judging=False) as running:
            return await running.store.read(lambda work: (work.get(Case, number), work.find(HistoryEntry, case_no=number)))

    case, lines = asyncio.run(read())
    assert case is not None
    return case, lines


# Rules of dispatch


def test_a_draft_is_tried_over_past_cases_and_changes_nothing(home: Path) -> None:
    rubbish, lamp = Subclass.parse("event:0102"), Subclass.parse("component:0301")
    keep(*(make_case(case_no=number, subclass=subclass, unit="cityadmin", filed_at=NOON)
           for number, subclass in ((1, rubbish), (2, rubbish), (3, lamp))))  # fmt: skip
    draft = home / "draft.toml"
    draft.write_text(
        '[[rules]]\nname = "垃圾由环卫"\nkind = "event"\ncodes = ["0102"]\nunit = "parks"\n'
        '[[rules]]\nname = "其他"\nunit = "cityadmin"\n', encoding="utf-8",
    )  # fmt: skip
    done = run("routing", "try", str(draft))
    assert done.exit_code == 0, done.output
    assert "以往案件 3 件，按草案会改派 2 件" in done.output
    assert "规则：垃圾由环卫，例：1" in done.output
    assert "没有同意的退单" in done.output
    assert kept(1)[0].unit == "cityadmin"


def test_a_draft_that_cannot_be_used_is_refused_in_plain_words(home: Path) -> None:
    draft = home / "draft.toml"
    draft.write_text('[[rules]]\nname = "其他"\nunit = "nobody"\n', encoding="utf-8")
    assert refusal(run("routing", "try", str(draft))) == "派遣规则“其他”写了不存在的单位：nobody"


def test_granted_returns_are_listed_against_the_rule_that_sent_them(home: Path) -> None:
    case = make_case(case_no=1, subclass=Subclass.parse("event:0102"), unit="gas", state=State.FILED)
    keep(case, steps=(("dispatch", SENT), ("decide_return", {"decision": "grant"}), ("dispatch", SENT)))
    done = run("routing", "evidence")
    assert done.exit_code == 0, done.output
    assert "1 / 2 件  市容环卫由城管局  → gas" in done.output


# Holidays


def provisional() -> Case:
    """Dispatched on 28 December 2026 at 16:00 with 40 office hours: 4 January by weekends alone, 5 January in truth."""
    start = local("2026-12-28T16:00")
    return make_case(case_no=1, state=State.HANDLING, subclass=Subclass.parse("event:0513"), condition="其他情形", unit="cityadmin",
                     filed_at=start, dispatched_at=start, clock_at=start, due_at=local("2027-01-04T16:00"), due_provisional=True)  # fmt: skip


def load_new_year(home: Path) -> None:
    with (home / "city" / "holidays.csv").open("a", encoding="utf-8") as stream:
        stream.write(NEW_YEAR)


def test_the_calendars_say_how_far_they_reach(home: Path) -> None:
    assert "节假日已载入至 2026 年" in run("calendar", "show").output
    load_new_year(home)
    assert "节假日已载入至 2027 年" in run("calendar", "show").output


def test_provisional_due_times_are_counted_anew_when_the_year_is_loaded(home: Path) -> None:
    keep(provisional())
    assert "仍待载入节假日 1 件" in run("calendar", "recompute").output
    load_new_year(home)
    assert "时限有变 1 件" in run("calendar", "recompute").output
    case, lines = kept(1)
    assert (case.due_at, case.due_provisional, lines[-1].step) == (local("2027-01-05T16:00"), False, "recompute")


def test_a_gateway_counts_them_anew_when_it_starts(home: Path) -> None:
    keep(provisional())
    load_new_year(home)

    async def start() -> None:
        async with open_gateway(load_settings(), judging=False) as running:
            await confirm_due_times(running)
            await confirm_due_times(running)

    asyncio.run(start())
    case, lines = kept(1)
    assert case.due_at == local("2027-01-05T16:00")
    assert [line.step for line in lines] == ["receive", "recompute"]


# Settings


@pytest.mark.parametrize(("line", "goes_on"), [("", False), ('rework = "fresh"\n', False), ('rework = "left"\n', True)])
def test_a_city_says_how_rework_is_counted(home: Path, line: str, *, goes_on: bool) -> None:
    lay_down(home, line)
    assert load_city(home / "city").rules().rework_goes_on is goes_on


def test_a_city_puts_a_source_of_limits_first(home: Path) -> None:
    path = home / "city" / "city.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("sources = []", 'sources = ["jiyuan"]'), encoding="utf-8")
    [row] = load_city(home / "city").taxonomy.limits_for(Subclass.parse("event:0102"), "公共场所成堆垃圾")
    assert (row.source, row.limit_hours) == ("jiyuan", 8)


def test_a_way_of_counting_that_there_is_not_is_refused(home: Path) -> None:
    lay_down(home, 'rework = "double"\n')
    with pytest.raises(Misconfigured, match="double"):
        load_city(home / "city")


def lay_down(home: Path, line: str) -> None:
    path = home / "city" / "city.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("[limits]\n", f"[limits]\n{line}"), encoding="utf-8")


@pytest.mark.parametrize(("url", "is_taken"), [("https://12345.example/push", True), ("http://12345.example/push", False)])
def test_check_names_a_source_whose_news_others_could_read(
    home: Path, monkeypatch: pytest.MonkeyPatch, url: str, is_taken: bool
) -> None:
    monkeypatch.setenv("INTAKE_ORDERS__12345__PUSH_URL", url)
    monkeypatch.setenv("INTAKE_ORDERS__12345__SECRET", "sixteen-characters")
    done = run("check")
    if is_taken:
        assert "设置无误。" in done.output
    else:
        assert "来源 12345 的 push_url 应为 https:// 开头的网址" in refusal(done)
