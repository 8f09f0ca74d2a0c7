"""Ruling lines on a page image: long, thin, straight strokes, horizontal and vertical."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from heliograph.media.geometry import Box
from heliograph.perception.detection import Image

SHORTEST = 0.02
"""Least length of a rule, as a fraction of the page's longer side."""
LONGEST_SIDE = 1600
"""Images are looked at no larger than this."""
DARK = 120
"""Mean grey of a neighbourhood below which it is a dark area."""


def find_rules(image: Image, page: int = 0, *, words: Sequence[Box] = ()) -> list[Box]:
    """The rules of an upright RGB `image`, as thin boxes: wider than tall are horizontal, the others vertical.

    What lies within one of the boxes of `words` is a stroke of a letter.

    Opening a local threshold of the image with long thin bars keeps strokes that are straight for at least a bar's length;
    what remains thicker than a stroke is a filled area and no rule.
    """
    height, width = image.shape[:2]
    scale = min(1.0, LONGEST_SIDE / max(height, width))
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    ink = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 15, 10)
    # between letters that are white on dark stand dark strokes; a rule has light around it
    ink[cv2.blur(grey, (31, 31)) < DARK] = 0
    shortest = max(20, round(SHORTEST * max(grey.shape)))
    boxes: list[Box] = []
    for across in (True, False):
        for x, y, w, h in _strokes(np.asarray(ink, dtype=np.uint8), shortest, across=across):
            boxes.append(Box.from_xyxy(x, y, x + w, y + h, width=grey.shape[1], height=grey.shape[0], page=page))
    return _outside(boxes, words)


def _outside(rules: list[Box], words: Sequence[Box]) -> list[Box]:
    """The rules of which no word covers three quarters."""
    if not rules or not words:
        return rules
    a = np.array([(box.x, box.y, box.x1, box.y1) for box in rules])[:, None]
    b = np.array([(box.x, box.y, box.x1, box.y1) for box in words])[None]
    shared = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None).prod(axis=2).max(axis=1)
    return [box for box, common in zip(rules, shared.tolist(), strict=True) if common <= 0.75 * box.area]


def _strokes(ink: NDArray[np.uint8], shortest: int, *, across: bool) -> list[tuple[int, int, int, int]]:
    bar = (shortest, 1) if across else (1, shortest)
    gap = max(3, shortest // 6)
    bridge = (gap, 1) if across else (1, gap)
    mask = cv2.morphologyEx(ink, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_RECT, bar))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_RECT, bridge))
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found: list[tuple[int, int, int, int]] = []
    for x, y, w, h in map(cv2.boundingRect, contours):
        length, thickness = (w, h) if across else (h, w)
        if length >= shortest and thickness <= max(6, length // 12):
            found.append((x, y, w, h))
    return found
