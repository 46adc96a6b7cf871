"""Telephone sound: A-law, WAV, levels, trimming, rates."""

import numpy as np
import pytest

from channels.phone.speech_pack.sound import (
    HIGHEST_PEAK_DBFS,
    TARGET_DBFS,
    BadSound,
    Samples,
    active_level,
    from_alaw,
    from_wav,
    levelled,
    measure,
    read_sound,
    resampled,
    to_alaw,
    to_wav,
    trimmed,
)


def tone(hertz: float, seconds: float, *, rate_hz: int = 8000, size: float = 0.5) -> Samples:
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    return (size * np.sin(2 * np.pi * hertz * at)).astype(np.float32)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * 8000), np.float32)


@pytest.mark.parametrize(
    ("byte", "value"),
    # ITU-T G.711, table 1a: the smallest, the largest, and one of a middle segment.
    [(0xD5, 8), (0x55, -8), (0xAA, 32256), (0x2A, -32256), (0x80, 5504), (0x00, -5504)],
)
def test_a_law_bytes_have_the_values_of_the_standard(byte: int, value: int) -> None:
    assert round(float(from_alaw(bytes([byte]))[0]) * 32768) == value


def test_every_a_law_byte_survives_decoding_and_encoding() -> None:
    every = bytes(range(256))
    assert to_alaw(from_alaw(every)) == every


def test_a_law_error_is_below_a_thirtieth_of_the_sample() -> None:
    samples = np.linspace(-0.98, 0.98, 5001).astype(np.float32)
    error = np.abs(from_alaw(to_alaw(samples)) - samples)
    assert np.all(error <= np.maximum(np.abs(samples) / 30, 10 / 32768))


def test_a_full_scale_sine_is_three_decibels_below_full_scale() -> None:
    assert active_level(tone(400, 1, size=1.0)) == pytest.approx(-3.01, abs=0.05)


def test_pauses_do_not_count_for_the_level() -> None:
    spoken = tone(400, 1)
    paused = np.concatenate([silence(2), spoken, silence(3)])
    assert active_level(paused) == pytest.approx(active_level(spoken), abs=0.1)


@pytest.mark.parametrize("size", [0.001, 0.02, 0.9])
def test_levelling_reaches_the_target_from_anywhere(size: float) -> None:
    found = measure(levelled(tone(300, 0.5, size=size)))
    assert found.active_dbfs == pytest.approx(TARGET_DBFS, abs=0.1)
    assert found.clipped == 0


def test_high_peaks_are_bent_below_the_limit() -> None:
    rng = np.random.default_rng(7)
    spiky = tone(300, 1, size=0.02)
    spiky[rng.integers(0, len(spiky), 20)] = 1.0
    found = measure(levelled(spiky))
    assert found.peak_dbfs <= HIGHEST_PEAK_DBFS
    assert found.clipped == 0


def test_levelling_leaves_silence_alone() -> None:
    assert not levelled(silence(1)).any()


def test_cut_off_sound_is_counted_as_clipped() -> None:
    loud = np.clip(tone(300, 0.1, size=3.0), -1, 1)
    assert measure(from_alaw(to_alaw(loud))).clipped > 100


def test_trimming_leaves_a_little_silence_at_each_end() -> None:
    kept = trimmed(np.concatenate([silence(1), tone(300, 0.5), silence(1)]), 8000, lead_s=0.03, tail_s=0.06)
    assert len(kept) / 8000 == pytest.approx(0.59, abs=0.03)
    assert kept[0] == 0
    assert kept[-1] == 0


def test_trimming_silence_gives_nothing() -> None:
    assert len(trimmed(silence(1), 8000)) == 0


@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 44_100, 48_000])
def test_other_rates_become_eight_kilohertz(rate_hz: int) -> None:
    got = resampled(tone(1000, 1.3, rate_hz=rate_hz), rate_hz, 8000)
    wanted = tone(1000, 1.3)
    assert len(got) == len(wanted)
    assert np.abs(got - wanted)[400:-400].max() < 0.02


def test_what_eight_kilohertz_cannot_hold_is_taken_out() -> None:
    got = resampled(tone(5000, 1, rate_hz=24_000), 24_000, 8000)
    assert np.abs(got)[400:-400].max() < 0.01


def test_wav_round_trip_keeps_rate_and_sound() -> None:
    samples, rate_hz = from_wav(to_wav(tone(440, 0.2, rate_hz=16_000), 16_000))
    assert rate_hz == 16_000
    assert np.abs(samples - tone(440, 0.2, rate_hz=16_000)).max() < 1e-4


def test_a_law_in_a_wav_file_is_read() -> None:
    body = to_alaw(tone(440, 0.1))
    head = b"RIFF" + (36 + len(body)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    head += b"\x06\x00\x01\x00" + (8000).to_bytes(4, "little") * 2 + b"\x01\x00\x08\x00"
    samples, rate_hz = read_sound(head + b"data" + len(body).to_bytes(4, "little") + body)
    assert rate_hz == 8000
    assert to_alaw(samples) == body


@pytest.mark.parametrize("data", [b"", b"RIFF", b"RIFF____WAVE", b"RIFF" + b"\x00" * 60, to_wav(tone(440, 0.1))[:20]])
def test_what_is_no_sound_is_refused(data: bytes) -> None:
    with pytest.raises(BadSound):
        read_sound(data)


def test_a_wav_that_breaks_off_gives_what_is_there() -> None:
    whole = to_wav(tone(440, 1))
    samples, _ = from_wav(whole[: len(whole) // 2 + 1])
    assert 3900 <= len(samples) <= 4000
