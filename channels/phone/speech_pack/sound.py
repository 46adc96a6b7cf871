"""Telephone sound as arrays: G.711 A-law, WAV, resampling, measuring, trimming and levelling. Pure; needs only numpy.

Samples are float32 in -1..1. Levels are dBFS: 0 is the mean power of a square wave at full scale, so a full-scale sine
has -3. The level of speech is that of its active frames: the mean power of the 20 ms frames that lie at most 25 dB below
the loudest one, so that pauses do not count and a short word and a long sentence are measured alike.
"""

import io
import wave
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
TELEPHONE_HZ = 8000
FRAME_S = 0.02
ACTIVE_RANGE_DB = 25.0
SILENCE_DB = -96.0
TARGET_DBFS = -20.0
"""About -17 dBm0, what a person speaking into a handset gives; prompts and people are then equally loud."""
HIGHEST_PEAK_DBFS = -2.0
ALAW_PEAK = 32256 / 32768
"""The highest value A-law knows. A sample standing there was cut off."""


class BadSound(ValueError):
    """Not a sound we can read; the message says why."""


@dataclass(frozen=True, slots=True)
class Measure:
    """`active_dbfs` as defined above, `peak_dbfs` of the highest sample, `clipped` samples at the top of the scale."""

    seconds: float
    active_dbfs: float
    peak_dbfs: float
    clipped: int


def measure(samples: Samples, rate_hz: int = TELEPHONE_HZ) -> Measure:
    peak = float(np.abs(samples).max(initial=0.0))
    return Measure(
        seconds=len(samples) / rate_hz,
        active_dbfs=active_level(samples, rate_hz),
        peak_dbfs=_db(peak * peak),
        clipped=int(np.count_nonzero(np.abs(samples) >= ALAW_PEAK - 1e-6)),
    )


def active_level(samples: Samples, rate_hz: int = TELEPHONE_HZ) -> float:
    """dBFS of the active frames; SILENCE_DB where there is nothing."""
    powers = frame_powers(samples, rate_hz)
    if not len(powers) or powers.max() <= 0:
        return SILENCE_DB
    return _db(float(powers[powers >= powers.max() * 10 ** (-ACTIVE_RANGE_DB / 10)].mean()))


