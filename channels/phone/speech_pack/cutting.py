"""Cutting a long recording at its silences into windows that the recogniser can take. Pure."""

from dataclasses import dataclass

import numpy as np

from channels.phone.speech_pack.sound import Samples, frame_powers

LONGEST_S = 28.0
"""Whisper hears 30 s at once; a little room keeps the last word whole."""
SHORTEST_S = 8.0
"""A cut is looked for from here on: short windows give the recogniser no context."""
FRAME_S = 0.02
SMOOTH_S = 0.3
"""A gap inside a word is shorter than this."""
SPEECH_DBFS = -50.0
"""Nothing below this is speech on a telephone; line noise lies at about -60."""


@dataclass(frozen=True, slots=True)
class Window:
    """Samples [start, end) of a recording."""

    start: int
    end: int


def windows(samples: Samples, rate_hz: int) -> list[Window]:
    """Windows of at most LONGEST_S in order; silence at both ends and windows that hold nothing else are left out.

    Each cut lies in the quietest third of a second between SHORTEST_S and LONGEST_S after the last one.
    """
    powers = frame_powers(samples, rate_hz, FRAME_S)
    size = round(rate_hz * FRAME_S)
    loud = np.flatnonzero(powers >= 10 ** (SPEECH_DBFS / 10))
    if not len(loud):
        return []
    calm = _smoothed(powers, round(SMOOTH_S / FRAME_S))
    start, end = max(0, int(loud[0]) - 10), min(len(powers), int(loud[-1]) + 11)
    found = []
    while start < end:
        cut = _cut(calm, start, end)
        if np.any((loud >= start) & (loud < cut)):
            found.append(Window(start * size, cut * size))
        start = cut
    return found


def _cut(calm: "np.typing.NDArray[np.float64]", start: int, end: int) -> int:
    """The frame behind the last one of the window that begins at `start`."""
    longest, shortest = round(LONGEST_S / FRAME_S), round(SHORTEST_S / FRAME_S)
    if end - start <= longest:
        return end
    return start + shortest + int(np.argmin(calm[start + shortest : start + longest]))


def _smoothed(powers: "np.typing.NDArray[np.float64]", frames: int) -> "np.typing.NDArray[np.float64]":
    """Mean over neighbours: a cut shall lie in a pause, not in a single quiet frame."""
    return np.convolve(powers, np.ones(frames) / frames, mode="same")
