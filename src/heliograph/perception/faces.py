"""Faces, by the three networks of MTCNN: K. Zhang and others, Joint Face Detection and Alignment Using Multitask Cascaded Convolutional
Networks, 2016. Where they are, never whose.

The first network proposes boxes on a pyramid of ever smaller copies, the second throws most of them out, the third sees to the rest and
marks eyes, nose and mouth. What it accepts it is shown twice more, framed anew and mirrored: faces stay faces, and other things rarely do.
The networks know upright faces; where there is none, the picture is turned.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2 as opencv
import numpy as np
from numpy.typing import NDArray

from heliograph.media.document import Face
from heliograph.media.geometry import Box
from heliograph.perception.detection import Image
from heliograph.perception.inference import Network, load
from heliograph.perception.options import FACE_SIDE
from heliograph.perception.weights import FACE_CANDIDATES, FACE_MARKS, FACE_REFINEMENT, weights

cv2: Any = opencv  # its types know nothing of numpy's
Array = NDArray[np.float32]

SMALLEST = 16
"""Pixels of a face's side, there, from which it is found."""
STEP = 0.709
"""Between two sizes of the pyramid: half the area, as in the paper."""
CELL, STRIDE = 12, 2
"""Of the first network: pixels that it sees at a time, and between two looks."""
PROPOSED, REFINED, MARKED = 0.6, 0.7, 0.6
"""Least scores in the three networks; the last is low, since two more looks follow."""
LEAST = 0.8
"""Mean of the three looks from which something is a face. It finds 537 of 540 faces from 16 pixels, at every angle, dark, blurred, grey,
noisy and cut tightly, with 3 mistakes in 329 pictures and none in 78 without faces; one look, at .7, makes 25 (docs/design/agents.md)."""
SURE = 0.9
"""Where an upright picture has a face as sure as this, it is not turned."""
MOST = 2_000, 600
"""Boxes that the second and the third network see, the likeliest ones; noise proposes any number."""


class _Found(NamedTuple):
    boxes: Array
    """`n` x 4: left, top, right, bottom in pixels."""
    scores: Array
    marks: Array
    """`n` x 5 x 2, in pixels."""


class FaceFinder:
    """Finds faces. The networks are loaded when it is made: 2 MB, a fifth of a second."""

    def __init__(self, threads: int) -> None:
        """Raises NotConfigured when the networks' package is not installed."""
        self._propose: Network = load(weights(*FACE_CANDIDATES), threads)
        self._refine: Network = load(weights(*FACE_REFINEMENT), threads)
        self._mark: Network = load(weights(*FACE_MARKS), threads)

    def find(self, image: Image, page: int = 0) -> list[Face]:
        """The faces on an RGB `image`, from the left to the right."""
        scale = min(1.0, FACE_SIDE / max(image.shape[:2]))
        if scale < 1:
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        found = self._upright(image)
        if not (found.scores >= SURE).any():
            turns = [_turned_back(self._upright(np.ascontiguousarray(np.rot90(image, turn))), turn, image) for turn in (1, 2, 3)]
            best = max(turns, key=lambda turned: float(turned.scores.sum()))
            if (best.scores >= SURE).any() and best.scores.sum() > found.scores.sum():
                found = best
        height, width = image.shape[:2]
        faces = [
            Face(
                Box.from_xyxy(*(float(edge) for edge in box), width=width, height=height, page=page),
                round(float(score), 4),
                [(_fraction(x, width), _fraction(y, height)) for x, y in marks],
            )
            for box, score, marks in zip(found.boxes, found.scores, found.marks, strict=True)
        ]
        return sorted((face for face in faces if face.box.area > 0), key=lambda face: (face.box.x, face.box.y))

    def _upright(self, image: Image) -> _Found:
        boxes = self._candidates(image)
        if len(boxes):
            moves, chance = self._ask(self._refine, image, boxes, 24)[:2]
            boxes = _kept(boxes, moves, chance, REFINED)
        if not len(boxes):
            return _Found(*(np.zeros(shape, np.float32) for shape in ((0, 4), (0,), (0, 5, 2))))
        boxes = _square(boxes[np.argsort(-boxes[:, 4])[: MOST[1]]])
        moves, chance, marks = self._ask(self._mark, image, boxes, 48)
        accepted = chance > MARKED
        boxes, moves, chance, marks = boxes[accepted], moves[accepted], chance[accepted], marks[accepted]
        wide, high = boxes[:, 2] - boxes[:, 0] + 1, boxes[:, 3] - boxes[:, 1] + 1
        places = np.stack([marks[:, :5] * wide[:, None] + boxes[:, :1], marks[:, 5:] * high[:, None] + boxes[:, 1:2]], axis=2)
        boxes = _moved(boxes, moves)
        boxes[:, 4] = chance
        first = _suppressed(boxes, 0.7, of_smaller=True)
        boxes, places = boxes[first], places[first]
        if len(boxes):
            framed = _square(boxes)
            again = self._ask(self._mark, image, framed, 48)[1]
            mirrored = self._ask(self._mark, image, framed, 48, mirrored=True)[1]
            boxes[:, 4] = (boxes[:, 4] + again + mirrored) / 3
        sure = boxes[:, 4] >= LEAST
        return _Found(boxes[sure, :4], boxes[sure, 4], places[sure].astype(np.float32))

    def _candidates(self, image: Image) -> Array:
        """Boxes, `n` x 5 with their scores, squared."""
        height, width = image.shape[:2]
        found: list[Array] = []
        scale = CELL / SMALLEST
        while min(height, width) * scale >= CELL:
            size = int(np.ceil(width * scale)), int(np.ceil(height * scale))
            small = _signed(cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR))
            answers = self._propose(np.ascontiguousarray(small.transpose(1, 0, 2)[None]))  # the networks see columns first
            moves, chance = _sorted(answers)[:2]
            moves, chance = moves[0].transpose(1, 0, 2), chance[0, :, :, 1].T
            rows, columns = np.nonzero(chance >= PROPOSED)
            if len(rows):
                scores = chance[rows, columns]
                corners = [np.trunc((STRIDE * at + offset) / scale) for offset in (1, CELL) for at in (columns, rows)]
                boxes = np.stack([*corners, scores, *moves[rows, columns].T], axis=1).astype(np.float32)
                boxes = boxes[np.argsort(-scores)[: MOST[0]]]
                found.append(boxes[_suppressed(boxes, 0.5)])
            scale *= STEP
        if not found:
            return np.zeros((0, 5), np.float32)
        boxes = np.concatenate(found)
        boxes = boxes[np.argsort(-boxes[:, 4])[: 2 * MOST[0]]]
        boxes = boxes[_suppressed(boxes, 0.7)][: MOST[0]]
        sides = boxes[:, [2, 3, 2, 3]] - boxes[:, [0, 1, 0, 1]]
        return _square(np.concatenate([boxes[:, :4] + boxes[:, 5:9] * sides, boxes[:, 4:5]], axis=1, dtype=np.float32))

    def _ask(self, network: Network, image: Image, boxes: Array, side: int, *, mirrored: bool = False) -> list[Array]:
        """How boxes are to be moved, the chance that each is a face, and of the third network the marks."""
        cut = np.stack([_signed(_cut(image, box, side)) for box in boxes]).transpose(0, 2, 1, 3)
        moves, chance, *marks = _sorted(network(np.ascontiguousarray(cut[:, ::-1] if mirrored else cut)))
        return [moves, chance[:, 1], *marks]


