"""The log-mel picture of a sound that Whisper reads: 80 bands, 3000 columns of 10 ms. Pure."""

import numpy as np
import numpy.typing as npt

from channels.phone.speech_pack.sound import Samples

LISTEN_HZ = 16_000
WINDOW_S = 30
BANDS = 80
FFT = 400
HOP = 160
COLUMNS = WINDOW_S * LISTEN_HZ // HOP


def picture(samples: Samples) -> npt.NDArray[np.float32]:
    """Shape (1, 80, 3000) from at most 30 s at 16 kHz; shorter sound is followed by silence."""
    whole = np.zeros(WINDOW_S * LISTEN_HZ, np.float32)
    whole[: len(samples)] = samples[: len(whole)]
    padded = np.pad(whole, FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP][:COLUMNS]
    power = np.abs(np.fft.rfft(frames * np.hanning(FFT + 1)[:-1], axis=1)) ** 2
    bands = np.log10(np.maximum(_FILTERS @ power.T, 1e-10))
    scaled: npt.NDArray[np.float32] = ((np.maximum(bands, bands.max() - 8) + 4) / 4).astype(np.float32)
    return scaled[np.newaxis]


def _filters() -> npt.NDArray[np.float64]:
    """Triangles on Slaney's mel scale (linear below 1 kHz), each of equal area."""
    edges = _hertz(np.linspace(0.0, _mel(LISTEN_HZ / 2), BANDS + 2))
    bins = np.fft.rfftfreq(FFT, 1 / LISTEN_HZ)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    triangles: npt.NDArray[np.float64] = np.maximum(0, np.minimum(rising, falling))
    return triangles * (2 / (edges[2:] - edges[:-2]))[:, None]


def _mel(hertz: float) -> float:
    return hertz * 3 / 200 if hertz < 1000 else 15 + 27 * float(np.log(hertz / 1000) / np.log(6.4))


def _hertz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


_FILTERS = _filters()
