"""Who speaks when: voices are told apart, not recognised.

The networks are those of pyannote's pipeline community-1 (CC-BY-4.0; H. Bredin, pyannote.audio 2.1 speaker diarization pipeline, 2023): one
marks up to three speakers in ten seconds of sound, one makes 256 numbers of each that are alike for the same voice (WeSpeaker's ResNet34;
H. Wang and others, 2023). The package moonshine-voice holds them in its library, as ONNX Runtime keeps networks; none of its code is run.
What is alike over the whole recording is then one speaker.
"""

from __future__ import annotations

import mmap
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from heliograph.errors import NotConfigured
from heliograph.media.recording import SAMPLE_RATE
from heliograph.perception.speech.hearing import Voice
from heliograph.perception.weights import SPEAKERS, weights

ort: Any = onnxruntime  # its types know nothing of its module's members
Array = NDArray[np.float32]

SECONDS = 10.0
"""Of the sound that the first network looks at."""
MARK = b"ORTM"
"""In bytes 4 to 7 of a network in ONNX Runtime's own format."""
LARGEST = 32 << 20
BINS, LENGTH, SHIFT, SIZE = 80, 400, 160, 512
"""Of the spectrogram: mel bins, samples of a frame, between two, and of the transform."""
LEAST = 0.25
"""Seconds of a turn."""
ENOUGH = 1.5
"""Seconds of a voice alone from which its numbers can be relied on."""
APART = 0.6
"""Cosine distance from which two groups of voices are two speakers, on average over their pairs. Of 15 people in 14 recordings one voice
was at most .37 from itself, and two from different people at least .64 (2026-11)."""
CLUSTERED = 1500
"""Voices that are compared each with each: over an hour's. Later ones join the nearest of the groups that were found."""


class Speakers:
    """The networks, loaded: 15 MB."""

    def __init__(self, threads: int) -> None:
        """Raises NotConfigured when the package that holds the networks is not installed, or is another version."""
        self._turns, self._print = _networks(weights(*SPEAKERS), threads)

    def find(self, sound: Array) -> list[Voice]:
        """The voices in `sound` (16 kHz, -1 to 1), ten seconds by ten seconds."""
        found: list[Voice] = []
        step = int(SECONDS * SAMPLE_RATE)
        for at in range(0, len(sound), step):
            if len(sound) - at >= LEAST * SAMPLE_RATE:
                found += self._within(sound[at : at + step], at / SAMPLE_RATE)
        return found

    def _within(self, sound: Array, offset: float) -> list[Voice]:
        whole = np.pad(sound, (0, int(SECONDS * SAMPLE_RATE) - len(sound)))
        active = self._turns.run(None, {"waveforms": whole[None, None]})[0][0] > 0.5
        frame = SECONDS / len(active)
        active = active[: max(1, int(len(sound) / SAMPLE_RATE / frame))]
        spectrogram = _spectrogram(sound)
        found: list[Voice] = []
        for speaker in range(active.shape[1]):
            speaks = active[:, speaker]
            turns = [(first * frame + offset, last * frame + offset) for first, last in _runs(speaks) if (last - first) * frame >= LEAST]
            if not turns or len(spectrogram) == 0:
                continue
            alone = speaks & (active.sum(axis=1) == 1)
            counted = alone if alone.sum() * frame >= LEAST else speaks
            places = np.minimum((np.arange(len(spectrogram)) + 0.5) * len(counted) / len(spectrogram), len(counted) - 1).astype(int)
            chosen = counted[places].astype(np.float32)
            numbers = self._print.run(None, {"fbank": spectrogram[None], "weights": chosen[None]})[0][0]
            seconds = round(float(alone.sum()) * frame, 3)
            if np.isfinite(numbers).all():
                found.append(Voice([(round(a, 3), round(b, 3)) for a, b in turns], seconds, numbers.astype("<f4").tobytes()))
        return found