def frame_powers(samples: Samples, rate_hz: int, frame_s: float = FRAME_S) -> npt.NDArray[np.float64]:
    """Mean power of each whole frame; of everything where there is less than one frame."""
    size = max(1, round(rate_hz * frame_s))
    if len(samples) < size:
        return np.array([np.mean(np.square(samples, dtype=np.float64))]) if len(samples) else np.zeros(0)
    whole = samples[: len(samples) // size * size].reshape(-1, size)
    powers: npt.NDArray[np.float64] = np.mean(np.square(whole, dtype=np.float64), axis=1)
    return powers


def levelled(samples: Samples, *, target_dbfs: float = TARGET_DBFS, rate_hz: int = TELEPHONE_HZ) -> Samples:
    """At the target level; peaks that would pass HIGHEST_PEAK_DBFS are bent, not cut."""
    level = active_level(samples, rate_hz)
    if level <= SILENCE_DB:
        return samples
    louder = samples * np.float32(10 ** ((target_dbfs - level) / 20))
    return _bent(louder, top=10 ** (HIGHEST_PEAK_DBFS / 20))


def _bent(samples: Samples, *, top: float) -> Samples:
    """Linear up to half of `top`, from there towards it along a tanh."""
    knee = top / 2
    size = np.abs(samples)
    over = knee + (top - knee) * np.tanh((size - knee) / (top - knee))
    return np.where(size <= knee, samples, np.sign(samples) * over).astype(np.float32)


def trimmed(samples: Samples, rate_hz: int, *, lead_s: float = 0.03, tail_s: float = 0.06) -> Samples:
    """Without the silence around it, save `lead_s` and `tail_s`; soft edges, so that nothing clicks."""
    powers = frame_powers(samples, rate_hz, 0.01)
    if not len(powers) or powers.max() <= 0:
        return samples[:0]
    loud = np.flatnonzero(powers >= powers.max() * 10**-4)
    size = round(rate_hz * 0.01)
    start = max(0, loud[0] * size - round(lead_s * rate_hz))
    end = min(len(samples), (loud[-1] + 1) * size + round(tail_s * rate_hz))
    kept = samples[start:end].copy()
    edge = min(len(kept) // 2, round(0.005 * rate_hz))
    ramp = np.linspace(0, 1, edge, dtype=np.float32)
    kept[:edge] *= ramp
    kept[len(kept) - edge :] *= ramp[::-1]
    return kept


def with_silence(samples: Samples, seconds: float, rate_hz: int = TELEPHONE_HZ) -> Samples:
    return np.concatenate([samples, np.zeros(round(seconds * rate_hz), np.float32)])


def resampled(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """At another rate, by cutting or extending the spectrum; the last eighth below the new limit fades out."""
    if from_hz == to_hz or not len(samples):
        return samples
    # Whole seconds, so that both lengths are exact; half a second more keeps the end from running into the beginning.
    seconds = -(-len(samples) // from_hz) + 1
    spectrum = np.fft.rfft(samples, seconds * from_hz)
    bins = np.zeros(seconds * to_hz // 2 + 1, complex)
    shared = min(len(bins), len(spectrum))
    bins[:shared] = spectrum[:shared]
    if to_hz < from_hz:
        fade = np.linspace(0, np.pi, shared // 8)
        bins[shared - len(fade) : shared] *= (1 + np.cos(fade)) / 2
    out = np.fft.irfft(bins, seconds * to_hz) * (to_hz / from_hz)
    return out[: round(len(samples) * to_hz / from_hz)].astype(np.float32)


def to_alaw(samples: Samples) -> bytes:
    """G.711 A-law, one byte a sample."""
    wide = np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int32)
    return bytes(_ENCODE[wide + 32768])


def from_alaw(data: bytes) -> Samples:
    return _DECODE[np.frombuffer(data, np.uint8)]


def from_wav(data: bytes) -> tuple[Samples, int]:
    """Samples and rate of a WAV file with 16-bit PCM or A-law, channels mixed to one; raises BadSound."""
    if data[:4] == b"RIFF" and data[20:22] == b"\x06\x00":
        return _wav_alaw(data)
    try:
        with wave.open(io.BytesIO(data)) as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            frames = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise BadSound(f"not a WAV file: {error}") from error
    if width != 2 or not 4000 <= rate <= 192_000:
        raise BadSound(f"{8 * width} bits at {rate} Hz; 16 bits are needed")
    whole = np.frombuffer(frames[: len(frames) // (2 * channels) * 2 * channels], "<i2")
    return (whole.reshape(-1, channels).mean(axis=1) / 32768).astype(np.float32), rate


def _wav_alaw(data: bytes) -> tuple[Samples, int]:
    """WAVE_FORMAT_ALAW (6), which Python's reader does not know."""
    at, rate = 12, int.from_bytes(data[24:28], "little")
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] == b"data":
            return from_alaw(data[at + 8 : at + 8 + size]), rate
        at += 8 + size + size % 2
    raise BadSound("a WAV file without data")


def read_sound(data: bytes) -> tuple[Samples, int]:
    """A WAV file, or else raw A-law at 8 kHz; raises BadSound for nothing at all."""
    if data[:4] == b"RIFF":
        return from_wav(data)
    if not data:
        raise BadSound("empty")
    return from_alaw(data), TELEPHONE_HZ


def to_wav(samples: Samples, rate_hz: int = TELEPHONE_HZ) -> bytes:
    """A WAV file with 16-bit PCM."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2").tobytes())
    return out.getvalue()


def _db(power: float) -> float:
    return max(SILENCE_DB, 10 * float(np.log10(power))) if power > 0 else SILENCE_DB


def _alaw_values() -> npt.NDArray[np.int32]:
    """Byte to 16-bit value, ITU-T G.711 table 1a with the even bits inverted."""
    code = np.arange(256) ^ 0x55
    exponent, mantissa = code >> 4 & 7, code & 15
    size = np.where(exponent == 0, (mantissa << 4) + 8, (mantissa << 4) + 0x108 << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, size, -size).astype(np.int32)


def _alaw_codes() -> npt.NDArray[np.uint8]:
    """16-bit value (plus 32768) to the byte whose value is nearest."""
    values = _alaw_values()
    order = np.argsort(values)
    between = (values[order][1:] + values[order][:-1]) / 2
    return order[np.searchsorted(between, np.arange(-32768, 32768))].astype(np.uint8)


_DECODE = (_alaw_values() / 32768).astype(np.float32)
_ENCODE = _alaw_codes()
