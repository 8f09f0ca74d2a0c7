"""Tight boxes: from where the recogniser saw characters to where the ink of each word ends.

Works on one upright line image. CTC says where characters stand to about half a character; the ink between two words
says exactly where one ends and the next begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from heliograph.perception.detection import Image

TALLEST = 64
"""Lines are looked at no taller than this many pixels; finer edges than 1/64 of a line's height serve nobody."""

Rectangle = tuple[float, float, float, float]
"""Left, top, right, bottom as fractions of a line image."""


def tighten(mask: NDArray[np.bool_], spans: Sequence[tuple[float, float]], pitch: float) -> list[Rectangle]:
    """A rectangle around the ink of each word of a line; `mask` is its `ink`.

    `spans` are the centres of each word's first and last character and `pitch` the width of a character, all as
    fractions of the line's width. Where the ink makes no sense (none there, or far less wide than the characters
    say), the rectangle follows the characters and the full height.
    """
    height, width = mask.shape
    columns = np.asarray(mask.any(axis=0))
    cuts = [_start(columns, spans[0][0], pitch)]
    cuts += [_gap(columns, before[1], after[0]) for before, after in pairwise(spans)]
    cuts.append(width - _start(columns[::-1], 1 - spans[-1][1], pitch))
    rectangles: list[Rectangle] = []
    for (first, last), left, right in zip(spans, cuts[:-1], cuts[1:], strict=True):
        fallback = (max(0.0, first - pitch / 2), 0.0, min(1.0, last + pitch / 2), 1.0)
        inked = np.flatnonzero(columns[left:right])
        if not inked.size:
            rectangles.append(fallback)
            continue
        x0, x1 = left + int(inked[0]), left + int(inked[-1]) + 1
        rows = _rows(mask[:, x0:x1])
        if rows is None or (x1 - x0) / width < 0.6 * (last - first):
            rectangles.append(fallback)
        else:
            rectangles.append((x0 / width, rows[0] / height, x1 / width, rows[1] / height))
    return rectangles


def ink(line: Image) -> NDArray[np.bool_]:
    """Where an RGB line image has ink, rows x columns, at most `TALLEST` rows; rules and underlines are left out."""
    grey = cv2.cvtColor(line, cv2.COLOR_RGB2GRAY)
    if grey.shape[0] > TALLEST:
        grey = cv2.resize(grey, (max(1, round(grey.shape[1] * TALLEST / grey.shape[0])), TALLEST), interpolation=cv2.INTER_AREA)
    _, binary = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    mask = binary > 0
    if mask.mean() > 0.5:  # light text on dark
        mask = ~mask
    # rules of a table and underlines run through the whole line image; strokes of text never do
    mask[mask.mean(axis=1) > 0.9] = False
    mask[:, mask.mean(axis=0) > 0.97] = False
    return mask


def _start(columns: NDArray[np.bool_], centre: float, pitch: float) -> int:
    """The first column to look at for a word whose first character stands at `centre`: at a gap, one and a half characters out at most."""
    width = len(columns)
    inside = int(centre * width)
    floor = max(0, int((centre - 1.5 * pitch) * width))
    near = max(floor, int((centre - 0.5 * pitch) * width))
    empty = np.flatnonzero(~columns[floor : near + 1])
    return floor + int(empty[-1]) if empty.size else min(floor, inside)


def _gap(columns: NDArray[np.bool_], before: float, after: float) -> int:
    """The middle of the widest inkless run between two characters' centres, or halfway."""
    width = len(columns)
    left, right = int(before * width), max(int(before * width) + 1, int(after * width))
    best, best_length, start = (left + right) // 2, 0, -1
    for column in range(left, min(right + 1, width)):
        if columns[column]:
            start = -1
            continue
        if start < 0:
            start = column
        if column - start + 1 > best_length:
            best_length = column - start + 1
            best = start + best_length // 2
    return best


def _rows(mask: NDArray[np.bool_]) -> tuple[int, int] | None:
    """Top and bottom of the band of rows with the most ink; small gaps, as under the dot of an i, do not end a band."""
    counts = mask.sum(axis=1)
    inked = np.flatnonzero(counts)
    if not inked.size:
        return None
    bands = np.split(inked, np.flatnonzero(np.diff(inked) > max(2, 0.15 * len(counts))) + 1)
    band = max(bands, key=lambda rows: int(counts[rows].sum()))
    return int(band[0]), int(band[-1]) + 1
