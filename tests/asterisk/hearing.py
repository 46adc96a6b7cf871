"""What is on a recording: length, loudness, and which of many sound files was played when.

Audio goes from one Asterisk to the other as A-law over loopback, so a prompt that was heard is the file itself, perhaps
with gaps where packets came late. It is sought piece by piece with a normalised cross-correlation.
"""

import wave
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 8000
PIECE = RATE // 4
"""Samples sought in one go: short, because a late packet on a busy machine breaks the piece it falls into."""
MOST_PIECES = 12
LIKE = 0.8
"""Correlation from which a piece counts as the same audio."""
ENOUGH = 0.4
"""Share of its loud pieces, all at the right distance from each other, by which a sound counts as heard."""
QUIET_RMS = 30.0
"""Of 32768. Below this a stretch is silence; comfort noise and A-law idle stay under 10."""
FRAME_S = 0.02
Samples = NDArray[np.float64]


@dataclass(frozen=True)
class Heard:
    """A sound file that was heard: from when, and how much of it (0 to 1)."""

    name: str
    at_s: float
    share: float


def read(path: Path) -> Samples:
    """Samples of a WAV file (8 kHz, mono, 16 bit) or of raw A-law (`.alaw`)."""
    if path.suffix == ".alaw":
        return a_law(np.frombuffer(path.read_bytes(), dtype=np.uint8))
    with wave.open(str(path)) as stream:
        assert (stream.getframerate(), stream.getnchannels(), stream.getsampwidth()) == (RATE, 1, 2), path
        return np.frombuffer(stream.readframes(stream.getnframes()), dtype="<i2").astype(np.float64)


def a_law(codes: NDArray[np.uint8]) -> Samples:
    """ITU-T G.711 A-law to linear samples of 16 bit."""
    inverted = codes.astype(np.int64) ^ 0x55
    exponent, mantissa = (inverted >> 4) & 7, inverted & 15
    small = (mantissa << 4) + 8
    value = np.where(exponent == 0, small, (small + 0x100) << np.maximum(exponent - 1, 0))
    return np.where(inverted & 0x80, value, -value).astype(np.float64)


def seconds(samples: Samples) -> float:
    return len(samples) / RATE


def loudness(samples: Samples) -> float:
    """Root mean square of the stretches that are not silent, in dB below full scale; -96 for silence."""
    frames = _frames(samples)
    loud = frames[frames > QUIET_RMS]
    return float(20 * np.log10(np.sqrt(np.mean(loud**2)) / 32768)) if loud.size else -96.0


def sounding_s(samples: Samples) -> float:
    """How long there is any sound, in all."""
    return float(np.sum(_frames(samples) > QUIET_RMS)) * FRAME_S


def longest_silence_s(samples: Samples) -> float:
    """The longest stretch without any sound."""
    longest = run = 0
    for is_quiet in _frames(samples) <= QUIET_RMS:
        run = run + 1 if is_quiet else 0
        longest = max(longest, run)
    return longest * FRAME_S


def stretches(samples: Samples, *, least_s: float, pause_s: float) -> list[Samples]:
    """The recording cut at its pauses, each part at least so long; parts without any sound are left out."""
    parts, start, run = [], 0, 0
    loud = _frames(samples) > QUIET_RMS
    for at, is_loud in enumerate(loud, 1):
        run = 0 if is_loud else run + 1
        if run * FRAME_S >= pause_s and (at - start) * FRAME_S >= least_s:
            parts.append((start, at))
            start = at
    size = RATE // 50
    return [samples[begin * size : end * size] for begin, end in [*parts, (start, len(loud))] if loud[begin:end].any()]


