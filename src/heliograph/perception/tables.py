"""Tables: from ruling lines where there are some, else from how words line up.

*Ruled*: rules that touch form a grid; two neighbouring slots with no rule between them are one cell, which gives spans. A
slot that holds several rows of text in several columns (a body ruled only around) is divided at its text rows.
*Aligned*: consecutive lines made of several runs with white between them, whose white lines up into columns. Lines of one
run in between continue the row above; a table needs three columns, or two of which one is numbers.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import median

import msgspec

from heliograph.media.document import Cell, Line, Table, Word
from heliograph.media.geometry import Box, union
from heliograph.perception.runs import NUMBER, Row, Run, parted, row_of

NEAR = 3.0
"""Points within which rules touch."""
RULE = re.compile(r"^[-=_*~.·—–]{4,}$")
"""A rule typed with characters."""


MOST_HEADINGS, LEAST_BELOW, LEAST_WIDE = 4, 12, 6
"""Rows of headings that are left out of a table without rules when they spoil its columns, and the rows and columns it must then have."""


def find_tables(words: Sequence[Word], lines: Sequence[Line], rules: Sequence[Box], width: float, height: float) -> list[Table]:
    """The tables of a page of `width` x `height` points, from top to bottom; cells refer to `words`.

    `lines` in reading order with their words (`order.arrange`); `rules` are thin boxes, lines drawn on the page.
    """
    if not words:
        return []
    ruled = _ruled(words, rules, width, height)
    taken = {index for table in ruled for cell in table.cells for index in cell.words}
    stops = [rule.cy * height for rule in rules if rule.w > 0.3]
    aligned = _aligned(words, lines, taken, stops, width, height)
    return sorted([*ruled, *aligned], key=lambda table: (table.box.y, table.box.x))


# Ruled tables


def _ruled(words: Sequence[Word], rules: Sequence[Box], width: float, height: float) -> list[Table]:
    across: list[tuple[float, float, float]] = []
    down: list[tuple[float, float, float]] = []
    for rule in rules:
        x0, y0, x1, y1 = rule.to_xyxy(width, height)
        if x1 - x0 >= y1 - y0:
            across.append(((y0 + y1) / 2, x0, x1))
        else:
            down.append(((x0 + x1) / 2, y0, y1))
    tables: list[Table] = []
    for horizontal, vertical in _grids(_joined(across), _joined(down)):
        table = _grid_table(words, horizontal, vertical, width, height)
        if table is not None:
            tables.append(table)
    return _outermost(tables)


def _joined(rules: list[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """Collinear rules that touch or overlap become one: dashes, and edges drawn cell by cell."""
    joined: list[tuple[float, float, float]] = []
    for at, start, end in sorted(rules):
        for index in range(len(joined) - 1, max(-1, len(joined) - 40), -1):
            other, other_start, other_end = joined[index]
            if at - other > NEAR / 2:
                continue
            if start <= other_end + NEAR and other_start <= end + NEAR:
                joined[index] = other, min(start, other_start), max(end, other_end)
                break
        else:
            joined.append((at, start, end))
    return [rule for rule in joined if rule[2] - rule[1] > 2 * NEAR]


def _grids(
    across: list[tuple[float, float, float]], down: list[tuple[float, float, float]]
) -> list[tuple[list[tuple[float, float, float]], list[tuple[float, float, float]]]]:
    """Groups of rules connected by crossing or touching, with at least two each way."""
    parent = list(range(len(across) + len(down)))

    def root(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for i, (y, x0, x1) in enumerate(across):
        for j, (x, y0, y1) in enumerate(down):
            if x0 - NEAR <= x <= x1 + NEAR and y0 - NEAR <= y <= y1 + NEAR:
                parent[root(i)] = root(len(across) + j)
    groups: dict[int, tuple[list[tuple[float, float, float]], list[tuple[float, float, float]]]] = {}
    for i, rule in enumerate(across):
        groups.setdefault(root(i), ([], []))[0].append(rule)
    for j, rule in enumerate(down):
        groups.setdefault(root(len(across) + j), ([], []))[1].append(rule)
    return [group for group in groups.values() if len(group[0]) >= 2 and len(group[1]) >= 2]


def _places(positions: list[float]) -> list[float]:
    """Grid lines: positions closer than `NEAR` are one."""
    places: list[list[float]] = []
    for position in sorted(positions):
        if places and position - places[-1][-1] <= NEAR:
            places[-1].append(position)
        else:
            places.append([position])
    return [sum(group) / len(group) for group in places]


def _grid_table(
    words: Sequence[Word], across: list[tuple[float, float, float]], down: list[tuple[float, float, float]], width: float, height: float
) -> Table | None:
    ys, xs = _places([rule[0] for rule in across]), _places([rule[0] for rule in down])
    if len(ys) < 3 or len(xs) < 2 or len(ys) * len(xs) > 40_000:
        return None
    inside = [
        (index, word.box.cx * width, word.box.cy * height)
        for index, word in enumerate(words)
        if xs[0] <= word.box.cx * width <= xs[-1] and ys[0] <= word.box.cy * height <= ys[-1]
    ]
    slots: dict[tuple[int, int], list[int]] = {}
    cell_of = _merged_slots(xs, ys, across, down)
    for index, x, y in inside:
        place = cell_of[bisect_right(ys, y, 1, len(ys) - 1) - 1][bisect_right(xs, x, 1, len(xs) - 1) - 1]
        slots.setdefault(place, []).append(index)
    cells: list[Cell] = []
    page = words[0].box.page
    spans: dict[tuple[int, int], tuple[int, int]] = {}
    for row, line in enumerate(cell_of):
        for column, place in enumerate(line):
            bottom, right = spans.get(place, (row, column))
            spans[place] = max(bottom, row), max(right, column)
    for (row, column), (bottom, right) in spans.items():
        indices = slots.get((row, column), [])
        box = Box.from_xyxy(xs[column], ys[row], xs[right + 1], ys[bottom + 1], width=width, height=height, page=page)
        cells.append(Cell(_text(words, indices), box, row, column, bottom - row + 1, right - column + 1, indices))
    table = _tidy(_divided(words, cells, height), words)
    filled = [cell for cell in table if cell.text]
    columns, rows = _extent(table)
    if columns < 2 or rows < 2 or len(filled) < 3 or len({cell.column for cell in filled}) < 2:
        return None
    box = Box.from_xyxy(xs[0], ys[0], xs[-1], ys[-1], width=width, height=height, page=page)
    return Table(box, rows, columns, table, _header_rows(table, rows), 0.95)


def _extent(cells: Sequence[Cell]) -> tuple[int, int]:
    return max((c.column + c.column_span for c in cells), default=0), max((c.row + c.row_span for c in cells), default=0)


def _merged_slots(
    xs: list[float], ys: list[float], across: list[tuple[float, float, float]], down: list[tuple[float, float, float]]
) -> list[list[tuple[int, int]]]:
    """For each slot of the grid, the top left slot of the cell it belongs to."""

    def covered(rules: list[tuple[float, float, float]], at: float, start: float, end: float) -> bool:
        hidden = sum(max(0.0, min(end, b) - max(start, a)) for y, a, b in rules if abs(y - at) <= NEAR)
        return hidden >= 0.6 * (end - start)

    rows, columns = len(ys) - 1, len(xs) - 1
    owner = [[(row, column) for column in range(columns)] for row in range(rows)]
    for row in range(rows):
        for column in range(columns):
            if owner[row][column] != (row, column):
                continue
            right = column
            while right + 1 < columns and owner[row][right + 1] == (row, right + 1):
                if covered(down, xs[right + 1], ys[row], ys[row + 1]):
                    break
                right += 1
            bottom = row
            while bottom + 1 < rows and not covered(across, ys[bottom + 1], xs[column], xs[right + 1]):
                below = range(column, right)
                if any(covered(down, xs[c + 1], ys[bottom + 1], ys[bottom + 2]) for c in below):
                    break
                bottom += 1
            for r in range(row, bottom + 1):
                for c in range(column, right + 1):
                    owner[r][c] = (row, column)
    return owner


def _divided(words: Sequence[Word], cells: list[Cell], height: float) -> list[Cell]:
    """Divide grid rows in which several columns hold several text rows each that stand side by side."""
    result: list[Cell] = []
    shift = 0
    for row in sorted({cell.row for cell in cells}):
        members = [cell for cell in cells if cell.row == row]
        parts = [_text_rows(words, cell.words) for cell in members]
        anchors = _anchors(parts) if all(cell.row_span == 1 for cell in members) else []
        if len(anchors) < 2:
            result += [msgspec.structs.replace(cell, row=cell.row + shift) for cell in members]
            continue
        bounds = [(a[1] + b[0]) / 2 for a, b in pairwise(anchors)]
        for cell, rows in zip(members, parts, strict=True):
            split: list[list[int]] = [[] for _ in anchors]
            for top, bottom, indices in rows:
                split[bisect_right(bounds, (top + bottom) / 2)] += indices
            edges = [cell.box.y, *bounds, cell.box.y1]
            for number, indices in enumerate(split):
                box = Box(cell.box.x, edges[number], cell.box.w, max(0.0, edges[number + 1] - edges[number]), cell.box.page)
                result.append(Cell(_text(words, indices), box, row + shift + number, cell.column, 1, cell.column_span, indices))
        shift += len(anchors) - 1
    return result


def _text_rows(words: Sequence[Word], indices: list[int]) -> list[tuple[float, float, list[int]]]:
    """Rows of a cell's words: top, bottom (page fractions) and the words of each."""
    rows: list[tuple[float, float, list[int]]] = []
    for index in sorted(indices, key=lambda i: words[i].box.cy):
        box = words[index].box
        if rows and box.cy < rows[-1][1]:
            top, bottom, members = rows[-1]
            rows[-1] = min(top, box.y), max(bottom, box.y1), [*members, index]
        else:
            rows.append((box.y, box.y1, [index]))
    return rows


