"""`lower`, `Lowered` and `join`: the way there and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from heliograph.models.contract import Profile
from heliograph.models.lowering.raising import Json, Path, Raiser
from heliograph.models.lowering.rules import rules_of
from heliograph.models.lowering.sending import send
from heliograph.models.lowering.shapes import Loss, read
from heliograph.models.lowering.splitting import curtail, split

_SHARE = 0.5
"""Part of the output limit that a usual answer may fill before its schema is split."""


class Lowered:
    """A schema as one backend takes it.

    `schema` is what is sent, with a root that is an object. `lost` is what the model is not held to, in paths of the original.
    """

    def __init__(self, schema: dict[str, Any], lost: list[Loss], raiser: Raiser) -> None:
        self.schema = schema
        self.lost = lost
        self._raiser = raiser

    def raised(self, value: Json) -> Json:
        """An answer to `schema` as an answer to the original. What fits neither is left as it is."""
        return self.traced(value)[0]

    def traced(self, value: Json) -> tuple[Json, dict[Path, Path]]:
        """The raised answer, and for each scalar of `value`, by its path there, the path it has now."""
        moved: dict[Path, Path] = {}
        return self._raiser.raised(value, (), (), moved), moved

    def asks(self, path: Path) -> bool:
        """Whether this part asks for the value that has `path` in the original."""
        return self._raiser.asks(path)


def lower(schema: dict[str, Any], profile: Profile) -> list[Lowered]:
    """`schema` for a backend: one, or several to be asked apart where one would be too large.

    Raises nothing for any JSON object: what makes no sense asks for any scalar. Equal schemas and profiles give equal bytes.
    """
    rules = rules_of(profile)
    root, lost = read(schema)
    made: list[Lowered] = []
    for part in split(root, rules, int(profile.max_output * _SHARE)):
        dropped = curtail(part, rules)
        node, raiser, more = send(part, rules)
        made.append(Lowered(node, list(dict.fromkeys([*lost, *dropped, *more])), raiser))
    return made


def join(parts: Sequence[Lowered], values: Sequence[Json]) -> Json:
    """The raised answers of all parts as one. Objects are merged, and a value beats a null."""
    assert len(parts) == len(values)
    made: Json = None
    for value in values:
        made = _joined(made, value)
    return made


def _joined(a: Json, b: Json) -> Json:
    if isinstance(a, dict) and isinstance(b, dict):
        made = dict(cast("dict[str, Json]", a))
        for key, value in cast("dict[str, Json]", b).items():
            made[key] = _joined(made[key], value) if key in made else value
        return made
    return cast("Json", b if a is None else a)
