"""Mandarin speech from text: Kokoro-82M. Phonemes are made by misaki, which this module alone imports.

What numbers sound like is decided before (ivr/speech.py); figures that still stand in a text are left out here.
"""

import json
import re
from collections.abc import Iterator

import numpy as np
from misaki import zh

from channels.phone.speech_pack.network import Network
from channels.phone.speech_pack.pack import VOICES, Pack
from channels.phone.speech_pack.sound import Samples, resampled

MODEL_HZ = 24_000
MOST_PHONEMES = 508
"""The model's window is 510 with one token of padding at each side; the style table has one row for each length."""
STYLES = 510
SENTENCE_PAUSE_S = 0.3
LETTERS = {
    "A": "诶", "B": "比", "C": "西", "D": "弟", "E": "亿", "F": "艾弗", "G": "记",
    "H": "艾吃", "I": "爱", "J": "杰", "K": "开", "L": "艾勒", "M": "艾姆", "N": "恩",
    "O": "欧", "P": "屁", "Q": "扣", "R": "阿尔", "S": "艾丝", "T": "替", "U": "优",
    "V": "威", "W": "达不溜", "X": "艾克斯", "Y": "歪", "Z": "贼",
}  # fmt: skip
"""Latin letters as they are said over a Chinese telephone."""

READINGS = {"重听": "虫听", "重录": "虫录", "最长": "最常", "嘀声": "滴声", "调压": "条压", "散发": "散發", "杠": "槓"}
"""Words whose characters have several readings of which the dictionary picks the wrong one, by others that sound right."""


class Synthesiser:
    """Text to 8 kHz samples, not yet levelled."""

    def __init__(self, pack: Pack, *, threads: int = 2) -> None:
        self._network = Network(pack.kokoro / "kokoro-quantized.onnx", threads=threads)
        self._tokens: dict[str, int] = json.loads((pack.kokoro / "tokenizer.json").read_text())["model"]["vocab"]
        self._styles = {
            voice: np.fromfile(pack.kokoro / "voices" / f"{voice}.bin", np.float32).reshape(STYLES, 1, 256)
            for voice in VOICES
        }
        self._phonemes = zh.ZHG2P()

    def say(self, text: str, *, voice: str = VOICES[0], speed: float = 1.0) -> Samples:
        """Samples at 8 kHz; empty where nothing can be said."""
        pause = np.zeros(round(SENTENCE_PAUSE_S * MODEL_HZ), np.float32)
        parts: list[Samples] = []
        for sentence in sentences(spelled(text)):
            said = self._sentence(sentence, voice, speed)
            parts += [pause, said] if parts and len(said) else [said]
        return resampled(np.concatenate(parts), MODEL_HZ, 8000) if parts else np.zeros(0, np.float32)

    def _sentence(self, text: str, voice: str, speed: float) -> Samples:
        phonemes = self._phonemes(text)
        phonemes = phonemes[0] if isinstance(phonemes, tuple) else phonemes
        ids = [self._tokens[char] for char in phonemes if char in self._tokens][:MOST_PHONEMES]
        if not ids:
            return np.zeros(0, np.float32)
        tokens, style, rate = self._network.inputs
        given = {
            tokens: np.array([[0, *ids, 0]], np.int64),
            style: self._styles[voice][len(ids)],
            rate: np.array([speed], np.float32),
        }
        said: Samples = self._network.run(given)[self._network.outputs[0]].reshape(-1)
        return said


def spelled(text: str) -> str:
    """The text in characters that are read as meant."""
    for word, reading in READINGS.items():
        text = text.replace(word, reading)
    return "".join(LETTERS.get(char.upper(), char) for char in text)


def sentences(text: str) -> Iterator[str]:
    """Cut after each full stop: the model says one sentence at a time."""
    for found in re.finditer(r"[^。！？；!?\n]+[。！？；!?]?", text):
        if found[0].strip():
            yield found[0]
