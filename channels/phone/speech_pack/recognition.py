"""Mandarin text from speech: Whisper small. Its words are read by tokenizers and made simplified by opencc; this module
alone imports both.

A draft for a person who hears the recording too: street names are where it errs.
"""

import json
from dataclasses import dataclass
from math import exp, log

import numpy as np
import numpy.typing as npt
from opencc import OpenCC
from tokenizers import Tokenizer

from channels.phone.speech_pack.cutting import windows
from channels.phone.speech_pack.mel import LISTEN_HZ, picture
from channels.phone.speech_pack.network import Network
from channels.phone.speech_pack.pack import Pack
from channels.phone.speech_pack.repetition import is_going_round, without_repeats
from channels.phone.speech_pack.sound import Samples, levelled, resampled

START, LANGUAGE, TASK, NO_TIMES = "<|startoftranscript|>", "<|zh|>", "<|transcribe|>", "<|notimestamps|>"
END, NOTHING, BEFORE = "<|endoftext|>", "<|nocaptions|>", "<|startofprev|>"
MOST_TOKENS = 220
"""A window of 30 s holds at most about 180 syllables."""
HINT = "城市管理服务热线的留言，普通话。"
"""Steers the model to punctuation, simplified characters and this domain."""
SURELY_NOTHING = 0.6
LEAST_LIKELY = 0.35
"""A window is dropped when silence is likelier than SURELY_NOTHING and its words are less likely than this."""
REPEAT_PENALTY = 0.5
MOST_S = 600
"""Seconds of a recording that are drafted."""


@dataclass(frozen=True, slots=True)
class Heard:
    """`confidence` is the mean likelihood of the words, 0..1, lowered where a guard had to step in."""

    text: str
    confidence: float


class Recogniser:
    """8 kHz samples to simplified text."""

    def __init__(self, pack: Pack, *, threads: int = 1) -> None:
        folder = pack.whisper
        self._encoder = Network(folder / "onnx" / "encoder_model_quantized.onnx", threads=threads)
        self._decoder = Network(folder / "onnx" / "decoder_model_merged_quantized.onnx", threads=threads)
        self._words = Tokenizer.from_file(str(folder / "tokenizer.json"))
        config = json.loads((folder / "config.json").read_text())
        self._heads: int = config["decoder_attention_heads"]
        self._size: int = config["d_model"] // self._heads
        suppressed = json.loads((folder / "generation_config.json").read_text()).get("suppress_tokens") or []
        self._suppressed = np.array(suppressed, int)
        self._simplified = OpenCC("t2s")

    def hear(self, samples: Samples, rate_hz: int = 8000) -> Heard:
        """The words of a whole recording; empty text where nobody speaks."""
        heard = samples[: MOST_S * rate_hz]
        parts = [self.window(heard[cut.start : cut.end], rate_hz) for cut in windows(heard, rate_hz)]
        said = [part for part in parts if part.text]
        if not said:
            return Heard("", 0.0)
        weight = sum(len(part.text) for part in said)
        return Heard("".join(map(_closed, said)), sum(part.confidence * len(part.text) for part in said) / weight)

    def window(self, samples: Samples, rate_hz: int) -> Heard:
        """The words of at most 30 s."""
        sound = resampled(levelled(samples, rate_hz=rate_hz), rate_hz, LISTEN_HZ)
        encoded = self._encoder.run({self._encoder.inputs[0]: picture(sound)})[self._encoder.outputs[0]]
        tokens, likelihood, nothing = self._decode(encoded)
        if nothing > SURELY_NOTHING and likelihood < LEAST_LIKELY:
            return Heard("", 0.0)
        text, mended = without_repeats(self._simplified.convert(self._words.decode(tokens)).strip())
        return Heard(text, likelihood * (REPEAT_PENALTY if mended else 1.0))

    def _decode(self, encoded: npt.NDArray[np.float32]) -> tuple[list[int], float, float]:
        """The likeliest token each time: tokens, mean likelihood, and the likelihood that nobody speaks."""
        before = [self._id(BEFORE), *self._words.encode(" " + HINT, add_special_tokens=False).ids]
        given = [*before, *map(self._id, (START, LANGUAGE, TASK, NO_TIMES))]
        past = {
            name: np.zeros((1, self._heads, 0, self._size), np.float32)
            for name in self._decoder.inputs
            if name.startswith("past")
        }
        tokens: list[int] = []
        doubts: list[float] = []
        nothing, first = 0.0, True
        while len(tokens) < MOST_TOKENS and not is_going_round(tokens):
            logits = self._step(given, encoded, past, first=first)
            if first:
                nothing = float(_shares(logits[len(before)])[self._id(NOTHING)])
            token, likelihood = self._likeliest(logits[-1])
            doubts.append(log(max(likelihood, 1e-9)))
            if token == self._id(END):
                break
            tokens.append(token)
            given, first = [token], False
        return tokens, exp(sum(doubts) / len(doubts)), nothing

    def _step(
        self, given: list[int], encoded: npt.NDArray[np.float32], past: dict[str, npt.NDArray[np.float32]], *, first: bool
    ) -> npt.NDArray[np.float32]:
        """Logits of the given tokens; `past` is brought forward in place."""
        wanted = {
            "input_ids": np.array([given], np.int64),
            "encoder_hidden_states": encoded,
            "use_cache_branch": np.array([not first]),
            **past,
        }
        result = self._decoder.run({name: value for name, value in wanted.items() if name in self._decoder.inputs})
        for name, value in result.items():
            key = name.replace("present", "past_key_values", 1)
            # What was made of the sound does not change; later steps give it back empty.
            if name.startswith("present") and (first or ".encoder." not in key):
                past[key] = value
        logits: npt.NDArray[np.float32] = result["logits"][0]
        return logits

    def _likeliest(self, logits: npt.NDArray[np.float32]) -> tuple[int, float]:
        allowed = logits.copy()
        allowed[self._suppressed] = -np.inf
        allowed[self._id(END) + 1 :] = -np.inf
        token = int(allowed.argmax())
        return token, float(_shares(allowed)[token])

    def _id(self, token: str) -> int:
        return int(self._words.token_to_id(token))


def _shares(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    powers = np.exp(logits - logits.max())
    shares: npt.NDArray[np.float32] = powers / powers.sum()
    return shares


def _closed(heard: Heard) -> str:
    """Windows were cut at pauses: each ends with a stop."""
    return heard.text if heard.text[-1] in "。！？；，" else heard.text + "，"
