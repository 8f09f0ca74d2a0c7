"""A film of ten seconds with two slides, in which somebody speaks (Beckett's words, from moonshine-voice's wheel), and its sound alone."""

from __future__ import annotations

import io
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import moonshine_voice
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tests.unit.filming import films

SPOKEN = Path(moonshine_voice.__file__).parent / "assets" / "beckett.wav"
"""`Ever tried. Ever failed. No matter. Try again. Fail again. Fail better.`, 9.96 s."""
SLIDES = ("Quarterly budget 2026", "Thank you")
"""The first up to 5 s, the second from there on."""
FPS = 5


@cache
def speech() -> bytes:
    """The sound alone, as WAV."""
    return SPOKEN.read_bytes()


@cache
def talk(form: str = "mp4", first: str = SLIDES[0]) -> bytes:
    """The film, in this container, with these words on its first slide."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"talk.{form}"
        opened: Any = av.open(str(path), "w")
        source: Any = av.open(str(SPOKEN))
        with opened as out, source as heard:
            video: Any = out.add_stream("libx264", rate=FPS, options={"g": "10", "bf": "0", "crf": "18"})
            video.width, video.height, video.pix_fmt = 480, 270, "yuv420p"
            audio: Any = out.add_stream("aac", rate=16_000, layout="mono")
            for number in range(10 * FPS):
                frame: Any = av.VideoFrame.from_ndarray(_slide(first if number < 5 * FPS else SLIDES[1]), "rgb24")
                out.mux(video.encode(frame))
            out.mux(video.encode(None))
            for block in heard.decode(audio=0):
                block.time_base, block.pts = Fraction(1, 16_000), block.pts
                out.mux(audio.encode(block))
            out.mux(audio.encode(None))
        return path.read_bytes()


@cache
def short() -> bytes:
    """Another film, of one second and without sound."""
    with TemporaryDirectory() as folder:
        return films.film(Path(folder) / "short.mp4", frames=10, fps=10, sound=False).read_bytes()


@cache
def photo() -> bytes:
    """A picture."""
    sink = io.BytesIO()
    Image.linear_gradient("L").save(sink, "JPEG")
    return sink.getvalue()


@cache
def _slide(words: str) -> Any:
    picture = Image.new("RGB", (480, 270), (245, 245, 240) if "budget" in words else (30, 40, 90))
    ink = (20, 20, 20) if "budget" in words else (240, 240, 240)
    ImageDraw.Draw(picture).text((30, 100), words, font=ImageFont.load_default(36), fill=ink)
    return np.asarray(picture)
