"""Where text lines are on an image: the PP-OCR detector (a differentiable-binarisation network) and its post-processing.

Thresholds are PP-OCRv6's own (PaddleOCR, Apache-2.0: `det_db_thresh` .3, `det_db_box_thresh` .5, `det_db_unclip_ratio` 1.6
and a 2x2 dilation).
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from heliograph.perception.inference import Array, Network

Image = NDArray[np.uint8]
Quad = NDArray[np.float32]
"""Four corners `(x, y)` in pixels: top left, top right, bottom right, bottom left of the text as it is read."""

THRESHOLD = 0.3
BOX_THRESHOLD = 0.5
UNCLIP = 1.6
BUCKET = 128
"""Sides are padded to multiples of this, so that the runtime sees few shapes and its memory stays flat."""
MOST_LINES = 2000


def content(image: Image) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is on the paper, with a margin; the whole image unless that is much larger.

    The detector weighs each spot against the whole picture and overlooks a line or two on a large white page.
    """
    height, width = image.shape[:2]
    step = max(1, min(height, width) // 500)
    grey = cv2.cvtColor(cv2.erode(image, np.ones((step, step), np.uint8)), cv2.COLOR_RGB2GRAY)[::step, ::step]
    marked = cv2.absdiff(grey, np.full_like(grey, int(np.median(grey)))) > 40
    rows, columns = np.flatnonzero(marked.any(axis=1)), np.flatnonzero(marked.any(axis=0))
    if not rows.size:
        return 0, 0, width, height
    margin = max(24, min(height, width) // 40)
    left, right = max(0, int(columns[0]) * step - margin), min(width, (int(columns[-1]) + 1) * step + margin)
    top, bottom = max(0, int(rows[0]) * step - margin), min(height, (int(rows[-1]) + 1) * step + margin)
    return (left, top, right, bottom) if (right - left) * (bottom - top) < 0.6 * width * height else (0, 0, width, height)


def detect(network: Network, image: Image, side: int) -> list[Quad]:
    """The text lines of an RGB `image`, its longer side shrunk to at most `side` pixels; quads in the pixels of `image`."""
    left, top, right, bottom = content(image)
    quads = _detect(network, image[top:bottom, left:right], side)
    return [quad + np.array([left, top], np.float32) for quad in quads]


def _detect(network: Network, image: Image, side: int) -> list[Quad]:
    height, width = image.shape[:2]
    scale = min(1.0, side / max(height, width))
    small_w, small_h = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, (small_w, small_h), interpolation=cv2.INTER_AREA) if scale < 1 else image
    padded: Any = np.full((_bucket(small_h), _bucket(small_w), 3), 255, np.uint8)
    padded[:small_h, :small_w] = small
    batch = (padded.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]
    heat = network(np.ascontiguousarray(batch))[0][0, 0, :small_h, :small_w]
    return [np.clip(quad / scale, 0, (width, height)).astype(np.float32) for quad in _quads(heat)]


def _bucket(side: int) -> int:
    return max(1, -(-side // BUCKET)) * BUCKET


def _quads(heat: Array) -> list[Quad]:
    mask = cv2.dilate((heat > THRESHOLD).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    quads: list[Quad] = []
    for contour in contours[:MOST_LINES]:
        (cx, cy), (w, h), angle = cv2.minAreaRect(contour)
        if min(w, h) < 3 or _score(heat, contour) < BOX_THRESHOLD:
            continue
        # The network shrinks text by its area over its perimeter; the same distance grows it back (for a rectangle, exactly).
        grow = w * h * UNCLIP / (2 * (w + h)) * 2
        if min(w, h) + grow < 5:
            continue
        quads.append(corners(np.asarray(cv2.boxPoints(((cx, cy), (w + grow, h + grow), angle)), dtype=np.float32)))
    return quads


def _score(heat: Array, contour: Any) -> float:
    x, y, w, h = cv2.boundingRect(contour)
    mask = np.zeros((h, w), np.uint8)
    box = np.asarray(cv2.boxPoints(cv2.minAreaRect(contour)), dtype=np.int32) - (x, y)
    cv2.fillPoly(mask, [box.astype(np.int32)], [1])
    return float(cv2.mean(heat[y : y + h, x : x + w], mask)[0])


def corners(points: Quad) -> Quad:
    """Order four corners as a `Quad`: those on the left first, each side from the top."""
    by_x = points[np.argsort(points[:, 0], kind="stable")]
    left, right = by_x[:2], by_x[2:]
    top_left, bottom_left = left[np.argsort(left[:, 1], kind="stable")]
    top_right, bottom_right = right[np.argsort(right[:, 1], kind="stable")]
    return np.array([top_left, top_right, bottom_right, bottom_left], dtype=np.float32)


def sides(quad: Quad) -> tuple[float, float]:
    """Width (along the top edge) and height of a quad, in pixels."""
    width = max(np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[2] - quad[3]))
    height = max(np.linalg.norm(quad[3] - quad[0]), np.linalg.norm(quad[2] - quad[1]))
    return float(width), float(height)