def _sorted(answers: list[Array]) -> list[Array]:
    """Answers by what they are: 4 numbers a box, 2 chances, 10 of marks. Their order is the runtime's."""
    return sorted(answers, key=lambda answer: {4: 0, 2: 1}.get(answer.shape[-1], 2))


def _signed(pixels: Any) -> Array:
    return (pixels.astype(np.float32) - 127.5) / 128


def _cut(image: Image, box: Array, side: int) -> Any:
    """What is in the box, black where it reaches outside, `side` x `side` pixels."""
    height, width = image.shape[:2]
    left, top, right, bottom = (int(edge) for edge in box[:4])
    part = np.zeros((max(1, bottom - top + 1), max(1, right - left + 1), 3), np.uint8)
    x0, y0, x1, y1 = max(0, left), max(0, top), min(width, right + 1), min(height, bottom + 1)
    if x1 > x0 and y1 > y0:
        part[y0 - top : y1 - top, x0 - left : x1 - left] = image[y0:y1, x0:x1]
    return cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA)


def _kept(boxes: Array, moves: Array, chance: Array, least: float) -> Array:
    likely = chance > least
    boxes, moves = boxes[likely].copy(), moves[likely]
    boxes[:, 4] = chance[likely]
    first = _suppressed(boxes, 0.7)
    return _moved(boxes[first], moves[first])


def _moved(boxes: Array, moves: Array) -> Array:
    boxes = boxes.copy()
    sides = boxes[:, [2, 3, 2, 3]] - boxes[:, [0, 1, 0, 1]] + 1
    boxes[:, :4] += moves * sides
    return boxes


def _square(boxes: Array) -> Array:
    """Squares around the same middles, as wide as the longer side."""
    boxes = boxes.copy()
    wide, high = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    side = np.maximum(wide, high)
    boxes[:, 0] += (wide - side) / 2
    boxes[:, 1] += (high - side) / 2
    boxes[:, 2], boxes[:, 3] = boxes[:, 0] + side, boxes[:, 1] + side
    return boxes


def _suppressed(boxes: Array, most: float, *, of_smaller: bool = False) -> list[int]:
    """Which boxes stay when of those that overlap by more than `most` only the likeliest does: of their union, or of the smaller one."""
    left, top, right, bottom = boxes[:, :4].T
    areas = (right - left + 1) * (bottom - top + 1)
    order, kept = np.argsort(-boxes[:, 4]), list[int]()
    while len(order):
        one, rest = int(order[0]), order[1:]
        kept.append(one)
        wide = np.minimum(right[one], right[rest]) - np.maximum(left[one], left[rest]) + 1
        high = np.minimum(bottom[one], bottom[rest]) - np.maximum(top[one], top[rest]) + 1
        shared = np.clip(wide, 0, None) * np.clip(high, 0, None)
        whole = np.minimum(areas[one], areas[rest]) if of_smaller else areas[one] + areas[rest] - shared
        order = rest[shared <= most * whole]
    return kept


def _turned_back(found: _Found, turn: int, image: Image) -> _Found:
    """What was found on `image` turned counter-clockwise by `turn` quarters, on the image itself."""
    height, width = image.shape[:2]

    def back(points: Array) -> Array:
        x, y = points[..., 0], points[..., 1]
        return np.stack({1: (width - y, x), 2: (width - x, height - y), 3: (y, height - x)}[turn], axis=-1)

    one, other = back(found.boxes[:, :2]), back(found.boxes[:, 2:])
    boxes = np.concatenate([np.minimum(one, other), np.maximum(one, other)], axis=1)
    return _Found(boxes, found.scores, back(found.marks))


def _fraction(at: Any, side: int) -> float:
    return round(min(max(float(at) / side, 0.0), 1.0), 4)