def _anchors(parts: list[list[tuple[float, float, list[int]]]]) -> list[tuple[float, float]]:
    """Text rows that divide a grid row: those of the column with the fewest rows of two or more, if the others share them."""
    several = sorted((rows for rows in parts if len(rows) >= 2), key=len)
    if len(several) < 2:
        return []
    anchors = several[0]
    shared = [
        sum(any(min(b, d) - max(a, c) > 0.4 * (b - a) for c, d, _ in other) for a, b, _ in anchors) >= 0.8 * len(anchors)
        for other in several[1:]
    ]
    if sum(shared) < max(1, len(shared) - 1) or len(several) < 0.5 * sum(bool(rows) for rows in parts):
        return []
    return [(a, b) for a, b, _ in anchors]


def _tidy(cells: list[Cell], words: Sequence[Word]) -> list[Cell]:
    """Drop rows and columns without any text (double rules, margins) and renumber."""
    rows = sorted({r for cell in cells if cell.text for r in range(cell.row, cell.row + cell.row_span)})
    columns = sorted({c for cell in cells if cell.text for c in range(cell.column, cell.column + cell.column_span)})
    # a row or column that only spanning cells reach holds nothing of its own
    rows = [r for r in rows if any(cell.row == r for cell in cells if cell.text)]
    columns = [c for c in columns if any(cell.column == c for cell in cells if cell.text)]
    kept: list[Cell] = []
    for cell in cells:
        own_rows = [i for i, r in enumerate(rows) if cell.row <= r < cell.row + cell.row_span]
        own_columns = [i for i, c in enumerate(columns) if cell.column <= c < cell.column + cell.column_span]
        if own_rows and own_columns:
            place = {"row": own_rows[0], "column": own_columns[0], "row_span": len(own_rows), "column_span": len(own_columns)}
            kept.append(msgspec.structs.replace(cell, **place))
    return sorted(kept, key=lambda cell: (cell.row, cell.column))


