"""Frames fitted to a film's size, with captions and marks laid over them, as planes of brightness and colour. Runs in the child.

Nothing is converted to red, green and blue and back: captions change a tenth of a frame, and the rest passes through as it was decoded.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from av.video.frame import VideoFrame

from heliograph.filming.lettering import Layer

BLACK, GREY = 16, 128
_WEIGHTS = {False: (0.299, 0.114), True: (0.2126, 0.0722)}
"""Of red and blue in brightness: ITU-R BT.601 and, from 720 lines, BT.709."""


def upright(frame: Any, ratio: float) -> tuple[float, float]:
    """Width and height in pixels of a frame as it is shown: upright, its pixels (`ratio` times as wide as high) made square."""
    wide, high = frame.width * ratio, frame.height
    return (high, wide) if frame.rotation % 180 else (wide, high)


class Canvas:
    """Fits frames to `width` x `height` (even). `turn`: degrees clockwise by which a film is turned beside what its frames say."""

    def __init__(self, width: int, height: int, turn: int = 0) -> None:
        self.width, self.height, self._turn = width, height, turn

    def fitted(self, frame: Any, ratio: float, layers: list[Overlay]) -> Any:
        """A frame in 4:2:0 planes, upright, with bars where its shape is another, and with `layers` over it."""
        quarter = (round(frame.rotation / 90) - self._turn // 90) % 4
        shown = (frame.width * ratio, frame.height)
        if quarter % 2:
            shown = shown[::-1]
        scale = min(self.width / shown[0], self.height / shown[1])
        wide, high = _even(shown[0] * scale, self.width), _even(shown[1] * scale, self.height)
        size = (high, wide) if quarter % 2 else (wide, high)
        plain = frame.reformat(width=size[0], height=size[1], format="yuv420p", interpolation="BICUBIC", dst_color_range="MPEG")
        if not quarter and (wide, high) == (self.width, self.height) and not layers:
            return plain
        planes = [np.rot90(plane, quarter) for plane in _planes(plain.to_ndarray(), *size)]
        packed = np.empty((self.height * 3 // 2, self.width), np.uint8)
        left, top = (self.width - wide) // 4 * 2, (self.height - high) // 4 * 2
        for number, (target, plane) in enumerate(zip(_planes(packed, self.width, self.height), planes, strict=True)):
            step = 2 if number else 1
            if (wide, high) != (self.width, self.height):
                target[:] = GREY if number else BLACK
            target[top // step : top // step + plane.shape[0], left // step : left // step + plane.shape[1]] = plane
            for layer in layers:
                layer.over(target, number)
        made: Any = VideoFrame.from_ndarray(packed, format="yuv420p")
        for name in ("color_range", "colorspace", "color_primaries", "color_trc"):
            setattr(made, name, getattr(plain, name))
        return made


class Overlay:
    """A picture in planes, ready to be laid over frames of one size."""

    def __init__(self, drawn: Layer, width: int, height: int) -> None:
        """`width`, `height`: of the frames, even."""
        left, top, pixels = drawn
        left, top = left // 2 * 2, top // 2 * 2
        wide, high = min(pixels.shape[1], width - left), min(pixels.shape[0], height - top)
        padded = np.zeros((high + high % 2, wide + wide % 2, 4), np.float32)
        padded[:high, :wide] = pixels[:high, :wide]
        padded = padded[: (height - top) // 2 * 2, : (width - left) // 2 * 2]
        red, green, blue, opacity = (padded[..., channel] for channel in range(4))
        of_red, of_blue = _WEIGHTS[height >= 720]
        bright = of_red * red + (1 - of_red - of_blue) * green + of_blue * blue
        planes = [
            (bright * 219 / 255 + 16, opacity),
            ((blue - bright) / (2 * (1 - of_blue)) * 224 / 255 + 128, opacity),
            ((red - bright) / (2 * (1 - of_red)) * 224 / 255 + 128, opacity),
        ]
        self._areas: list[tuple[int, int, Any, Any]] = []
        for number, (value, cover) in enumerate(planes):
            step = 1
            if number:
                weight = _halved(cover)
                value, cover, step = np.where(weight > 0, _halved(value * cover) / np.maximum(weight, 1e-6), 128), weight, 2  # noqa: PLW2901
            share = np.rint(cover * (256 / 255)).astype(np.uint16)
            self._areas.append((left // step, top // step, np.rint(value).astype(np.uint16) * share, 256 - share))

    def over(self, plane: Any, number: int) -> None:
        """Lay it over the plane with this number: 0 brightness, 1 and 2 colour."""
        left, top, own, other = self._areas[number]
        place = plane[top : top + own.shape[0], left : left + own.shape[1]]
        place[:] = (place * other + own) >> 8


def _planes(packed: Any, width: int, height: int) -> list[Any]:
    """The three planes that lie one after the other in a 4:2:0 picture."""
    flat = packed.reshape(-1)
    whole, half = width * height, (height // 2, width // 2)
    quarter = half[0] * half[1]
    return [
        flat[:whole].reshape(height, width),
        flat[whole : whole + quarter].reshape(half),
        flat[whole + quarter : whole + 2 * quarter].reshape(half),
    ]


def _halved(plane: Any) -> Any:
    return (plane[::2, ::2] + plane[1::2, ::2] + plane[::2, 1::2] + plane[1::2, 1::2]) / 4


def _even(value: float, most: int) -> int:
    return min(most, max(2, round(value / 2) * 2))
