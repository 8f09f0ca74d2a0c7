"""What a text line says, and where each character of it stands: the PP-OCR recogniser and CTC decoding.

The network gives, for every 8 pixels of a line 48 pixels high, a distribution over its characters. CTC takes the best
of each column and drops repeats; the column of a character is where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from heliograph.perception.detection import Image
from heliograph.perception.inference import Array, Network

HEIGHT = 48
BUCKET = 64
LONGEST = 3200
"""Pixels at which a longer line is squeezed."""
POINT = 0.02
"""A point between two digits that lost its column but had this much of it is put back: on 60 receipts 16 of 26 lost points, and none
that was not printed (2026-11-21)."""
DOUBTFUL = 0.95
"""A score below which a character keeps what else it may be."""
ELSE = 0.05
"""Least score of what else a character may be."""


class Glyphs(msgspec.Struct, gc=False):
    """A recognised line, its blanks left out. One entry of each list for each character of `text`.

    `centres` are fractions of the line image's width. `blanks` say how much (0 to 1) of a blank stood before the character, and
    `others` what else it may be, with scores, where the reader was in doubt.
    """

    text: str
    scores: list[float]
    centres: list[float]
    blanks: list[float]
    others: list[dict[str, float]]

    @property
    def score(self) -> float:
        """Mean over the characters, 0 for an empty line."""
        return sum(self.scores) / len(self.scores) if self.scores else 0.0


class Recogniser:
    """Reads line images with `network`, whose metadata must hold its characters."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._characters = ["", *network.metadata["character"].splitlines(), " "]
        self._point = self._characters.index(".") if "." in self._characters else 0

    def read(self, lines: Sequence[Image]) -> list[Glyphs]:
        """The text on each of `lines`, upright line images with 3 channels."""
        found = [Glyphs("", [], [], [], []) for _ in lines]
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
        total = len(columns) * filled
        glyphs = Glyphs("", [], [], [], [])
        end, restored = 0, list[int]()
        for index, first, last in _runs(columns.argmax(axis=1)):
            char = self._characters[index]
            if char == " ":
                continue
            between = columns[end:first]
            blank = float(between[:, -1].max(initial=0.0)) if glyphs.text else 0.0
            point = float(between[:, self._point].max(initial=0.0)) if glyphs.text[-1:].isdigit() and char.isdigit() else 0.0
            if point >= POINT:
                restored.append(len(glyphs.text))
                _add(glyphs, ".", point, (end + first) / 2 / total, 0.0, {})
                blank = 0.0
            score = float(columns[first, index])
            others = self._others(columns[first : last + 1].max(axis=0), index) if score < DOUBTFUL else {}
            _add(glyphs, char, score, (first + last + 1) / 2 / total, blank, others)
            end = last + 1
        for at in reversed(restored):
            if second_point(glyphs.text, at):
                _drop(glyphs, at)
        return _plain(glyphs)

    def _others(self, column: Array, index: int) -> dict[str, float]:
        likely = np.flatnonzero(column[1:-1] >= ELSE) + 1
        return {self._characters[other]: float(column[other]) for other in map(int, likely) if other != index}


def second_point(text: str, at: int) -> bool:
    """Whether the number around `text[at]` has a decimal mark besides that point, and is no date: `1.4.50`, not `27.03.2018`."""
    before, after = _BEFORE.search(text[:at]), _AFTER.match(text, at + 1)
    number = (before[0] if before else "") + "." + (after[0] if after else "")
    return sum(mark in ".," for mark in number) > 1 and not _DATE.fullmatch(number)


_BEFORE, _AFTER = re.compile(r"[\d.,]*$"), re.compile(r"[\d.,]*")
_DATE = re.compile(r"\d{1,2}\.\d{2}\.(?:\d{2}|\d{4})|\d{4}\.\d{2}\.\d{2}")


def _drop(glyphs: Glyphs, at: int) -> None:
    glyphs.text = glyphs.text[:at] + glyphs.text[at + 1 :]
    for values in (glyphs.scores, glyphs.centres, glyphs.blanks, glyphs.others):
        del values[at]


def _runs(best: NDArray[np.intp]) -> list[tuple[int, int, int]]:
    """What CTC emits: number of the character, first and last column."""
    starts = np.flatnonzero(np.diff(best, prepend=-1))
    ends = [*(starts[1:] - 1), len(best) - 1]
    return [(int(best[start]), int(start), int(end)) for start, end in zip(starts, ends, strict=True) if best[start]]


def _add(glyphs: Glyphs, char: str, score: float, centre: float, blank: float, others: dict[str, float]) -> None:
    glyphs.text += char
    glyphs.scores.append(score)
    glyphs.centres.append(min(1.0, centre))
    glyphs.blanks.append(blank)
    glyphs.others.append(others)


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


def _plain(glyphs: Glyphs) -> Glyphs:
    """In a line without a Han, kana or hangul letter, what looks like an ASCII mark is one: the recogniser also knows their wide twins."""
    if any("\u3040" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7af" for char in glyphs.text if char not in "一ー"):
        return glyphs
    glyphs.text = glyphs.text.translate(FULL_WIDTH)
    for number, (char, others) in enumerate(zip(glyphs.text, glyphs.others, strict=True)):
        narrow: dict[str, float] = {}
        for other, score in others.items():
            plain = other.translate(FULL_WIDTH)
            narrow[plain] = narrow.get(plain, 0.0) + score
        glyphs.scores[number] = min(1.0, glyphs.scores[number] + narrow.pop(char, 0.0))
        glyphs.others[number] = narrow
    return glyphs
