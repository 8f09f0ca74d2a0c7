"""How a photographed sheet bends, told from the lines of text on it, and its words where they would stand on a flat one.

Recognition reads lines that lean or curve a little; what suffers on a bent sheet is order: rows run into each other, gutters
slant, rules are no rules. So the picture is read as it is, and only *places* are flattened. Two fields of directions are fitted to
the lines, one along them and one down the edges of their columns. Following the first from a spot to the middle of the
page says how high it would stand on a flat sheet, following the second says how far to the right.

Flattening along baselines goes back to Cao, Ding and Liu, "A cylindrical surface model to rectify the bound document image"
(ICCV 2003); the polynomial in place of the cylinder lets creased sheets and perspective through as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, cast

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from heliograph.media.document import Block, Page, Word
from heliograph.media.geometry import Box, union
from heliograph.perception.detection import Image
from heliograph.perception.ocr import ReadLine

Points = NDArray[np.float64]
"""n x 2, in pixels."""

LEAST_LINES = 12
"""Lines from which a bend is believed."""
MOST_LINES = 100
"""Lines that are measured, the longest."""
SUSPICIOUS = 0.012
"""Difference of slopes as the detector saw them (5th to 95th percentile) from which lines are measured. Its boxes lie straight where
text nearly does, so they show that a sheet may be bent, not how."""
LEAST_SPREAD = 0.02
"""Difference of slopes across the page (5th to 95th percentile) from which it is bent; scans of flat sheets stay below .01."""
TALL = 24
"""Rows of the picture of a line on which its slope is measured."""
SEARCH, SEARCH_STEPS = 0.08, 20
"""How far from the detector's slope the line's own is looked for, and in how many steps to each side."""
STEEPEST = 25.0
"""Degrees from which a line runs its own way, such as up the margin."""
EXPLAINED = 0.6
"""Share of the variance of slopes that the fitted field must explain: lines that lean each its own way are no bend."""
MOST_GROWTH = 1.5
"""A sheet that grows by more when it is flattened was misunderstood."""
STEPS = 12
"""Steps in which a field is followed across the page."""
GRID = 48
"""Nodes to a side of the coarse grid from which the map of a whole image is drawn."""


class _Stroke:
    """A line on the picture, in pixels: the middles of its left and right ends, its height, and its slope (downwards is positive)."""

    __slots__ = ("height", "left", "right", "slope")

    def __init__(self, line: ReadLine) -> None:
        x0, y0 = min(word.box[0] for word in line.words), min(word.box[1] for word in line.words)
        x1, y1 = max(word.box[2] for word in line.words), max(word.box[3] for word in line.words)
        self.slope = math.tan(math.radians(line.angle))
        middle, rise = (y0 + y1) / 2, self.slope * (x1 - x0) / 2
        self.left, self.right = (x0, middle - rise), (x1, middle + rise)
        self.height = max(1.0, line.words[0].height)

    def measure(self, grey: NDArray[np.uint8]) -> None:
        """Correct slope and ends by the slope at which the line's ink falls on the fewest rows of the picture."""
        length, tall = self.right[0] - self.left[0], 1.6 * self.height
        scale = min(1.0, TALL / tall)
        wide, high = max(8, round(length * scale)), max(8, round(tall * scale))
        # the image of the line: its axes are the line's, with rows that lean as it was thought to lean
        matrix = np.array([[1 / scale, 0, self.left[0]], [self.slope / scale, 1 / scale, self.left[1] - tall / 2]])
        line = cv2.warpAffine(grey, matrix, (wide, high), flags=cv2.INTER_AREA | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
        level, _ = cv2.threshold(line, 0, 255, cv2.THRESH_OTSU)
        ink = line < level if np.mean(line < level) < 0.5 else line >= level
        rows, columns = np.nonzero(ink)
        if len(rows) < 20:
            return
        tries = np.linspace(-SEARCH, SEARCH, 2 * SEARCH_STEPS + 1)
        fallen = np.round(rows - tries[:, None] * (columns - wide / 2)).astype(int) + high
        numbered = np.clip(fallen, 0, 3 * high - 1) + 3 * high * np.arange(len(tries))[:, None]
        counts = np.bincount(numbered.ravel(), minlength=3 * high * len(tries)).reshape(len(tries), -1)
        sharpness = np.convolve(np.pad((counts.astype(float) ** 2).sum(axis=1), 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
        self.slope += float(tries[int(sharpness.argmax())])
        middle = (self.left[1] + self.right[1]) / 2
        rise = self.slope * length / 2
        self.left, self.right = (self.left[0], middle - rise), (self.right[0], middle + rise)


class Bend:
    """Two fields of directions over an image of `width` x `height` pixels. Make it with `find_bend`."""

    def __init__(self, width: int, height: int, along: Points, down: Points) -> None:
        self.width, self.height = width, height
        self._along, self._down = along, down
        border = np.array([(x, y) for x in np.linspace(0, width, 9) for y in np.linspace(0, height, 9)])
        self._origin = np.zeros(2)
        flat = self.flat(border)
        self._origin = flat.min(axis=0)
        size = np.ceil(flat.max(axis=0) - self._origin)
        self.flat_width, self.flat_height = int(size[0]), int(size[1])

    def slope(self, points: Points) -> NDArray[np.float64]:
        """Pixels down for each pixel to the right, along the lines of text at `points`."""
        return _basis(points, self.width, self.height) @ self._along

    def flat(self, points: Points) -> Points:
        """Where `points` of the picture stand on the flat sheet of `flat_width` x `flat_height` pixels."""
        across, down = points.copy(), points.copy()
        for _ in range(STEPS):
            # each step goes an equal part of what is left of the way to the middle; Heun's rule
            step = (self.width / 2 - points[:, 0]) / STEPS
            first = self.slope(across)
            ahead = across + np.stack([step, step * first], axis=1)
            across = across + np.stack([step, step * (first + self.slope(ahead)) / 2], axis=1)
            step = (self.height / 2 - points[:, 1]) / STEPS
            first = self._lean(down)
            ahead = down + np.stack([step * first, step], axis=1)
            down = down + np.stack([step * (first + self._lean(ahead)) / 2, step], axis=1)
        return np.stack([down[:, 0], across[:, 1]], axis=1) - self._origin

    def bent(self, points: Points) -> Points:
        """Where `points` of the flat sheet stand on the picture; the inverse of `flat` to about a pixel."""
        found = points + self._origin
        for _ in range(8):
            found = found + (points - self.flat(found))
        return found

    def image(self, picture: Image) -> Image:
        """`picture`, flattened."""
        xs, ys = np.linspace(0, self.flat_width, GRID), np.linspace(0, self.flat_height, GRID)
        nodes = self.bent(np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)).reshape(GRID, GRID, 2).astype(np.float32)
        at_x = np.linspace(0, GRID - 1, self.flat_width, dtype=np.float32)
        at_y = np.linspace(0, GRID - 1, self.flat_height, dtype=np.float32)
        column, row = np.meshgrid(at_x, at_y)
        maps = cv2.remap(nodes, column, row, cv2.INTER_LINEAR)
        flat: Any = cv2.remap(picture, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(flat, dtype=np.uint8)

    def _lean(self, points: Points) -> NDArray[np.float64]:
        return _basis(points, self.width, self.height)[:, : len(self._down)] @ self._down


def find_bend(picture: Image, lines: Iterable[ReadLine]) -> Bend | None:
    """The bend of the sheet that `lines` of `picture` stand on, or None when it is flat (it may lie askew) or they do not tell."""
    height, width = picture.shape[:2]
    strokes = [_Stroke(line) for line in lines if line.words and abs(line.angle) < STEEPEST]
    long = [line for line in strokes if line.right[0] - line.left[0] > 3 * line.height]
    if len(long) < LEAST_LINES:
        return None
    low, high = np.percentile([line.slope for line in long], (5, 95))
    if high - low < SUSPICIOUS:
        return None
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    long = sorted(long, key=lambda line: line.left[0] - line.right[0])[:MOST_LINES]
    for line in long:
        line.measure(grey)
    slopes = np.array([line.slope for line in long])
    middles = np.array([((line.left[0] + line.right[0]) / 2, (line.left[1] + line.right[1]) / 2) for line in long])
    lengths = np.array([line.right[0] - line.left[0] for line in long])
    weights = np.minimum(lengths / np.median(lengths), 3.0)
    basis = _basis(middles, width, height)
    along, steady = _fitted(basis, slopes, weights, PENALTY)
    modelled = basis @ along
    spread = np.percentile(modelled, 95) - np.percentile(modelled, 5)
    mean = np.average(slopes, weights=weights * steady)
    left = np.average((slopes - modelled) ** 2, weights=weights * steady)
    if spread < LEAST_SPREAD or left > (1 - EXPLAINED) * np.average((slopes - mean) ** 2, weights=weights * steady):
        return None
    bend = Bend(width, height, along, _down(long, width, height, float(mean)))
    return bend if bend.flat_width < MOST_GROWTH * width and bend.flat_height < MOST_GROWTH * height else None


class Flattened:
    """A page while its sheet is flat: its words, picture and size in points; `restore` puts what was found back where it was seen."""

    def __init__(self, bend: Bend, picture: Image, page: Page) -> None:
        self._bend, self._page = bend, page.index
        self.image = bend.image(picture)
        self._places: dict[int, tuple[Box, Box]] = {}
        self.size = page.width * bend.flat_width / bend.width, page.height * bend.flat_height / bend.height

    def words(self, words: Sequence[Word]) -> list[Word]:
        """`words` of the picture on the flat sheet."""
        bend = self._bend
        if not words:
            return []
        corners = np.array([word.box.to_xyxy(bend.width, bend.height) for word in words])
        middles = (corners[:, :2] + corners[:, 2:]) / 2
        wide, tall = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
        slope = np.abs(bend.slope(middles))
        # the box around a leaning word is larger than the word: by its height times the slope, and by its width times the slope
        w = np.clip((wide - slope * tall) / (1 - slope * slope), 0.5 * wide, wide)
        h = np.clip((tall - slope * wide) / (1 - slope * slope), 0.3 * tall, tall)
        flat = bend.flat(middles)
        result: list[Word] = []
        for word, (x, y), half_w, half_h in zip(words, flat.tolist(), (w / 2).tolist(), (h / 2).tolist(), strict=True):
            edges = x - half_w, y - half_h, x + half_w, y + half_h
            box = Box.from_xyxy(*edges, width=bend.flat_width, height=bend.flat_height, page=self._page)
            self._places[id(box)] = box, word.box
            result.append(msgspec.structs.replace(word, box=box))
        return result

    def restore(self, page: Page, blocks: Sequence[Block]) -> None:
        """Give the words of `page` their boxes on the picture back, and lines, `blocks`, rules and tables theirs."""
        for word in page.words:
            word.box = self._places[id(word.box)][1]
        for line in page.lines:
            line.box = union(page.words[index].box for index in line.words)
        for block in blocks:
            block.box = union(page.lines[index].box for index in block.lines)
        page.rules = [self._seen(rule) for rule in page.rules]
        for table in page.tables:
            table.box = self._seen(table.box)
            for cell in table.cells:
                cell.box = self._seen(cell.box)

    def _seen(self, box: Box) -> Box:
        x0, y0, x1, y1 = box.to_xyxy(self._bend.flat_width, self._bend.flat_height)
        corners = self._bend.bent(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]))
        (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        return Box.from_xyxy(left, top, right, bottom, width=self._bend.width, height=self._bend.height, page=self._page)


def _basis(points: Points, width: int, height: int) -> Points:
    """Terms of the fields' polynomial at `points`, in coordinates from -1 to 1."""
    x, y = np.clip(2 * points[:, 0] / width - 1, -1, 1), np.clip(2 * points[:, 1] / height - 1, -1, 1)
    return np.stack([np.ones_like(x), x, y, x * y, x * x, y * y, x * x * y, x * y * y, x * x * x, y * y * y], axis=1)


DOWN_PENALTY = np.array([0.0, 0.02, 0.02, 0.02])
"""The same for the field down the edges of columns."""
PENALTY = np.array([0.0, 0.0005, 0.0005, 0.001, 0.001, 0.001, 0.002, 0.002, 0.002, 0.002])
"""What each term of the polynomial must earn, as a share of the number of lines."""


def _fitted(
    basis: Points, values: NDArray[np.float64], weights: NDArray[np.float64], penalty: NDArray[np.float64]
) -> tuple[Points, NDArray[np.float64]]:
    """Coefficients by iterated least squares that grows deaf to outliers (Tukey's weights), and those weights."""
    steady = np.ones_like(values)
    coefficients = np.zeros(basis.shape[1])
    for _ in range(8):
        scaled = basis * (weights * steady)[:, None]
        normal = scaled.T @ basis + np.diag(penalty * float((weights * steady).sum()))
        coefficients = cast("Points", np.linalg.solve(normal + 1e-9 * np.eye(len(normal)), scaled.T @ values))
        off = np.abs(values - basis @ coefficients)
        scale = max(0.004, 1.48 * float(np.median(off)))
        steady = np.clip(1 - (off / (4.7 * scale)) ** 2, 0, 1) ** 2
        if steady.sum() < len(values) / 2:
            steady = np.ones_like(values)
    return coefficients, steady


def _down(lines: Sequence[_Stroke], width: int, height: int, slope: float) -> Points:
    """The field down the edges of columns: a constant and its change to the right and down.

    Edges are chains of at least four lines, each under the one before with its end nearly below. Without any, columns stand
    square to the lines.
    """
    spots: list[tuple[float, float]] = []
    leans: list[float] = []
    sizes: list[float] = []
    for end in ("left", "right"):
        for chain in _chains(lines, end):
            points = np.array(chain)
            reach = float(points[-1, 1] - points[0, 1])
            lean = float(
                np.median(
                    (points[1:, 0][:, None] - points[:-1, 0])[np.tril_indices(len(points) - 1)]
                    / np.maximum(1.0, (points[1:, 1][:, None] - points[:-1, 1])[np.tril_indices(len(points) - 1)])
                )
            )
            spots.append((float(points[:, 0].mean()), float(points[:, 1].mean())))
            leans.append(lean)
            sizes.append(len(chain) * reach)
    square = np.array([-slope, 0.0, 0.0, 0.0])
    if len(spots) < 2:
        return square
    basis = _basis(np.array(spots), width, height)[:, :4]
    field, _ = _fitted(basis, np.array(leans), np.array(sizes), DOWN_PENALTY)
    return field


def _chains(lines: Sequence[_Stroke], end: str) -> list[list[tuple[float, float]]]:
    """Ends of lines that stand below each other, from the top, at least four in a chain."""
    ends = sorted(((line.left if end == "left" else line.right), line.height) for line in lines)
    ends.sort(key=lambda item: item[0][1])
    chains: list[tuple[list[tuple[float, float]], float]] = []
    for (x, y), tall in ends:
        best: tuple[float, int] | None = None
        for number, (chain, height) in enumerate(chains):
            last_x, last_y = chain[-1]
            off = abs(x - last_x - (y - last_y) * _trend(chain))
            if 0 < y - last_y < 3 * tall and off < 0.6 * tall and abs(height - tall) < 0.4 * tall and (best is None or off < best[0]):
                best = off, number
        if best is None:
            chains.append(([(x, y)], tall))
        else:
            chains[best[1]][0].append((x, y))
    return [chain for chain, _ in chains if len(chain) >= 4]


def _trend(chain: list[tuple[float, float]]) -> float:
    if len(chain) < 3:
        return 0.0
    (x0, y0), (x1, y1) = chain[0], chain[-1]
    return (x1 - x0) / max(1.0, y1 - y0)