def _frames(samples: Samples) -> Samples:
    """RMS of each 20 ms."""
    size = RATE // 50
    whole = samples[: len(samples) // size * size].reshape(-1, size)
    return np.sqrt(np.mean(whole**2, axis=1)) if len(whole) else np.zeros(0)


def write(path: Path, samples: Samples) -> Path:
    """A WAV file that Asterisk can play."""
    with wave.open(str(path), "wb") as stream:
        stream.setparams((1, 2, RATE, 0, "NONE", "not compressed"))
        stream.writeframes(np.clip(samples, -32768, 32767).astype("<i2").tobytes())
    return path


def voice(seed: int, seconds: float) -> Samples:
    """Made-up speech: syllables of noise in a voice's band, different for every seed, loud enough to be recorded."""
    random = np.random.default_rng(seed)
    count = int(seconds * RATE)
    spectrum = np.fft.rfft(random.standard_normal(count))
    frequency = np.fft.rfftfreq(count, 1 / RATE)
    spectrum[(frequency < 300) | (frequency > 2500)] = 0
    noise = np.fft.irfft(spectrum, count)
    syllables = np.repeat(random.uniform(0.2, 1.0, count // 1200 + 1), 1200)[:count]
    return noise / np.std(noise) * 4000 * syllables


def find(recording: Samples, sound: Samples, name: str = "") -> Heard | None:
    """Where a sound begins in a recording, if enough of it is there."""
    return _Sought(recording).find(sound, name)


class _Sought:
    """A recording made ready for being searched; the same for every sound, so done once."""

    def __init__(self, recording: Samples) -> None:
        self._count = len(recording)
        self._length = 1 << max(self._count + PIECE - 1, 2).bit_length()
        self._spectrum = np.fft.rfft(recording, self._length)
        sums, squares = (np.concatenate(([0.0], np.cumsum(recording**power))) for power in (1, 2))
        total, energy = sums[PIECE:] - sums[:-PIECE], squares[PIECE:] - squares[:-PIECE]
        self._spread = np.sqrt(np.maximum(energy - total**2 / PIECE, PIECE * QUIET_RMS**2 / 4))

    def find(self, sound: Samples, name: str) -> Heard | None:
        starts = range(0, len(sound) - PIECE + 1, PIECE)
        loud = [start for start in starts if np.std(sound[start : start + PIECE]) > 4 * QUIET_RMS]
        tried = loud[:: -(-len(loud) // MOST_PIECES)] if loud else []
        likeness = [(start, found) for start in tried if (found := self._likeness(sound[start : start + PIECE])) is not None]
        begins = {int(np.argmax(one)) - start for start, one in likeness if one.max() >= LIKE}
        if not begins:
            return None
        # A sound that was played more than once has some pieces best at one place and some at another: each place is tried.
        near = max((_near(likeness, begin) for begin in sorted(begins)), key=len)
        share = len(near) / len(tried)
        return Heard(name, max(min(near), 0) / RATE, share) if share >= ENOUGH else None

    def _likeness(self, piece: Samples) -> Samples | None:
        """How like the piece the recording is from each of its samples on; None where it is too short."""
        if self._count < PIECE:
            return None
        centred = piece - piece.mean()
        product = np.fft.irfft(self._spectrum * np.conj(np.fft.rfft(centred, self._length)), self._length)
        return product[: self._count - PIECE + 1] / (self._spread * np.sqrt(np.sum(centred**2)))


def _near(likeness: list[tuple[int, Samples]], begin: int) -> list[int]:
    """Where the sound began by each of its pieces that is there, at most a second off: a late packet shifts what follows."""
    found = []
    for start, one in likeness:
        first = max(begin + start - RATE, 0)
        window = one[first : max(begin + start + RATE, 0)]
        if window.size and window.max() >= LIKE:
            found.append(first + int(np.argmax(window)) - start)
    return found


def which(recording: Samples, sounds: Mapping[str, Samples]) -> list[Heard]:
    """Those of the named sounds that were heard, in their order."""
    sought = _Sought(recording)
    found = (sought.find(sound, name) for name, sound in sounds.items())
    return sorted((one for one in found if one), key=lambda one: one.at_s)


def prompts(folder: Path, names: Iterable[str]) -> dict[str, Samples]:
    """The prompt files of those names."""
    return {name: read(next(folder.glob(f"{name}.*"))) for name in names}
