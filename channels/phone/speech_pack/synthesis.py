"""Mandarin speech from text: Kokoro-82M. Phonemes are made by misaki, which this module alone imports.

What numbers sound like is decided before (ivr/speech.py); figures that still stand in a text are left out here.
"""

import json
import re
from collections.abc import Iterator
from functools import cached_property

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
DURATIONS, DURATION_SAMPLES = "/encoder/Clip_output_0", 600
"""Where in the network it stands how long each phoneme lasts, in frames of 25 ms."""
ROLL_S = 0.04
"""Of a pause beside it, what is kept with a word that is cut out."""
STOPS = "，。、；："
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
        self._model, self._threads = pack.kokoro / "kokoro-quantized.onnx", threads
        self._network = Network(self._model, threads=threads)
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
        for sentence in sentences(text):
            said = self._sentence(sentence, voice, speed)
            parts += [pause, said] if parts and len(said) else [said]
        return resampled(np.concatenate(parts), MODEL_HZ, 8000) if parts else np.zeros(0, np.float32)

    def say_within(self, text: str, *, before: str, after: str, voice: str = VOICES[0], speed: float = 1.0) -> Samples:
        """`text` as it sounds between the others: all is said in one breath, and it is cut out where its phonemes begin and
        end. Samples at 8 kHz; empty where nothing can be said."""
        ids, first, last = _in_a_row([self._ids(part) for part in (before, text, after)], self._tokens[" "])
        if first == last or len(ids) > MOST_PHONEMES:
            return np.zeros(0, np.float32)
        said, lasts = self._said(self._aligned, ids, voice, speed)
        edges = np.concatenate([[0], np.cumsum(lasts.reshape(-1))]) * DURATION_SAMPLES
        roll = round(ROLL_S * MODEL_HZ)
        # The network pads with one token, so phoneme n is its token n + 1.
        start = int(edges[first + 1]) - roll * before.endswith(tuple(STOPS))
        end = int(edges[last + 1]) + roll * after.startswith(tuple(STOPS))
        return resampled(said[max(0, start) : end], MODEL_HZ, 8000)

    def _sentence(self, text: str, voice: str, speed: float) -> Samples:
        ids = self._ids(text)[:MOST_PHONEMES]
        return self._said(self._network, ids, voice, speed)[0] if ids else np.zeros(0, np.float32)

    @cached_property
    def _aligned(self) -> Network:
        """For prompts that are made ahead; a gateway never needs it."""
        return Network(self._model, threads=self._threads, also=(DURATIONS,))

    def _ids(self, text: str) -> list[int]:
        phonemes = self._phonemes(spelled(text)) if text else ""
        phonemes = phonemes[0] if isinstance(phonemes, tuple) else phonemes
        return [self._tokens[char] for char in phonemes if char in self._tokens]

    def _said(self, network: Network, ids: list[int], voice: str, speed: float) -> tuple[Samples, Samples]:
        """The sound, and how long each phoneme lasts where the network tells."""
        tokens, style, rate = network.inputs
        given = {
            tokens: np.array([[0, *ids, 0]], np.int64),
            style: self._styles[voice][len(ids)],
            rate: np.array([speed], np.float32),
        }
        found = network.run(given)
        said: Samples = found[network.outputs[0]].reshape(-1)
        return said, found.get(DURATIONS, said[:0])


def _in_a_row(parts: list[list[int]], space: int) -> tuple[list[int], int, int]:
    """Phonemes of what comes before, the word and what comes after, with spaces between; where the word begins and ends."""
    before, word, after = parts
    ids = [*before, space] if before else []
    first, last = len(ids), len(ids) + len(word)
    return [*ids, *word, *([space, *after] if after else [])], first, last


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
