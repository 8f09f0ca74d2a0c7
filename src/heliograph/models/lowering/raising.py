"""How the value of an answer becomes the value that was asked for: what lowering did to its shape, undone.

A model that was only asked in words may have answered in the shape of the original; that is taken as it is, and what fits
neither is left for validation to name.
"""

from __future__ import annotations

import re
from types import EllipsisType
from typing import Any, Protocol, cast

import msgspec

Json = Any
Path = tuple[str | int, ...]
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,18})?", re.ASCII)


class Raiser(Protocol):
    """What one place of an answer becomes."""

    def raised(self, value: Json, here: Path, there: Path, moved: dict[Path, Path]) -> Json:
        """The asked value. `here`, `there`: its path as sent and as asked; `moved` gets those of every scalar below."""
        ...

    def fit(self, value: Json) -> int:
        """How well a value looks like this place's, for choosing between alternatives; negative for not at all."""
        ...

    def asks(self, path: Path) -> bool:
        """Whether the asked value at `path`, from here, is asked for."""
        ...


class Known(msgspec.Struct, frozen=True):
    """A key of an object: its name in the original. `missing`: what stands there when nothing was `sent`, `...` for no key.
    `drop_null`: a null means that the key is not there, as the original allows it to be missing but not null."""

    name: str
    raiser: Raiser
    missing: Json | EllipsisType = ...
    sent: bool = True
    drop_null: bool = False


class Leaf(msgspec.Struct, frozen=True):
    """A scalar, as it is."""

    def raised(self, value: Json, here: Path, there: Path, moved: dict[Path, Path]) -> Json:  # noqa: D102
        if isinstance(value, (dict, list)):
            pairs = cast("dict[str, Json]", value).items() if isinstance(value, dict) else enumerate(cast("list[Json]", value))
            for key, child in pairs:
                self.raised(child, (*here, key), (*there, key), moved)
        else:
            moved[here] = there
        return cast("Json", value)

    def fit(self, value: Json) -> int:  # noqa: D102
        return -1 if isinstance(value, (dict, list)) else 1

    def asks(self, path: Path) -> bool:  # noqa: D102
        return True


class Blank(msgspec.Struct, frozen=True):
    """A scalar that was asked for as text, since the dialect has too few unions for null: empty is null, and `kind` is what it spells."""

    kind: str = "string"

    def raised(self, value: Json, here: Path, there: Path, moved: dict[Path, Path]) -> Json:  # noqa: D102
        if isinstance(value, str):
            value = self._spelt(value)
        return Leaf().raised(value, here, there, moved)

    def _spelt(self, text: str) -> Json:
        if not text.strip():
            return None
        if self.kind == "boolean":
            return {"true": True, "false": False}.get(text, text)
        if self.kind in ("number", "integer") and _NUMBER.fullmatch(text):
            return int(text) if _WHOLE.fullmatch(text) else float(text)
        return text

    def fit(self, value: Json) -> int:  # noqa: D102
        return Leaf().fit(value)

    def asks(self, path: Path) -> bool:  # noqa: D102
        return True


class Emptied(msgspec.Struct, frozen=True):
    """An object that may be null and was asked for as one that may not: null where it holds nothing."""

    raiser: Raiser

    def raised(self, value: Json, here: Path, there: Path, moved: dict[Path, Path]) -> Json:  # noqa: D102
        made = self.raiser.raised(value, here, there, moved)
        return made if holds(made) else None

    def fit(self, value: Json) -> int:  # noqa: D102
        return self.raiser.fit(value)

    def asks(self, path: Path) -> bool:  # noqa: D102
        return self.raiser.asks(path)


class Keyed(msgspec.Struct, frozen=True, kw_only=True):
    """An object. `others` raises further keys; `more` is the key under which they come as pairs. `unwrap`: it only wraps its one value."""

    fields: dict[str, Known]
    others: Raiser | None = None
    more: str | None = None
    paired: Paired | None = None
    unwrap: bool = False

    def raised(self, value: Json, here: Path, there: Path, moved: dict[Path, Path]) -> Json:  # noqa: D102
        if self.unwrap:
            key, known = next(iter(self.fields.items()))
            if isinstance(value, dict) and list(cast("dict[str, Json]", value)) == [key]:
                return known.raiser.raised(value[key], (*here, key), there, moved)
            return known.raiser.raised(value, here, there, moved)
        if not isinstance(value, dict):
            return Leaf().raised(value, here, there, moved)
        given = cast("dict[str, Json]", value)
        names = {known.name: key for key, known in self.fields.items()}
        made: dict[str, Json] = {}
        for key, known in self.fields.items():
            if not known.sent and known.missing is not ... and key not in given:
                made[known.name] = _fresh(known.missing)
            source = key if key in given else known.name
            if source not in given or (source != key and source in self.fields):
                continue
            child = known.raiser.raised(given[source], (*here, source), (*there, known.name), moved)
            if child is not None or not known.drop_null:
                made[known.name] = child
        for key, child in given.items():
            if key == self.more and self.paired is not None:
                further = self.paired.raised(child, (*here, key), there, moved)
                made.update((name, each) for name, each in _table(further).items() if name not in made)
            elif key not in self.fields and key not in names and (self.others is not None or key not in made):
                raiser = self.others or Leaf()
                made[key] = raiser.raised(child, (*here, key), (*there, key), moved)
        return made

    def fit(self, value: Json) -> int:  # noqa: D102
        if not isinstance(value, dict):
            return -1
        given = cast("dict[str, Json]", value)
        return sum(2 for key in given if key in self.fields) - sum(1 for key in self.fields if key not in given)

    def asks(self, path: Path) -> bool:  # noqa: D102
        if self.unwrap:
            return next(iter(self.fields.values())).raiser.asks(path)
        known = next((known for known in self.fields.values() if path and known.name == path[0]), None)
        return not path or (known.sent and known.raiser.asks(path[1:]) if known is not None else self.others is not None)


