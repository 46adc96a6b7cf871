"""Making, taking over and checking the files of a plan (prompt_plan.py): sound in, level and length measured, manifest out.

Used by `python -m intake prompts` only; a running gateway reads the manifests (prompt_files.py).
"""

from collections.abc import Awaitable, Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

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
Say = Callable[[str, float], Awaitable[bytes]]
"""Text and speed to sound."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong with the file of a prompt; `what` is for a person."""

    name: str
    what: str


async def render(
    plan: Mapping[str, str], folder: Path, *, say: Say, voice: str, again: Container[str] = ()
) -> list[str]:
    """Make what is missing or says something else, and the names of `again`; forget what is no longer planned.

    A WAV file of a prompt's name in the folder is a person's recording and goes before the synthesiser. Returns the
    names that were made. The manifest is written after every file, so that a long run may be broken off.
    """
    files = {name: file for name, file in read_manifest(folder).items() if name in plan}
    made = []
    for name, text in plan.items():
        own = folder / f"{name}{RECORDING_ENDING}"
        if name not in again and not own.exists() and is_current(files.get(name), folder / f"{name}{ENDING}", text):
            continue
        audio = taken_over(own.read_bytes()) if own.exists() else await _made(name, text, say)
        path = folder / f"{name}{ENDING}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(audio)
        files[name] = described(audio, text=text, voice=RECORDED if own.exists() else voice)
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


async def _made(name: str, text: str, say: Say) -> bytes:
    if name == PAUSE_NAME:
        return silence(PAUSE_S)
    lead_s, tail_s = rests(text)
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
