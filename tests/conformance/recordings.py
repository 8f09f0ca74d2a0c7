"""Recordings for the clients: the first words of "A Tale of Two Cities", alone and over three slides.

The reading comes with the package of the embedded speech engine.
"""

from __future__ import annotations

import wave
from importlib.resources import files
from pathlib import Path

import numpy as np

from tests.unit.recordings import films, recorded

SECONDS = 8.5  # up to a pause
RATE = 48_000
SLIDES = (
    (("Quarterly review", "Revenue grew"), "white"),
    (("Next steps", "Phone: 212-555-0134"), "lightblue"),
    (("Thank you", "Questions?"), "orange"),
)
FPS = 5


def spoken() -> recorded.Samples:
    """ "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness"."""
    with wave.open(str(files("moonshine_voice") / "assets" / "two_cities.wav")) as reading:
        assert (reading.getframerate(), reading.getnchannels(), reading.getsampwidth()) == (RATE, 1, 2)
        return np.frombuffer(reading.readframes(round(SECONDS * RATE)), "<i2")


def call(folder: Path) -> Path:
    """The words as an MP3."""
    return recorded.write(folder / "call.mp3", sound=spoken(), rate=RATE, audio="libmp3lame")


def talk(folder: Path) -> Path:
    """The words and the slides as an MP4, each slide for a third of the time."""
    each = round(SECONDS * FPS / len(SLIDES))
    slides = [films.slide(lines, size=(640, 360), letters=32, paper=paper) for lines, paper in SLIDES]
    pictures = [picture for slide in slides for picture in films.hold(slide, each)]
    return recorded.write(folder / "recording.mp4", sound=spoken(), rate=RATE, pictures=pictures, fps=FPS)


def silent_film(folder: Path) -> Path:
    """The slides without sound."""
    slides = [films.slide(lines, size=(640, 360), letters=32, paper=paper) for lines, paper in SLIDES]
    return recorded.write(folder / "silent.mp4", pictures=[picture for slide in slides for picture in films.hold(slide, FPS)], fps=FPS)
