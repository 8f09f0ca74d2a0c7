"""Where one picture is in another, by normalised correlation. Runs in the child.

J. P. Lewis, Fast Normalized Cross-Correlation, 1995; OpenCV's TM_CCOEFF_NORMED. It finds the same picture at other brightness and contrast
and, over a range of scales, at other sizes; not turned, and not seen from another side.
"""

from __future__ import annotations

from typing import Any

import cv2 as opencv
import numpy as np

from heliograph.errors import InvalidRequest
from heliograph.imaging.orders import Match
from heliograph.media.geometry import Box

cv2: Any = opencv  # its types know nothing of numpy's

LONGEST = 1600
"""Pixels of the longer side of the picture that is looked through."""
SCALES = (1.0, 0.9, 1.1, 0.8, 1.25, 0.7, 1.4, 0.6, 1.6, 0.5, 2.0)
LEAST = 8
"""Pixels of a template's shorter side, where it is looked for."""
FLAT = 3.0
"""Standard deviation in levels of grey below which a template shows nothing that could be told from another place."""
SAME = 0.3
"""Intersection over union from which two finds are one."""


def found(picture: Any, template: Any, *, least: float, most: int, scales: bool) -> list[Match]:
    """Places whose correlation with `template` is `least` or more, the best first, at most `most`. Raises InvalidRequest."""
    shrink = min(1.0, LONGEST / max(picture.size))
    whole = _pixels(picture, shrink)
    if float(np.asarray(template.convert("L"), np.float32).std()) < FLAT:
        raise InvalidRequest(
            "The template is of one colour, so that it could be anywhere; give a picture with something on it.", param="template"
        )
    hits: list[Match] = []
    for scale in SCALES if scales else SCALES[:1]:
        part = _pixels(template, shrink * scale)
        if min(part.shape[:2]) < LEAST or part.shape[0] > whole.shape[0] or part.shape[1] > whole.shape[1]:
            continue
        hits += _hits(whole, part, least, most, scale)
    hits.sort(key=lambda hit: -hit.score)
    kept: list[Match] = []
    for hit in hits:
        if len(kept) < most and all(hit.box.iou(other.box) < SAME for other in kept):
            kept.append(hit)
    return kept


def _hits(whole: Any, part: Any, least: float, most: int, scale: float) -> list[Match]:
    response: Any = np.nan_to_num(cv2.matchTemplate(whole, part, cv2.TM_CCOEFF_NORMED), nan=0.0, posinf=0.0, neginf=0.0)
    high, wide = part.shape[:2]
    hits: list[Match] = []
    while len(hits) < most:
        _, score, _, (x, y) = cv2.minMaxLoc(response)
        if score < least:
            break
        box = Box.from_xyxy(x, y, x + wide, y + high, width=whole.shape[1], height=whole.shape[0])
        hits.append(Match(box, round(min(score, 1.0), 4), scale))
        response[max(0, y - high // 2) : y + high // 2 + 1, max(0, x - wide // 2) : x + wide // 2 + 1] = -1
    return hits


def _pixels(picture: Any, scale: float) -> Any:
    pixels = np.asarray(picture)
    if scale == 1:
        return pixels
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
