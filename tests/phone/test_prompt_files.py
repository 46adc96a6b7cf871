"""Which recordings are played for what is said, and which there must be."""

from dataclasses import replace
from pathlib import Path

import pytest

from channels.phone.leg import SOUND_S
from channels.phone.prompt_files import (
    PromptFile,
    PromptFiles,
    Sound,
    read_manifest,
    silence,
    word_file,
    write_manifest,
)
from channels.phone.prompt_plan import city_plan, differences, planned, rests, reworded
from intake.profile import Line
from intake.taxonomy import load_taxonomy
from ivr import speech
from ivr.breath import breaths
from ivr.prompts import PROMPTS, load_prompts

ZH = load_prompts()["zh"]
LINES = (Line("12319", "城建服务热线", "您好，这里是云泽市。"), Line("55555", "别的", "您好。"))


def file(text: str) -> PromptFile:
    return PromptFile(text, "zf_xiaoxiao", "0" * 64, 1.0, -20.0, -8.0)


def files_for(*texts: str, phrases: tuple[str, ...] = ()) -> PromptFiles:
    return PromptFiles({word_file(text): file(text) for text in texts} | {name: file(name) for name in (*phrases, "pause")})


EVERYTHING = PromptFiles({name: file(text) for name, text in planned(ZH).items()})


def heard(sounds: tuple[Sound, ...]) -> list[str]:
    return [sound.text for sound in sounds]


def test_the_longest_recording_of_neighbouring_words_is_taken() -> None:
    sounds = files_for("二", "十", "三", "二十", "二十三", "日").joined(speech.words("二十三日"))
    assert heard(sounds) == ["二十三", "日"]
    assert sounds[0] == Sound("piece/4e8c-5341-4e09", "二十三", "file")


def test_words_without_a_joined_recording_stay_single() -> None:
    assert heard(files_for("二", "十", "三").joined(speech.words("二十三"))) == ["二", "十", "三"]


def test_phrases_pauses_and_recordings_keep_their_names() -> None:
    pieces = [speech.Piece("phrase", "您好", "hello"), speech.Piece("pause", "，"), *speech.recording("msg-1")]
    assert [(s.name, s.kind) for s in files_for(phrases=("hello",)).joined(pieces)] == [
        ("hello", "file"), ("pause", "file"), ("msg-1", "recording"),
    ]  # fmt: skip


def test_a_house_number_goes_with_its_road_to_the_synthesiser() -> None:
    sounds = files_for("一", "百", "号").joined(speech.place("人民路100号"))
    assert sounds == (Sound("", "人民路幺零零号", "free"),)


def test_a_class_with_a_recording_is_said_although_the_place_before_it_has_none() -> None:
    pieces = [*speech.place("鼓楼广场"), *speech.text("暴露垃圾")]
    assert files_for("暴露垃圾").joined(pieces) == (
        Sound("", "鼓楼广场", "free"),
        Sound(word_file("暴露垃圾"), "暴露垃圾", "file"),
    )


def test_a_phrase_whose_recording_is_missing_is_given_to_the_synthesiser() -> None:
    assert files_for().joined([speech.Piece("phrase", "您好", "hello")]) == (Sound("hello", "您好", "free"),)


@pytest.mark.parametrize("prompt", sorted(ZH.by_name))
def test_every_prompt_is_said_from_recordings_alone_apart_from_free_text(prompt: str) -> None:
    values = {
        "position": "12", "wait_s": "95", "cases": "26112000007;26111900012", "case_no": "26112000007", "phone": "19900001234",
        "received_at": "2026-11-20T09:30:00", "caller": "19900001234", "callback_number": "19900001234", "owed_s": "4000",
        "place": "", "subclass": "", "words": "", "notice": "", "reply": "",
    }  # fmt: skip
    sounds = EVERYTHING.joined(ZH.spoken(prompt, values))
    assert [sound for sound in sounds if sound.kind == "free"] == []
    assert "".join(heard(sounds)) == ZH.text(prompt, values)


def test_later_folders_override_by_name(tmp_path: Path) -> None:
    for name, text in (("shipped", "您好"), ("city", "您好，这里是云泽市")):
        (tmp_path / name).mkdir()
        write_manifest(tmp_path / name, {"greeting_12319": file(text)})
    loaded = PromptFiles.load(tmp_path / "shipped", tmp_path / "city", tmp_path / "none")
    assert loaded.files["greeting_12319"].text == "您好，这里是云泽市"
    assert loaded.seconds("greeting_12319") == 1.0
    assert loaded.seconds("unknown") == 0.0


def test_a_manifest_is_read_as_written_one_line_each(tmp_path: Path) -> None:
    files = {"b": file("乙"), "a": file("甲")}
    write_manifest(tmp_path, files)
    assert read_manifest(tmp_path) == files
    assert len((tmp_path / "manifest.json").read_text(encoding="utf-8").splitlines()) == 2 + len(files)


def test_names_are_plain_and_short_enough_for_every_file_system() -> None:
    plan = planned(ZH, (entry.name for entry in load_taxonomy().entries.values()))
    assert all(name.isascii() and len(name) <= 120 and not set(name) & set(" &,.") for name in plan)


def test_breaths_are_made_of_the_vocabulary() -> None:
    for text in breaths():
        assert "".join(piece.text for piece in speech.words(text)) == text


def test_classes_are_planned_as_they_will_be_asked_for() -> None:
    plan = planned(ZH, ["乱倒乱排污水、废水"])
    for piece in speech.say("text", "乱倒乱排污水、废水"):
        assert piece.kind == "pause" or plan[word_file(piece.text)] == piece.text


def test_a_city_greets_with_its_own_words_on_its_known_numbers() -> None:
    assert city_plan(ZH, LINES) == {"greeting_12319": "您好，这里是云泽市。", "closed_greeting_12319": "您好，这里是云泽市。"}
    nightly = (replace(LINES[0], closed_greeting="现在无人值班。"),)
    assert city_plan(ZH, nightly)["closed_greeting_12319"] == "现在无人值班。"
    assert reworded(ZH, nightly).text("closed_greeting_12319", {}) == "现在无人值班。"
    assert reworded(ZH, LINES).text("greeting_12319", {}) == "您好，这里是云泽市。"
    assert "greeting_55555" not in reworded(ZH, LINES).by_name


def test_a_city_may_word_a_prompt_anew() -> None:
    wording = '[prompts]\ngoodbye = "再会。"\n'
    assert city_plan(ZH, (), wording) == {"goodbye": "再会。"}
    assert reworded(ZH, (), wording).text("goodbye", {}) == "再会。"


def test_stops_are_rests() -> None:
    assert rests("您好。") == (0.0, 0.25)
    assert rests("，预计等候") == (0.12, 0.0)
    assert rests("十") == (0.0, 0.0)


def test_a_changed_text_is_a_difference() -> None:
    assert differences({"a": "甲", "b": "乙", "c": "丙"}, {"a": "甲", "b": "变"}) == ["b", "c"]


def test_no_prompt_we_ship_is_longer_than_the_driver_waits_for_a_sound() -> None:
    shipped = PromptFiles.load(PROMPTS / "zh")
    assert max(shipped.seconds(name) for name in shipped.files) <= SOUND_S


def test_silence_is_as_long_as_asked() -> None:
    assert len(silence(0.25)) == 2000