def _outermost(tables: list[Table]) -> list[Table]:
    """Of tables within tables, the one with more filled cells."""
    kept: list[Table] = []
    for table in sorted(tables, key=lambda table: -sum(bool(cell.text) for cell in table.cells)):
        if all(table.box.intersection(other.box) < 0.5 * min(table.box.area, other.box.area) for other in kept):
            kept.append(table)
    return kept


# Aligned tables


def _aligned(
    words: Sequence[Word], lines: Sequence[Line], taken: set[int], stops: Sequence[float], width: float, height: float
) -> list[Table]:
    """`stops`: where long horizontal rules are, in points; after a table's headings, one ends it."""
    rows = [row for line in lines if (row := row_of(words, [i for i in line.words if i not in taken], width, height))]
    pending, tables = [parted(group) for group in _groups(rows, stops)][::-1], list[Table]()
    while pending:
        body, rest = _body(pending.pop())
        pending += rest
        if len(body) < 2:
            continue
        table = _aligned_table(words, body, width, height) or _below_headings(words, body, width, height)
        if table is not None:
            tables.append(table)
    return tables


def _below_headings(words: Sequence[Word], body: list[Row], width: float, height: float) -> Table | None:
    """A long and wide table whose columns are spoilt by headings that run over several of them: what stands below these."""
    for start in range(1, min(MOST_HEADINGS + 1, len(body) - LEAST_BELOW + 1)):
        table = _aligned_table(words, body[start:], width, height)
        if table is not None:
            return table if table.columns >= LEAST_WIDE else None
    return None


