"""What a text line says, and where each character of it stands: the PP-OCR recogniser and CTC decoding.

The network gives, for every 8 pixels of a line 48 pixels high, a distribution over its characters. CTC takes the best
of each column and drops repeats; the column of a character is where it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import msgspec
import numpy as np

from heliograph.perception.detection import Image
from heliograph.perception.inference import Array, Network

HEIGHT = 48
BUCKET = 64
LONGEST = 3200
"""Pixels at which a longer line is squeezed."""
SPACE_AT_LEAST = 0.05
"""A space that lost its column but had this much of it is put back. See bench/reading.py."""


class Glyphs(msgspec.Struct, gc=False):
    """A recognised line. `centres` are fractions of the line image's width, one for each character of `text`."""

    text: str
    scores: list[float]
    centres: list[float]

    @property
    def score(self) -> float:
        """Mean over the characters that are not spaces, 0 for an empty line."""
        marks = [score for char, score in zip(self.text, self.scores, strict=True) if char != " "]
        return sum(marks) / len(marks) if marks else 0.0


class Recogniser:
    """Reads line images with `network`, whose metadata must hold its characters."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._characters = ["", *network.metadata["character"].splitlines(), " "]

    def read(self, lines: Sequence[Image]) -> list[Glyphs]:
        """The text on each of `lines`, upright line images with 3 channels."""
        found = [Glyphs("", [], []) for _ in lines]
        filled = [1.0] * len(lines)
        # by width, so that the runtime meets each shape once in a row
        order = sorted(range(len(lines)), key=lambda number: lines[number].shape[1] / lines[number].shape[0])

        def prepared() -> Iterator[Array]:
            for number in order:
                batch, filled[number] = _batch(lines[number])
                yield batch

        def take(position: int, output: Array) -> None:
            number = order[position]
            found[number] = self._decode(output[0], filled[number])

        self._network.each(prepared(), take)
        return found

    def _decode(self, columns: Array, filled: float) -> Glyphs:
        best = columns.argmax(axis=1)
        spaces = columns[:, -1]
        total = len(best) * filled
        text: list[str] = []
        scores: list[float] = []
        centres: list[float] = []
        previous, last = 0, -1
        for column, index in enumerate(map(int, best)):
            if index not in {0, previous}:
                char = self._characters[index]
                lost = float(spaces[last + 1 : column].max(initial=0.0)) if last >= 0 else 0.0
                if lost >= SPACE_AT_LEAST and char != " " and text[-1] != " ":
                    text.append(" ")
                    scores.append(lost)
                    centres.append((last + column + 1) / 2 / total)
                text.append(char)
                scores.append(float(columns[column, index]))
                centres.append(min(1.0, (column + 0.5) / total))
                last = column
            elif index != 0:
                # a repeat belongs to the character before it: its centre moves half a column on
                centres[-1] = min(1.0, (centres[-1] * total + 0.5) / total)
                last = column
            previous = index
        return Glyphs(_plain("".join(text)), scores, centres)


def _batch(line: Image) -> tuple[Array, float]:
    """A line as the network wants it, and the share of its width that the line fills."""
    height, width = line.shape[:2]
    scaled = min(LONGEST, max(8, round(width * HEIGHT / height)))
    shrinks = height > 1.5 * HEIGHT
    small = cv2.resize(line, (scaled, HEIGHT), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    bucket = max(2, -(-scaled // BUCKET)) * BUCKET
    batch = np.zeros((1, 3, HEIGHT, bucket), np.float32)
    batch[0, :, :, :scaled] = (small.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)
    return batch, scaled / bucket


FULL_WIDTH = (
    {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | dict.fromkeys(map(ord, "一ー―"), "-") | {ord("。"): ".", ord("、"): ","}
)


def _plain(text: str) -> str:
    """In a line without a Han, kana or hangul letter, what looks like an ASCII mark is one: the recogniser also knows their wide twins."""
    asian = sum("\u3040" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7af" for char in text if char not in "一ー")
    return text if asian else text.translate(FULL_WIDTH)
