"""Making, taking over and checking the files of a plan (prompt_plan.py): sound in, level and length measured, manifest out.

Used by `python -m intake prompts` only; a running gateway reads the manifests (prompt_files.py).
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from channels.phone.prompt_context import ALONE, Within
from channels.phone.prompt_files import (
    ENDING,
    PAUSE_NAME,
    PAUSE_S,
    PromptFile,
    digest,
    read_manifest,
    silence,
    write_manifest,
)
from channels.phone.prompt_plan import rests
from channels.phone.speech_pack.sound import (
    TARGET_DBFS,
    TELEPHONE_HZ,
    BadSound,
    from_alaw,
    levelled,
    measure,
    read_sound,
    resampled,
    to_alaw,
    trimmed,
)

RECORDED = "recorded"
RECORDING_ENDING = ".wav"
TOLERANCE_DB = 1.5
MOST_BYTES = 8 << 20
SYLLABLE_S = 0.48
SPEEDS = (1.0, 0.9, 0.8, 1.1, 1.25)
"""A syllable said alone comes out between 0.3 and 0.9 s; of these the one nearest to SYLLABLE_S is taken, so that numbers
joined from single digits keep their beat."""


class Say(Protocol):
    """Text and speed to sound: alone, or cut out from between `before` and `after`."""

    async def __call__(self, text: str, speed: float, *, before: str = "", after: str = "") -> bytes: ...


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong with the file of a prompt; `what` is for a person."""

    name: str
    what: str


async def render(
    plan: Mapping[str, str], folder: Path, *, say: Say, voice: str, again: Container[str] = (),
    within: Mapping[str, Within] | None = None,
) -> list[str]:  # fmt: skip
    """Make what is missing, says something else or has another context (`within`, by name), and the names of `again`; forget
    what is no longer planned.

    A WAV file of a prompt's name in the folder is a person's recording and goes before the synthesiser. Returns the
    names that were made. The manifest is written after every file, so that a long run may be broken off.
    """
    files = {name: file for name, file in read_manifest(folder).items() if name in plan}
    made = []
    for name, text in plan.items():
        own, among = folder / f"{name}{RECORDING_ENDING}", (within or {}).get(name, ALONE)
        if name not in again and not own.exists() and _needs_nothing(files.get(name), folder / f"{name}{ENDING}", text, among):
            continue
        audio = taken_over(own.read_bytes()) if own.exists() else await _made(name, text, say, among)
        path = folder / f"{name}{ENDING}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(audio)
        made_ = described(audio, text=text, voice=RECORDED if own.exists() else voice)
        files[name] = made_ if own.exists() else replace(made_, within=among.words)
        write_manifest(folder, files)
        made.append(name)
    forget_others(folder, files)
    write_manifest(folder, files)
    return made


def forget_others(folder: Path, files: Container[str]) -> None:
    """Remove recordings of what is no longer said."""
    for path in folder.rglob(f"*{ENDING}"):
        if path.relative_to(folder).as_posix().removesuffix(ENDING) not in files:
            path.unlink()


def _needs_nothing(file: PromptFile | None, path: Path, text: str, among: Within) -> bool:
    return is_current(file, path, text) and file is not None and (file.voice == RECORDED or file.within == among.words)


async def _made(name: str, text: str, say: Say, among: Within) -> bytes:
    if name == PAUSE_NAME:
        return silence(PAUSE_S)
    lead_s, tail_s = rests(text)
    if among != ALONE:
        said = await say(text, among.speed, before=among.before, after=among.after)
        return silence(lead_s) + said + silence(tail_s + among.tail_s)
    if len(text) == 1:
        return min([await say(text, speed) for speed in SPEEDS], key=_off_beat)
    return silence(lead_s) + await say(text, 1.0) + silence(tail_s)


def _off_beat(audio: bytes) -> float:
    return abs(len(audio) / TELEPHONE_HZ - SYLLABLE_S)


def is_current(file: PromptFile | None, path: Path, text: str) -> bool:
    return file is not None and file.text == text and path.exists()


def taken_over(data: bytes) -> bytes:
    """A person's recording as one of our files: 8 kHz, trimmed, at our level. Raises BadSound."""
    samples, rate_hz = read_sound(data)
    return to_alaw(levelled(trimmed(resampled(samples, rate_hz, TELEPHONE_HZ), TELEPHONE_HZ)))


def described(audio: bytes, *, text: str, voice: str) -> PromptFile:
    found = measure(from_alaw(audio))
    return PromptFile(
        text=text, voice=voice if text else "", sha256=digest(audio), seconds=round(found.seconds, 3),
        dbfs=round(found.active_dbfs, 1), peak_dbfs=round(found.peak_dbfs, 1),
    )  # fmt: skip


def faults(plan: Mapping[str, str], folder: Path) -> Iterator[Fault]:
    """Everything that keeps the folder from being what the plan says, in the order of the plan."""
    files = read_manifest(folder)
    for name, text in plan.items():
        yield from (Fault(name, what) for what in _wrong(files.get(name), folder / f"{name}{ENDING}", text))
    yield from (Fault(name, "文案里已没有这一条") for name in files if name not in plan)
    size = sum(path.stat().st_size for path in folder.rglob(f"*{ENDING}"))
    if size > MOST_BYTES:
        yield Fault(folder.name, f"共 {size / 2**20:.1f} MB，超过 {MOST_BYTES >> 20} MB")


def _wrong(file: PromptFile | None, path: Path, text: str) -> Iterator[str]:
    if file is None or not path.exists():
        yield "没有录音"
        return
    if file.text != text:
        yield f"录音说的是“{file.text}”，文案已改"
    audio = path.read_bytes()
    if digest(audio) != file.sha256:
        yield "文件与清单不符"
    if not text:
        return
    found = measure(from_alaw(audio))
    if abs(found.active_dbfs - TARGET_DBFS) > TOLERANCE_DB:
        yield f"响度 {found.active_dbfs:.1f} dBFS，应为 {TARGET_DBFS:.0f}±{TOLERANCE_DB}"
    if found.clipped:
        yield f"有 {found.clipped} 个采样削顶"


__all__ = ["BadSound", "Fault", "described", "faults", "is_current", "render", "taken_over"]
