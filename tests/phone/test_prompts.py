"""The recordings that are shipped, and the commands that make and check them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from channels.phone.prompt_files import PromptFiles, read_manifest
from channels.phone.rendering import MOST_BYTES, RECORDED, faults, render
from channels.phone.speech_pack.sound import from_alaw, levelled, measure, to_alaw, to_wav
from intake.commands.prompts import command, export, shelves
from intake.profile import CITIES, City, load_city

PLAN = {"hello": "您好。", "pause": "", "piece/4e00": "一"}


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(CITIES / "demo")


class Voice:
    """A tone for each text, as loud as a prompt should be."""

    def __init__(self, size: float | None = None) -> None:
        self.said: list[str] = []
        self.size = size

    async def __call__(self, text: str, speed: float) -> bytes:
        self.said.append(text)
        tone = np.sin(np.arange(round(4800 / speed)) * 0.3).astype(np.float32)
        return to_alaw(tone * self.size if self.size else levelled(tone))


async def made(plan: Mapping[str, str], folder: Path, voice: Voice | None = None, **more: object) -> list[str]:
    return await render(plan, folder, say=voice or Voice(), voice="zf_xiaoxiao", **more)  # type: ignore[arg-type]


def test_every_shipped_prompt_is_recorded_as_worded_level_and_unclipped(city: City) -> None:
    for shelf in shelves(city):
        assert list(faults(shelf.plan, shelf.folder)) == []


def test_the_city_has_its_greetings_recorded(city: City) -> None:
    assert {"greeting_12319", "greeting_96310"} <= set(read_manifest(shelves(city)[1].folder))


def test_numbers_that_are_dialled_are_worded_with_yao(city: City) -> None:
    for file in PromptFiles.load(*(shelf.folder for shelf in shelves(city))).files.values():
        assert not any(wrong in file.text for wrong in ("一二三一九", "九六三一零", "一一零", "一二零"))


def test_export_joins_shipped_and_city_files(city: City, tmp_path: Path) -> None:
    count = export(city, tmp_path)
    files = PromptFiles.load(tmp_path).files
    assert count == len(files) == len(list(tmp_path.rglob("*.alaw")))
    assert files["greeting_12319"].text == city.lines[0].greeting
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.alaw")) < MOST_BYTES


async def test_rendering_makes_what_is_missing_and_only_that(tmp_path: Path) -> None:
    assert await made(PLAN, tmp_path) == list(PLAN)
    assert list(faults(PLAN, tmp_path)) == []
    voice = Voice()
    assert await made({**PLAN, "piece/4e00": "幺"}, tmp_path, voice) == ["piece/4e00"]
    assert set(voice.said) == {"幺"}


async def test_a_single_syllable_is_as_long_as_the_others(tmp_path: Path) -> None:
    await made(PLAN, tmp_path)
    assert read_manifest(tmp_path)["piece/4e00"].seconds == pytest.approx(0.48, abs=0.01)


async def test_named_prompts_are_made_again(tmp_path: Path) -> None:
    await made(PLAN, tmp_path)
    assert await made(PLAN, tmp_path, again={"hello"}) == ["hello"]


async def test_what_is_no_longer_said_is_removed(tmp_path: Path) -> None:
    await made(PLAN, tmp_path)
    await made({"hello": "您好。"}, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"hello.alaw", "manifest.json", "piece"}  # noqa: ASYNC240
    assert not any((tmp_path / "piece").iterdir())


async def test_a_persons_recording_goes_before_the_synthesiser_at_the_same_level(tmp_path: Path) -> None:
    quiet = 0.01 * np.sin(np.arange(48_000) * 0.05).astype(np.float32)
    (tmp_path / "hello.wav").write_bytes(to_wav(quiet, 48_000))
    voice = Voice()
    await made(PLAN, tmp_path, voice)
    assert set(voice.said) == {"一"}
    assert read_manifest(tmp_path)["hello"].voice == RECORDED
    assert list(faults(PLAN, tmp_path)) == []
    assert measure(from_alaw((tmp_path / "hello.alaw").read_bytes())).seconds == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(
    ("size", "word"), [(0.01, "响度"), (1.5, "削顶")], ids=["too quiet", "clipped"]
)  # fmt: skip
async def test_a_bad_sound_is_found(tmp_path: Path, size: float, word: str) -> None:
    await made(PLAN, tmp_path, Voice(size))
    assert any(word in fault.what for fault in faults(PLAN, tmp_path))


async def test_changed_missing_and_unknown_files_are_found(tmp_path: Path) -> None:
    await made(PLAN, tmp_path)
    (tmp_path / "hello.alaw").write_bytes(b"\xd5" * 100)
    (tmp_path / "piece" / "4e00.alaw").unlink()
    names = {fault.name for fault in faults({**PLAN, "new": "新"}, tmp_path)}
    assert names == {"hello", "piece/4e00", "new"}
    assert {fault.name for fault in faults({"hello": "您好。"}, tmp_path)} >= {"pause"}


def test_the_commands_list_and_check_what_is_shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("INTAKE_HOME", str(tmp_path))
    listed = CliRunner().invoke(command, ["list"])
    assert "greeting_12319" in listed.output
    assert CliRunner().invoke(command, ["check"]).exit_code == 0


def test_without_the_pack_rendering_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("INTAKE_HOME", str(tmp_path))
    monkeypatch.setenv("INTAKE_SPEECH", str(tmp_path))
    result = CliRunner().invoke(command, ["render", "--city-only", "greeting_12319"])
    assert result.exit_code != 0
    assert "make speech" in result.output
