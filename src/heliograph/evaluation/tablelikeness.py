"""How alike two tables are.

Sources: adjacency relations by Göbel, Hassan, Oro and Orsi, *A Methodology for Evaluating Algorithms for Table Understanding in PDF
Documents* (DocEng 2012), the measure of the ICDAR 2013 competition; TEDS by Zhong, ShafieiBavani and Jimeno Yepes (ECCV
2020, arXiv 1911.10683), over the tree edit distance of Zhang and Shasha (SIAM J. Comput. 18, 1989).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from heliograph.evaluation.likeness import letters, plain


class Spot(NamedTuple):
    """A cell: its text, first row and column, and how many it spans."""

    text: str
    row: int
    column: int
    row_span: int = 1
    column_span: int = 1


def relations(cells: Iterable[Spot]) -> Counter[tuple[str, str, str]]:
    """Pairs of texts (letters and digits) of cells that are next to each other, to the right or below; empty cells are skipped over.

    A cell that spans rows is next to the nearest cell of each of them, counted once.
    """
    filled = [cell for cell in cells if letters(cell.text)]
    slots: dict[tuple[int, int], int] = {}
    for number, cell in enumerate(filled):
        for row in range(cell.row, cell.row + cell.row_span):
            for column in range(cell.column, cell.column + cell.column_span):
                slots.setdefault((row, column), number)
    pairs: set[tuple[int, int, str]] = set()
    by_row: dict[int, list[tuple[int, int]]] = {}
    by_column: dict[int, list[tuple[int, int]]] = {}
    for (row, column), number in slots.items():
        by_row.setdefault(row, []).append((column, number))
        by_column.setdefault(column, []).append((row, number))
    for direction, lines in (("right", by_row), ("below", by_column)):
        for line in lines.values():
            ordered = [number for _, number in sorted(line)]
            pairs |= {(a, b, direction) for a, b in pairwise(ordered) if a != b}
    return Counter((letters(filled[a].text), letters(filled[b].text), direction) for a, b, direction in pairs)


def teds(want: Sequence[Spot], got: Sequence[Spot], *, structure_only: bool = False) -> float:
    """1 - tree edit distance / size of the larger tree; the trees are a table of rows of cells, without head and body.

    Renaming a cell costs 1 when its spans differ, else the normalised edit distance of the texts (0 with `structure_only`);
    inserting or deleting a node costs 1.
    """
    a, b = _tree(want), _tree(got)
    larger = max(len(a.labels), len(b.labels))
    return 1 - _distance(a, b, structure_only=structure_only) / larger


class _Tree(NamedTuple):
    """Nodes in post order; `leftmost[i]` is the first leaf under node i."""

    labels: list[tuple[str, int, int] | str]
    leftmost: list[int]

    @property
    def keyroots(self) -> list[int]:
        return sorted({first: node for node, first in enumerate(self.leftmost)}.values())


def _tree(cells: Sequence[Spot]) -> _Tree:
    labels: list[tuple[str, int, int] | str] = []
    leftmost: list[int] = []
    for row in sorted({cell.row for cell in cells}):
        first = len(labels)
        for cell in sorted((cell for cell in cells if cell.row == row), key=lambda cell: cell.column):
            leftmost.append(len(labels))
            labels.append((plain(cell.text), cell.row_span, cell.column_span))
        labels.append("row")
        leftmost.append(first)
    labels.append("table")
    leftmost.append(0)
    return _Tree(labels, leftmost)


def _distance(a: _Tree, b: _Tree, *, structure_only: bool) -> float:
    @cache
    def rename(x: tuple[str, int, int] | str, y: tuple[str, int, int] | str) -> float:
        if isinstance(x, str) or isinstance(y, str):
            return float(x != y)
        if x[1:] != y[1:]:
            return 1.0
        return 0.0 if structure_only else Levenshtein.normalized_distance(x[0], y[0])

    trees = [[0.0] * len(b.labels) for _ in a.labels]
    for i in a.keyroots:
        for j in b.keyroots:
            left, top = a.leftmost[i], b.leftmost[j]
            rows, columns = i - left + 2, j - top + 2
            forest = [[0.0] * columns for _ in range(rows)]
            forest[0] = [float(y) for y in range(columns)]
            for x in range(1, rows):
                forest[x][0] = float(x)
                node = left + x - 1
                for y in range(1, columns):
                    other = top + y - 1
                    least = min(forest[x - 1][y], forest[x][y - 1]) + 1
                    if a.leftmost[node] == left and b.leftmost[other] == top:
                        least = min(least, forest[x - 1][y - 1] + rename(a.labels[node], b.labels[other]))
                        trees[node][other] = least
                    else:
                        least = min(least, forest[a.leftmost[node] - left][b.leftmost[other] - top] + trees[node][other])
                    forest[x][y] = least
    return trees[-1][-1]


def html_cells(html: str) -> list[Spot]:
    """The cells of the first table of an HTML fragment."""
    parser = _Cells()
    parser.feed(html)
    return parser.cells


class _Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.cells: list[Spot] = []
        self._taken: set[tuple[int, int]] = set()
        self._row = -1
        self._inside = False
        self._over = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._over:
            return
        if tag == "tr":
            self._row += 1
        if tag in {"td", "th"}:
            spans = {name: max(1, int(value)) for name, value in attrs if name in {"rowspan", "colspan"} and value and value.isdigit()}
            column = next(n for n in range(len(self._taken) + 1) if (self._row, n) not in self._taken)
            cell = Spot("", self._row, column, spans.get("rowspan", 1), spans.get("colspan", 1))
            self._taken |= {(cell.row + r, column + c) for r in range(cell.row_span) for c in range(cell.column_span)}
            self.cells.append(cell)
            self._inside = True
        if tag == "br":
            self.handle_data(" ")

    def handle_data(self, data: str) -> None:
        if self._inside and not self._over:
            self.cells[-1] = self.cells[-1]._replace(text=self.cells[-1].text + data)

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self._inside = False
        self._over = self._over or tag == "table"
