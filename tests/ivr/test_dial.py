"""The `dial` command: a call at the keyboard, the same for the same keys."""

import pytest
from click.testing import CliRunner, Result

from intake.commands.dial import SAMPLES, command
from ivr.acts import ACTS, results_of
from ivr.library import flow_names


def dial(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(command, list(arguments), input=typed)


def test_a_scripted_call_prints_what_the_caller_hears() -> None:
    done = dial("message", "--script", "路灯坏了#,9,1")
    assert done.exit_code == 0
    assert done.output.splitlines() == [
        "听到　请在嘀声以后留言，说清在什么地方、是什么问题。最长三分钟，说完请按井号键。",
        "说话　#",
        "听到　保存留言请按一，重新录音请按二，听一遍请按九，人工服务请按零。",
        "按键　9",
        "听到　您的留言是：（录音）",
        "听到　保存留言请按一，重新录音请按二，听一遍请按九，人工服务请按零。",
        "按键　1",
        "查询　save_message",
        "结果　save_message saved",
        "听到　您的留言已经收到，受理编号二六幺幺二零，零零零零八，我们会尽快处理。",
        "结束　message_left finished",
    ]


@pytest.mark.parametrize("flow", flow_names())
@pytest.mark.parametrize("script", ["", "h", ",,,,", "1,1,1,1", "0,p,l,2", "2,26112000007#,123456#,9,#,n,喂,2,喂喂,1", "#,*,30,1h"])
def test_equal_keys_give_an_equal_transcript_by_script_and_by_keyboard(flow: str, script: str) -> None:
    first, second = dial(flow, "--script", script), dial(flow, "--script", script)
    typed = dial(flow, typed="".join(f"{line}\n" for line in script.split(",")))
    assert first.exit_code == 0, first.output
    assert first.output == second.output == typed.output
    assert first.output.splitlines()[-1].startswith("结束")


def test_the_end_of_the_input_hangs_up() -> None:
    assert "挂机" in dial("status", typed="").output


def test_the_number_dialled_chooses_the_greeting() -> None:
    assert "九六三幺零城管热线" in dial("hotline", "--number", "96310", "--script", "h").output


@pytest.mark.parametrize(("number", "words"), [("96310", "九六三幺零"), ("12319", "幺二三幺九"), ("1", "城市管理服务热线")])
def test_outside_hours_the_greeting_is_another_and_the_recording_is_told_all_the_same(number: str, words: str) -> None:
    done = dial("hotline", "--number", number, "--fact", "closed=yes", "--act", "queue_position=closed", "--script", "1,喂#,1")
    heard = [line for line in done.output.splitlines() if line.startswith("听到")]
    assert words in heard[0]
    assert heard[0].endswith("现在没有受理员值班。")
    assert [line[3:] for line in heard[1:3]] == ["为了保证服务质量，本次通话会录音。", heard[2][3:]]
    assert "留言请按一" in heard[2]
    assert "ended" not in done.output
    assert done.output.splitlines()[-1] == "结束　message_left finished"


def test_facts_are_handed_in() -> None:
    done = dial("hotline", "--fact", "notice=今晚八点停水", "--script", "h")
    assert "通知：今晚八点停水。" in done.output


def test_query_codes_are_not_printed() -> None:
    done = dial("status", "--script", "26112000007#,123456#,h")
    assert "123456" not in done.output
    assert "******" in done.output
    assert "鼓楼广场北侧暴露垃圾问题" in done.output


def test_wrong_codes_at_the_keyboard_end_with_a_person() -> None:
    done = dial("status", "--script", ",".join(["26112000007#", "999999#"] * 3 + ["h"]))
    assert done.output.count("编号或者查询码不对") == 2
    assert "转接　operators" in done.output


def test_a_choice_among_the_callers_cases_is_looked_up() -> None:
    done = dial("status", "--fact", "caller=19900001234", "--script", "5,2,123456#,h")
    assert "没有这一件" in done.output
    assert "受理编号二六幺幺幺九，零零零幺二" in done.output


def test_an_act_can_be_given_another_result() -> None:
    done = dial("hotline", "--act", "queue_position=closed", "--script", "h")
    assert "现在不是人工服务时间" in done.output


WRONG = {
    "no such flow": (("nothing",), "没有这个流程"),
    "path for a flow": (("../flow",), "没有这个流程"),
    "no such fact": (("message", "--fact", "x=1"), "没有事实 x"),
    "fact without value": (("hotline", "--fact", "notice"), "--fact 应为 名称=值"),
    "no such act": (("hotline", "--act", "fly=1"), "没有动作 fly"),
    "no such result": (("hotline", "--act", "save_rating=lost"), "没有结果 lost"),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_option_is_told_in_plain_words(arguments: tuple[str, ...], words: str) -> None:
    done = dial(*arguments)
    assert done.exit_code != 0
    assert words in done.output
    assert "Traceback" not in done.output


def test_every_act_has_a_sample_with_all_its_values() -> None:
    assert SAMPLES.keys() == ACTS.keys()
    for act, (result, values) in SAMPLES.items():
        assert set(results_of(act)[result]) <= values.keys()