def _body(group: list[Row]) -> tuple[list[Row], list[list[Row]]]:
    """The rows of a group that share the columns of its fullest rows, and what else may be a table of its own."""
    most = max(len(row.runs) for row in group)
    if most < 3:
        return group, []
    anchors = [index for index, row in enumerate(group) if len(row.runs) >= max(3, 0.6 * most)]
    if len(anchors) < 2:
        return [], []
    columns = _columns([group[index] for index in anchors], median(row.y1 - row.y0 for row in group))
    if len(columns) < 2:
        return group, []
    bounds = [(a[1] + b[0]) / 2 for a, b in pairwise(columns)]

    def fits(row: Row) -> bool:
        places = [_place(run, columns, bounds) for run in row.runs]
        return len(row.runs) >= 2 and all(first == last for first, last in places)

    first, last = anchors[0], anchors[-1]
    while (
        first > 0 and len(group[first - 1].runs) >= 2 and group[first].y0 - group[first - 1].y1 < 1.5 * (group[first].y1 - group[first].y0)
    ):
        first -= 1
    while last + 1 < len(group) and fits(group[last + 1]) and not _total(group[last + 1], len(columns)):
        last += 1
    following = last + 1
    while following < len(group) and _total(group[following], len(columns)):
        following += 1
    rest = [part for part in (group[:first], group[following:]) if len(part) >= 2 and max(len(row.runs) for row in part) >= 2]
    return group[first : last + 1], rest


def _total(row: Row, columns: int) -> bool:
    """Is a row below the items of three or more columns nothing but a label and an amount?"""
    if columns < 3 or len(row.runs) != 2:
        return False
    label, amount = (" ".join(piece.text for piece in run.pieces) for run in row.runs)
    return NUMBER.match(amount) is not None and not NUMBER.match(label)


def _groups(rows: list[Row], stops: Sequence[float]) -> list[list[Row]]:
    """Stretches of consecutive lines that begin and end with several runs, with few single ones between."""
    groups: list[list[Row]] = []
    current: list[Row] = []
    pending: list[Row] = []

    def close() -> None:
        if len(current) >= 2:
            groups.append(list(current))
        current.clear()
        pending.clear()

    for row in rows:
        if all(RULE.match(piece.text) for piece in row.pieces):
            if len(current) >= 3:
                close()
            continue
        before = (pending or current)[-1] if current else None
        if before is not None:
            gap, tall = row.y0 - before.y1, max(row.y1 - row.y0, before.y1 - before.y0)
            ruled_off = len(current) >= 3 and any(before.y1 - 1 <= stop <= row.y0 + 1 for stop in stops)
            same = _same_columns(current, row)
            if (
                gap > (5 if same else 2.5) * tall
                or gap < -2 * tall
                or (ruled_off and not (same and abs(len(row.runs) - len(current[-1].runs)) <= 1))
            ):
                close()
        if len(row.runs) >= 2:
            current += [*pending, row]
            pending.clear()
        elif current:
            pending.append(row)
            extent = max(r.runs[-1].x1 for r in current) - min(r.runs[0].x0 for r in current)
            if len(pending) > 3 or row.runs[0].x1 - row.runs[0].x0 > 0.95 * extent or len(row.runs[0].words) > 12:
                close()
    close()
    return groups


