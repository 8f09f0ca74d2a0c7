"""An answer that was cut off, and what a model answered when it was asked to go on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import msgspec

from heliograph.extraction.prompted.fitting import scalars
from heliograph.extraction.result import Path

Json = Any
Where = Callable[[Path], Path | None]
"""Where a value of the continuation stands in the whole; None where it was left out."""

_REPEATS = 12
"""Equal rows in a row after which a model is going round in circles: no bill has as many equal lines."""


class Seam(msgspec.Struct, frozen=True):
    """Where an answer was cut. `rows`: the outermost list that was open, None if none was; `whole`: its rows that are whole."""

    cut: Path
    rows: Path | None = None
    whole: int = 0

    @classmethod
    def at(cls, cut: Path) -> Seam:
        """The seam of an answer that ended at `cut`."""
        number = next((place for place, step in enumerate(cut) if isinstance(step, int)), None)
        return cls(cut) if number is None else cls(cut, cut[:number], cast("int", cut[number]))


def kept(value: Json, seam: Seam) -> Json:
    """`value` without the row that was cut."""
    if seam.rows is None:
        return value
    return _with(value, seam.rows, lambda rows: rows[: seam.whole])


def go_on(seam: Seam) -> str:
    """The words that ask for the rest."""
    head = "Your answer was cut off. Go on from there: answer with a JSON object of the same form, "
    if seam.rows is None:
        name = seam.cut[-1] if seam.cut else None
        place = f"the field `{name}` and those after it" if name is not None else "the fields that are missing"
        return f"{head}with {place}. Fields that were answered before are null."
    name = ".".join(str(step) for step in seam.rows) or "the list"
    return (
        f"{head}in which `{name}` holds only the entries from number {seam.whole + 1} on (the first {seam.whole} were received), "
        f"followed by the fields after it. Fields that were answered before are null."
    )


def grafted(value: Json, seam: Seam, more: Json) -> tuple[Json, Where]:
    """The answer cut at `seam` with its continuation: rows follow rows, those given again are left out, missing fields are filled."""
    base = kept(value, seam)
    skipped = 0
    if seam.rows is not None:
        rows, new = _rows(base, seam.rows), _rows(more, seam.rows)
        skipped = _overlap(rows, new)
        fresh = new[skipped:]
        if not fresh:  # the half of a row is better than nothing
            fresh = _rows(value, seam.rows)[seam.whole :]
        base = _with(base, seam.rows, lambda rows: [*rows, *fresh])
    made = _filled(base, more, seam.rows)

    def where(path: Path) -> Path | None:
        if seam.rows is None or len(path) <= len(seam.rows) or path[: len(seam.rows)] != seam.rows:
            return path
        number = cast("int", path[len(seam.rows)])
        if number < skipped:
            return None
        return (*seam.rows, seam.whole + number - skipped, *path[len(seam.rows) + 1 :])

    return made, where


def circles(value: Json, seam: Seam) -> bool:
    """Whether the answer was cut while the same row came again and again."""
    if seam.rows is None:
        return False
    rows = _rows(value, seam.rows)[: seam.whole]
    return len(rows) >= _REPEATS and all(row == rows[-1] for row in rows[-_REPEATS:])


def unrolled(value: Json, seam: Seam) -> Json:
    """`value` with one of the rows that came again and again."""
    assert seam.rows is not None

    def once(rows: list[Json]) -> list[Json]:
        rows = rows[: seam.whole]
        while len(rows) > 1 and rows[-1] == rows[-2]:
            rows = rows[:-1]
        return rows

    return _with(value, seam.rows, once)


def _rows(value: Json, path: Path) -> list[Json]:
    for step in path:
        value = cast("dict[str | int, Json]", value).get(step) if isinstance(value, dict) else None
    return cast("list[Json]", value) if isinstance(value, list) else []


def _with(value: Json, path: Path, change: Callable[[list[Json]], list[Json]]) -> Json:
    """A copy of `value` with the list at `path` changed."""
    if not path:
        return change(cast("list[Json]", value)) if isinstance(value, list) else value
    table = cast("dict[str | int, Json]", value) if isinstance(value, dict) else {}
    return {**table, path[0]: _with(table.get(path[0], [] if len(path) == 1 else {}), path[1:], change)}


def _overlap(rows: list[Json], new: list[Json]) -> int:
    """How many of the first new rows repeat the last rows that there are. Single numbers or words may well come twice in a list."""
    if not new or not rows or scalars(new[0]) < 2:
        return 0
    seen = [json.dumps(row, sort_keys=True) for row in rows]
    given = [json.dumps(row, sort_keys=True) for row in new]
    for count in range(min(len(seen), len(given)), 0, -1):
        if seen[-count:] == given[:count]:
            return count
    return len(given) if seen[: len(given)] == given else 0


def _filled(value: Json, more: Json, rows: Path | None) -> Json:
    """`value` with what `more` has and it lacks, but for the list that was gone on with."""
    if value is None or rows == ():
        return more if value is None else value
    if not isinstance(value, dict) or not isinstance(more, dict):
        return cast("Json", more if value == [] and isinstance(more, list) else value)
    made = dict(cast("dict[str, Json]", value))
    for key, child in cast("dict[str, Json]", more).items():
        below = rows[1:] if rows is not None and rows[:1] == (key,) else None
        made[key] = _filled(made.get(key), child, below)
    return made