class Listed(msgspec.Struct, frozen=True):
    """A list."""

    item: Raiser

    def raised(self, value: Json, here: Path, there: Path, moved: dict[Path, Path]) -> Json:  # noqa: D102
        if not isinstance(value, list):
            return Leaf().raised(value, here, there, moved)
        items = cast("list[Json]", value)
        return [self.item.raised(item, (*here, number), (*there, number), moved) for number, item in enumerate(items)]

    def fit(self, value: Json) -> int:  # noqa: D102
        if not isinstance(value, list):
            return -1
        items = cast("list[Json]", value)
        return 1 + (self.item.fit(items[0]) if items else 0)

    def asks(self, path: Path) -> bool:  # noqa: D102
        return self.item.asks(path[1:])


class Paired(msgspec.Struct, frozen=True):
    """A map that was asked for as a list of objects with `key` and `value`. Of a repeated key the first value that is not null counts."""

    value: Raiser

    def raised(self, value: Json, here: Path, there: Path, moved: dict[Path, Path]) -> Json:  # noqa: D102
        made: dict[str, Json] = {}
        if isinstance(value, dict):
            for key, child in cast("dict[str, Json]", value).items():
                made[key] = self.value.raised(child, (*here, key), (*there, key), moved)
            return made
        if not isinstance(value, list):
            return Leaf().raised(value, here, there, moved)
        for number, pair in enumerate(cast("list[Json]", value)):
            entry = _table(pair)
            key = entry.get("key")
            if isinstance(key, str) and made.get(key) is None:
                made[key] = self.value.raised(entry.get("value"), (*here, number, "value"), (*there, key), moved)
        return made

    def fit(self, value: Json) -> int:  # noqa: D102
        return 1 if isinstance(value, (dict, list)) else -1

    def asks(self, path: Path) -> bool:  # noqa: D102
        return self.value.asks(path[1:])


class Placed(msgspec.Struct, frozen=True):
    """A tuple that was asked for as an object with a key for each place; empty where no place has a value."""

    places: list[Raiser]

    def raised(self, value: Json, here: Path, there: Path, moved: dict[Path, Path]) -> Json:  # noqa: D102
        given: list[tuple[str | int, Json]]
        if isinstance(value, dict):
            given = [(f"item_{number}", value.get(f"item_{number}")) for number in range(1, len(self.places) + 1)]  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        elif isinstance(value, list):
            given = list(enumerate(cast("list[Json]", value)))
        else:
            return Leaf().raised(value, here, there, moved)
        if all(child is None for _, child in given):
            return []
        return [
            (self.places[number] if number < len(self.places) else Leaf()).raised(child, (*here, key), (*there, number), moved)
            for number, (key, child) in enumerate(given)
        ]

    def fit(self, value: Json) -> int:  # noqa: D102
        if isinstance(value, list):
            return 1
        return 2 * sum(f"item_{number}" in value for number in range(1, len(self.places) + 1)) - 1 if isinstance(value, dict) else -1

    def asks(self, path: Path) -> bool:  # noqa: D102
        return True


class Choice(msgspec.Struct, frozen=True):
    """One of several: the one that a value looks most like."""

    options: list[Raiser]

    def raised(self, value: Json, here: Path, there: Path, moved: dict[Path, Path]) -> Json:  # noqa: D102
        best = max(self.options, key=lambda option: option.fit(value))
        return best.raised(value, here, there, moved)

    def fit(self, value: Json) -> int:  # noqa: D102
        return max(option.fit(value) for option in self.options)

    def asks(self, path: Path) -> bool:  # noqa: D102
        return any(option.asks(path) for option in self.options)


def holds(value: Json) -> bool:
    """Whether there is a scalar anywhere in a value."""
    if isinstance(value, dict):
        return any(holds(child) for child in cast("dict[str, Json]", value).values())
    if isinstance(value, list):
        return any(holds(child) for child in cast("list[Json]", value))
    return value is not None


def _table(value: Json) -> dict[str, Json]:
    return cast("dict[str, Json]", value) if isinstance(value, dict) else {}


def _fresh(value: Json) -> Json:
    if isinstance(value, list):
        return list(cast("list[Json]", value))
    return dict(cast("dict[str, Json]", value)) if isinstance(value, dict) else value