def _same_columns(current: list[Row], row: Row) -> bool:
    """Do three or more runs of `row` stand under runs of the rows before it?"""
    above = [run for other in current[-8:] for run in other.runs]
    under = sum(any(min(run.x1, other.x1) > max(run.x0, other.x0) for other in above) for run in row.runs)
    return len(row.runs) >= 3 and under >= 0.8 * len(row.runs)


def _columns(rows: list[Row], typical: float) -> list[tuple[float, float]]:
    """Column intervals: stretches of x that runs of the rows with several runs cover, parted by white that nearly all leave."""
    several = [row for row in rows if len(row.runs) >= 2]
    edges: list[tuple[float, int]] = []
    for row in several:
        for run in row.runs:
            edges += [(run.x0, 1), (run.x1, -1)]
    edges.sort()
    allowed = 0 if len(several) < 6 else max(1, round(0.12 * len(several)))
    columns: list[tuple[float, float]] = []
    depth, start = 0, 0.0
    for x, step in edges:
        before, depth = depth, depth + step
        if before <= allowed < depth:
            start = x
        elif depth <= allowed < before:
            if columns and start - columns[-1][1] < 0.05 * typical:
                columns[-1] = columns[-1][0], x
            else:
                columns.append((start, x))
    return columns


def _aligned_table(words: Sequence[Word], rows: list[Row], width: float, height: float) -> Table | None:
    typical = median(row.y1 - row.y0 for row in rows)
    columns = _columns(rows, typical)
    rows = _trimmed(rows, columns)
    if len(columns) < 2 or len(rows) < 2:
        return None
    columns = _columns(rows, typical)
    if len(columns) < 2:
        return None
    bounds = [(a[1] + b[0]) / 2 for a, b in pairwise(columns)]
    grid: list[list[tuple[int, int, list[int]]]] = []
    tops: list[tuple[float, float]] = []
    for row in rows:
        placed: list[tuple[int, int, list[int]]] = []
        for run in row.runs:
            first, last = _place(run, columns, bounds)
            if placed and first <= placed[-1][0] + placed[-1][1] - 1:
                start, span, members = placed[-1]
                placed[-1] = start, max(span, last - start + 1), members + run.words
            else:
                placed.append((first, last - first + 1, list(run.words)))
        grid.append(placed)
        tops.append((row.y0, row.y1))
    grid, tops = _continued(words, grid, tops, typical)
    if not _convincing(words, grid, len(columns)):
        return None
    page = words[0].box.page
    cells: list[Cell] = []
    for number, placed in enumerate(grid):
        for column, span, members in placed:
            cells.append(Cell(_text(words, members), union(words[i].box for i in members), number, column, 1, span, members))
    x0, x1 = columns[0][0], columns[-1][1]
    box = Box.from_xyxy(x0, tops[0][0], x1, max(bottom for _, bottom in tops), width=width, height=height, page=page)
    box = union([box, *(cell.box for cell in cells)])
    return Table(box, len(grid), len(columns), cells, _header_rows(cells, len(grid)), 0.7)


def _trimmed(rows: list[Row], columns: list[tuple[float, float]]) -> list[Row]:
    """Without the first and last rows that have less than two columns filled."""
    if len(columns) < 2:
        return rows
    bounds = [(a[1] + b[0]) / 2 for a, b in pairwise(columns)]

    def fit(row: Row) -> bool:
        places = [_place(run, columns, bounds) for run in row.runs]
        prose = any(last - first > 1 and len(run.words) > 5 for run, (first, last) in zip(row.runs, places, strict=True))
        return len({first for first, _ in places}) >= 2 and not prose

    fits = [fit(row) for row in rows]
    if not any(fits):
        return []
    return rows[fits.index(True) : len(fits) - fits[::-1].index(True)]