def grouped(voices: list[Voice]) -> list[int]:
    """The number of the speaker of each voice, in the order in which they begin to speak. Turns are in the time of the recording."""
    if not voices:
        return []
    prints = np.stack([np.frombuffer(voice.print, "<f4") for voice in voices]).astype(np.float32)
    prints /= np.maximum(np.linalg.norm(prints, axis=1, keepdims=True), np.float32(1e-9))
    reliable = [n for n, voice in enumerate(voices) if voice.alone >= ENOUGH][:CLUSTERED] or list(range(min(len(voices), CLUSTERED)))
    groups = _merged(prints[reliable])
    middles = np.stack([prints[[reliable[n] for n in group]].mean(axis=0) for group in groups])
    middles /= np.maximum(np.linalg.norm(middles, axis=1, keepdims=True), np.float32(1e-9))
    own = {reliable[n]: number for number, group in enumerate(groups) for n in group}
    numbers = [own.get(n, int((middles @ prints[n]).argmax())) for n in range(len(voices))]
    first = sorted(range(len(voices)), key=lambda n: voices[n].turns[0])
    order = {number: place for place, number in enumerate(dict.fromkeys(numbers[n] for n in first))}
    return [order[number] for number in numbers]


def _merged(prints: Array) -> list[list[int]]:
    """Groups of prints: the two nearest, on average over their pairs, become one as long as they are nearer than `APART`."""
    groups = [[n] for n in range(len(prints))]
    distance = 1 - prints @ prints.T
    np.fill_diagonal(distance, np.inf)
    sizes = np.ones(len(prints))
    while len(groups) > 1:
        flat = int(distance.argmin())
        one, other = divmod(flat, len(prints))
        if distance[one, other] >= APART:
            break
        row = (sizes[one] * distance[one] + sizes[other] * distance[other]) / (sizes[one] + sizes[other])
        distance[one], distance[:, one] = row, row
        distance[one, one] = np.inf
        distance[other], distance[:, other] = np.inf, np.inf
        sizes[one] += sizes[other]
        groups[one] += groups[other]
        groups[other] = []
    return [group for group in groups if group]


def _runs(active: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], active, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def _spectrogram(sound: Array) -> Array:
    """Frames x 80: the logarithm of mel bins as Kaldi computes it for WeSpeaker, in Hamming windows of 25 ms, less each bin's mean."""
    if len(sound) < LENGTH:
        return np.zeros((0, BINS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(sound * np.float32(32768), LENGTH)[::SHIFT].astype(np.float64)
    frames = frames - frames.mean(axis=1, keepdims=True)
    frames = frames - 0.97 * np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    power = np.abs(np.fft.rfft(frames * np.hamming(LENGTH), SIZE)) ** 2
    logarithm = np.log(np.maximum(power[:, : SIZE // 2] @ _filters(), np.finfo(np.float32).eps))
    return (logarithm - logarithm.mean(axis=0)).astype(np.float32)


@cache
def _filters() -> NDArray[np.float64]:
    """Frequencies x 80: triangles of equal width on the mel scale, from 20 Hz on."""

    def mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(1127 * np.log(1 + hertz / 700), np.float64)

    lowest, highest = mel(np.array([20.0, SAMPLE_RATE / 2]))
    edges = lowest + np.arange(BINS + 2) * (highest - lowest) / (BINS + 1)
    at = mel(np.arange(SIZE // 2) * SAMPLE_RATE / SIZE)[:, None]
    rising, falling = (at - edges[:-2]) / (edges[1:-1] - edges[:-2]), (edges[2:] - at) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling))


def _networks(library: Path, threads: int) -> tuple[Any, Any]:
    """Of turns and of voices, found in the library by their inputs."""
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 3
    options.enable_cpu_mem_arena = False  # few, large runs: it would only hold on to their memory
    found: dict[str, Any] = {}
    with library.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        at = content.find(MARK)
        while at >= 0 and len(found) < 2:
            after = content.find(MARK, at + 1)
            until = min(at - 4 + LARGEST, len(content) if after < 0 else after - 4)
            try:
                session = ort.InferenceSession(content[at - 4 : until], options, providers=["CPUExecutionProvider"])
                found[session.get_inputs()[0].name] = session
            except Exception:  # noqa: S110 - the mark stands elsewhere too
                pass
            at = after
    if not {"waveforms", "fbank"} <= set(found):
        raise NotConfigured("The package moonshine-voice holds no networks that tell voices apart; Heliograph needs its version 0.0.73.")
    return found["waveforms"], found["fbank"]
