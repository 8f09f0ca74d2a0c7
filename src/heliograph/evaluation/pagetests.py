"""Unit tests of a page as olmOCR-bench states them (allenai/olmocr, `olmocr/bench`; arXiv 2502.18443): present, absent, order, table.

A test passes or fails; there is no partial credit. `max_diffs` edits are forgiven. Tests of formulas need LaTeX, which the embedded
engine does not write; they are not judged here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rapidfuzz import fuzz

from heliograph.evaluation.likeness import plain
from heliograph.evaluation.tablelikeness import Spot

NEIGHBOURS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
MARKS = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‑": "-", "−": "-", "•": "-", "_": "-"})


def judged(test: dict[str, Any]) -> bool:
    """Is it of a kind that can be judged here?"""
    return test["type"] in {"present", "absent", "order", "table"}


def passes(test: dict[str, Any], text: str, tables: Sequence[Sequence[Spot]]) -> bool:
    """Whether a page's `text`, without running headers and footers, and its tables pass. Raises ValueError for a kind not judged."""
    text = _plain(text)
    match test["type"]:
        case "present" | "absent":
            shown = _part(text, test)
            wanted = _plain(test["text"])
            if test.get("case_sensitive") is False:
                wanted, shown = wanted.casefold(), shown.casefold()
            found = fuzz.partial_ratio(wanted, shown) / 100 if len(wanted) <= len(shown) else fuzz.ratio(wanted, shown) / 100
            return (found >= _least(wanted, test)) == (test["type"] == "present")
        case "order":
            before, after = (_places(_plain(test[key]), text, test) for key in ("before", "after"))
            return bool(before) and bool(after) and min(before) < max(after)
        case "table":
            return any(_table_passes(test, table) for table in tables)
        case kind:
            raise ValueError(kind)


def _plain(text: str) -> str:
    return plain(re.sub(r"[*#`]|<[^<>]*>", "", text)).translate(MARKS)


def _part(text: str, test: dict[str, Any]) -> str:
    first, last = test.get("first_n"), test.get("last_n")
    if first and last:
        return text[:first] + text[-last:]
    return text[:first] if first else text[-last:] if last else text


def _least(text: str, test: dict[str, Any]) -> float:
    return 1 - (test.get("max_diffs") or 0) / max(1, len(text)) - 1e-9


def _places(wanted: str, text: str, test: dict[str, Any]) -> list[int]:
    """Where it stands: every exact place, else the most likely one if it is like enough."""
    exact = [match.start() for match in re.finditer(re.escape(wanted), text)]
    if exact:
        return exact
    near = fuzz.partial_ratio_alignment(wanted, text)
    return [near.dest_start] if near and near.score / 100 >= _least(wanted, test) else []


def _table_passes(test: dict[str, Any], cells: Sequence[Spot]) -> bool:
    grid = {
        (cell.row + r, cell.column + c): _plain(cell.text) for cell in cells for r in range(cell.row_span) for c in range(cell.column_span)
    }

    def like(text: str, key: str) -> bool:
        wanted = _plain(test[key])
        return fuzz.ratio(wanted, text) / 100 >= max(0.5, _least(wanted, test))

    def fits(row: int, column: int) -> bool:
        near = all(like(grid.get((row + down, column + right), ""), key) for key, (down, right) in NEIGHBOURS.items() if test.get(key))
        top = not test.get("top_heading") or any(like(grid.get((above, column), ""), "top_heading") for above in range(row))
        left = not test.get("left_heading") or any(like(grid.get((row, before), ""), "left_heading") for before in range(column))
        return near and top and left

    return any(fits(row, column) for (row, column), text in grid.items() if like(text, "cell"))