def _place(run: Run, columns: list[tuple[float, float]], bounds: list[float]) -> tuple[int, int]:
    """First and last column that a run belongs to: those it covers noticeably."""
    covered = [index for index, (x0, x1) in enumerate(columns) if min(run.x1, x1) - max(run.x0, x0) > 0.25 * min(x1 - x0, run.x1 - run.x0)]
    if not covered:
        index = bisect_right(bounds, (run.x0 + run.x1) / 2)
        return index, index
    return covered[0], covered[-1]


def _continued(
    words: Sequence[Word], grid: list[list[tuple[int, int, list[int]]]], tops: list[tuple[float, float]], typical: float
) -> tuple[list[list[tuple[int, int, list[int]]]], list[tuple[float, float]]]:
    """Join rows that only continue the row above: close by, nothing in the first column, and no second number in a column."""
    joined: list[list[tuple[int, int, list[int]]]] = []
    places: list[tuple[float, float]] = []
    for placed, (top, bottom) in zip(grid, tops, strict=True):
        if joined and placed[0][0] > 0 and top - places[-1][1] < 0.6 * typical and _continues(words, joined[-1], placed):
            above = {column: position for position, (column, _, _) in enumerate(joined[-1])}
            for column, span, members in placed:
                if column in above:
                    first, old_span, old = joined[-1][above[column]]
                    joined[-1][above[column]] = first, max(old_span, span), old + members
                else:
                    joined[-1].append((column, span, members))
            joined[-1].sort()
            places[-1] = places[-1][0], max(bottom, places[-1][1])
            continue
        joined.append(list(placed))
        places.append((top, bottom))
    return joined, places


def _continues(words: Sequence[Word], above: list[tuple[int, int, list[int]]], row: list[tuple[int, int, list[int]]]) -> bool:
    texts = {column: _text(words, members) for column, _, members in above}
    if 0 not in texts or len(row) >= len(above):
        return False
    both = [(texts[column], _text(words, members)) for column, _, members in row if column in texts]
    return bool(both) and not any(NUMBER.match(a) and NUMBER.match(b) for a, b in both)


def _convincing(words: Sequence[Word], grid: list[list[tuple[int, int, list[int]]]], columns: int) -> bool:
    """Is this a table rather than prose in columns, a form or a letterhead?"""
    filled = [len(placed) for placed in grid]
    texts = [[(column, _text(words, members)) for column, _, members in placed] for placed in grid]
    numeric = sum(bool(NUMBER.match(text)) for row in texts for column, text in row if column)
    others = sum(1 for row in texts for column, _ in row if column)
    labels = sum(row[0][1].rstrip().endswith(":") for row in texts)
    long = sum(len(text.split()) > 8 for row in texts for _, text in row)
    if labels > 0.5 * len(grid) or long > 0.25 * sum(filled):
        return False
    full = sum(count >= 0.6 * columns for count in filled)
    if columns >= 3:
        return (len(grid) >= 3 and full >= 0.5 * len(grid)) or (len(grid) >= 2 and full == len(grid) and numeric >= 0.5 * others)
    return len(grid) >= 3 and full >= 0.8 * len(grid) and numeric >= 0.6 * others


# Both


def _text(words: Sequence[Word], indices: list[int]) -> str:
    rows = _text_rows(words, indices)
    return " ".join(words[i].text for _, _, members in rows for i in sorted(members, key=lambda i: words[i].box.x))


def _header_rows(cells: Sequence[Cell], rows: int) -> int:
    """How many of the first rows are headings: rows of words over rows with numbers; spans prolong it."""
    is_number: Callable[[Cell], bool] = lambda cell: NUMBER.match(cell.text) is not None  # noqa: E731
    headings = 0
    for row in range(min(rows - 1, 4)):
        filled = [cell for cell in cells if cell.row == row and cell.text]
        if sum(is_number(cell) for cell in filled) > 0.3 * len(filled):
            break
        headings += 1
        spanning = any(cell.column_span > 1 or cell.row_span > 1 for cell in filled)
        following = [cell for cell in cells if cell.row == row + 1 and cell.text]
        if not spanning or any(is_number(cell) for cell in following):
            break
    return headings
