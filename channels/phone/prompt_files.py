"""The recordings of our prompts: how they are called, what is known of each, and which are played for what is said.

Pure; standard library only. Making and measuring them is `python -m intake prompts`.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from ivr.speech import VOCABULARY, Piece

MANIFEST = "manifest.json"
ENDING = ".alaw"
RATE_HZ = 8000
PAUSE_NAME = "pause"
PAUSE_S = 0.3
QUIET = b"\xd5"
"""A-law of a sample that is nothing."""
_WORDS = frozenset(VOCABULARY)
FORMAT = "G.711 A-law, 8000 Hz, mono, no header"


@dataclass(frozen=True, slots=True)
class PromptFile:
    """One file. `dbfs` is the level of active speech and `peak_dbfs` the highest sample, both as speech_pack/sound.py defines;
    `voice` is a synthesiser's voice, or "recorded" for a person's; `within` what a synthesiser said around it
    (prompt_context.py), "" for a text said alone."""

    text: str
    voice: str
    sha256: str
    seconds: float
    dbfs: float
    peak_dbfs: float
    within: str = ""


@dataclass(frozen=True, slots=True)
class Sound:
    """Something to play. `kind`: file (`name` without ending), free (`text` must be synthesised), recording (`name` is
    the reference it was kept under)."""

    name: str
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class PromptFiles:
    """The files of a folder and of those that override it, by name."""

    files: Mapping[str, PromptFile]

    @classmethod
    def load(cls, *folders: Path) -> Self:
        """The manifests of the folders, later ones before earlier; a folder without one adds nothing."""
        files: dict[str, PromptFile] = {}
        for folder in folders:
            files |= read_manifest(folder)
        return cls(files)

    def seconds(self, name: str) -> float:
        return self.files[name].seconds if name in self.files else 0.0

    def joined(self, pieces: Sequence[Piece]) -> tuple[Sound, ...]:
        """What is played for the pieces, in order: the longest recordings first.

        Free text without a recording takes the words beside it along: a house number without its road misleads, and in
        one breath it sounds better. Who cannot synthesise leaves such a sound out.
        """
        sounds: list[Sound] = []
        for run in _runs(pieces):
            sounds += self._spoken(run) if run[0].kind in ("word", "free") else [self._whole(run[0])]
        return tuple(sounds)

    def _whole(self, piece: Piece) -> Sound:
        if piece.kind == "recording":
            return Sound(piece.name, piece.text, "recording")
        name = PAUSE_NAME if piece.kind == "pause" else piece.name
        return Sound(name, piece.text, "file" if name in self.files else "free")

    def _spoken(self, run: Sequence[Piece]) -> Iterator[Sound]:
        """Words and free text without a pause between them."""
        loose: list[Piece] = []
        for piece in run:
            # 号 behind a house number belongs to it, although it has a recording as a word.
            if piece.kind == "free" and piece.text not in _WORDS and word_file(piece.text) in self.files:
                yield from self._loose(loose)
                yield Sound(word_file(piece.text), piece.text, "file")
                loose = []
            else:
                loose.append(piece)
        yield from self._loose(loose)

    def _loose(self, run: Sequence[Piece]) -> Iterator[Sound]:
        if any(piece.kind == "free" and piece.text not in _WORDS for piece in run):
            yield Sound("", "".join(piece.text for piece in run), "free")
            return
        at = 0
        while at < len(run):
            length = next((n for n in range(len(run) - at, 1, -1) if _name(run[at : at + n]) in self.files), 1)
            name, text = _name(run[at : at + length]), "".join(piece.text for piece in run[at : at + length])
            yield Sound(name, text, "file") if name in self.files else Sound("", text, "free")
            at += length


def word_file(text: str) -> str:
    """The file of a word: Asterisk and every file system take the code points in hexadecimal."""
    return "piece/" + "-".join(f"{ord(char):x}" for char in text)


def read_manifest(folder: Path) -> dict[str, PromptFile]:
    """What a folder's manifest says of its files; nothing when there is none."""
    path = folder / MANIFEST
    if not path.exists():
        return {}
    raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["files"]
    return {name: PromptFile(**values) for name, values in raw.items()}


def write_manifest(folder: Path, files: Mapping[str, PromptFile]) -> None:
    """One line for each file, in the order of their names, so that a change shows as what it is."""
    lines = (
        f'  {json.dumps(name)}: {json.dumps(asdict(files[name]), ensure_ascii=False)}' for name in sorted(files)
    )
    text = f'{{"format": {json.dumps(FORMAT)}, "files": {{\n' + ",\n".join(lines) + "\n}}\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def silence(seconds: float) -> bytes:
    return QUIET * round(seconds * RATE_HZ)


def _name(run: Sequence[Piece]) -> str:
    return word_file("".join(piece.text for piece in run))


def _runs(pieces: Sequence[Piece]) -> Iterator[Sequence[Piece]]:
    """Neighbouring words and free text together, everything else alone."""
    start = 0
    for at, piece in enumerate(pieces):
        if piece.kind not in ("word", "free"):
            if start < at:
                yield pieces[start:at]
            yield pieces[at : at + 1]
            start = at + 1
    if start < len(pieces):
        yield pieces[start:]
