"""Values that a model gave, made to fit their schema where there is one way to do so, and the rest named for the model to repair.

fitted = fit({"total": "12.50", "paid": "yes"}, schema)
fitted.value        # {"total": 12.5, "paid": True}
fitted.problems     # [] or what still does not fit, in words that a model understands
"""

from __future__ import annotations

import json
import re
from typing import Any, cast

import msgspec

from heliograph.extraction.normalise import dates
from heliograph.extraction.prompted.states import settled
from heliograph.extraction.result import Path, walk
from heliograph.extraction.schema import Field, Schema

Json = Any

_ROUNDS = 3
"""Checks of the whole; each may lay bare what a wrong value above hid."""
_TRIES = 200
"""Checks in search of the values for which an object does not fit."""
_SHOWN = 60
"""Characters of a wrong value that are quoted."""
_LISTED = 12
"""Values of an enum that are named."""
_YES = frozenset(("true", "yes", "y", "ja", "oui", "si", "sí", "x", "✓", "checked"))
_NO = frozenset(("false", "no", "n", "nein", "non", "unchecked"))
_NOTHING = frozenset(("", "null", "none", "n/a", "na", "nil", "-", "--", "unknown", "not found", "not available", "not specified"))
_PLAIN = re.compile(r"[-+]?(?:\d{1,30}(?:\.\d{1,30})?|\.\d{1,30})", re.ASCII)
_GROUPED = re.compile(r"[-+]?\d{1,3}(?:(,)\d{3})+\.\d{1,4}|[-+]?\d{1,3}(?:(\.)\d{3})+,\d{1,4}|[-+]?\d{1,3}(?:(,)\d{3}){2,}", re.ASCII)
_AROUND = re.compile(r"^(?:[A-Z]{3}\b|[$€£¥₹%])\s*|\s*(?:\b[A-Z]{3}|[$€£¥₹%])$")
_ISO = re.compile(r"\d{4}-\d\d-\d\d")


class Problem(msgspec.Struct, frozen=True):
    """A value that does not fit. `soft`: the schema's validator allows it, though it is not what was asked for. `leaf`: it is a scalar."""

    path: Path
    message: str
    soft: bool = False
    leaf: bool = True


class Fitted(msgspec.Struct):
    """`value` as far as it could be made to fit, and the problems that are left.

    `moved`: lists whose entries have other numbers now. `faulted`: where the validator found fault with what was said; elsewhere a
    value may be of a kind that its field has beside the one it is known by.
    """

    value: Json
    problems: list[Problem] = []
    moved: list[Path] = []
    faulted: list[Path] = []


def fit(value: Json, schema: Schema) -> Fitted:
    """Make `value` fit `schema` where there is one way to. Keys that it lacks stay lacking."""
    whole = _whole(value, schema)
    made = Fitted(value, faulted=[violation.path for violation in schema.violations(whole)])
    made.value = _shaped(value, schema.root, (), made)
    odd = [problem.path for problem in made.problems if not problem.leaf and not problem.soft]
    for _ in range(_ROUNDS):
        changed = False
        whole = _whole(without(made.value, made.problems, schema), schema)
        left: list[Problem] = []
        for violation in schema.violations(whole):
            path = violation.path
            field = field_at(schema.root, path)
            found = _at(made.value, path)
            if found is ... or any(_beside(path, one) for one in odd):
                continue
            if isinstance(found, (dict, list)):
                if field is not None and _trimmed(found, field, path, violation.message, made):
                    changed = True
                elif culprits := _culprits(whole, path, schema):
                    left += [Problem(one, _said(_at(whole, one), field_at(schema.root, one)) or "does not fit") for one in culprits]
                else:
                    left.append(Problem(path, violation.message[:200], leaf=False))
            elif found is not None:
                left.append(Problem(path, _said(found, field) or violation.message[:200]))
        if not changed:
            made.problems += left
            break
    return made


def _whole(value: Json, schema: Schema) -> Json:
    """A copy with every key, so that one that lacks is no fault."""
    return settled(_copied(value), schema.root, {}, missing="absent", null="absent")


def without(value: Json, problems: list[Problem], schema: Schema) -> Json:
    """`value` with null in the place of every scalar that does not fit, and without the key where null does not fit either."""
    made = _copied(value)
    dropped = [problem.path for problem in problems if problem.leaf and not problem.soft]
    for path in dropped:
        made = put(made, path, None)
    if not dropped:
        return made
    whole = _whole(made, schema)
    for violation in schema.violations(whole):
        path = violation.path
        if path in dropped and isinstance(parent := _at(made, path[:-1]), dict):
            cast("dict[str | int, Json]", parent).pop(path[-1], None)
    return made


def put(value: Json, path: Path, new: Json) -> Json:
    """`value` with `new` at a path that is there; it is changed in place, but for the root."""
    if not path:
        return new
    if _at(value, path) is not ...:
        cast("dict[str | int, Json]", _at(value, path[:-1]))[path[-1]] = new
    return value


def scalars(value: Json) -> int:
    """How many scalars besides null are in a value."""
    return sum(found is not None for _, found in walk(value))


def field_at(field: Field | None, path: Path) -> Field | None:
    """The field of the value at `path`; of several shapes the first that has such a place."""
    for step in path:
        if field is None:
            return None
        shapes = [field, *field.variants]
        field = next((found for shape in shapes if (found := _below(shape, step)) is not None), None)
    return field


def _below(shape: Field, step: str | int) -> Field | None:
    if isinstance(step, int):
        return shape.places[step] if step < len(shape.places) else shape.item
    return shape.field(step) or shape.others


def _at(value: Json, path: Path) -> Json:
    """What stands at `path`; `...` for nothing."""
    for step in path:
        if isinstance(value, dict) and step in value:
            value = cast("dict[str | int, Json]", value)[step]
        elif isinstance(value, list) and isinstance(step, int) and step < len(cast("list[Json]", value)):
            value = cast("list[Json]", value)[step]
        else:
            return ...
    return value


def _copied(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _copied(child) for key, child in cast("dict[str, Json]", value).items()}
    return [_copied(child) for child in cast("list[Json]", value)] if isinstance(value, list) else value


def _shaped(value: Json, field: Field, path: Path, made: Fitted) -> Json:
    if value is None:
        return None
    shapes = [field, *field.variants]
    shape = max(shapes, key=lambda each: _likeness(value, each))
    if _likeness(value, shape) < 0:
        if not any(_beside(path, one) for one in made.faulted):
            return value
        for each in shapes:
            other = _coerced(value, each, alone=len(shapes) == 1)
            if other is not ...:
                return _shaped(other, field, path, made) if other != value or type(other) is not type(value) else other
        made.problems.append(Problem(path, _said(value, field) or "is not what was asked for", leaf=not isinstance(value, (dict, list))))
        return value
    if isinstance(value, dict):
        table = cast("dict[str, Json]", value)
        return {
            key: _shaped(child, inner, (*path, key), made) if (inner := _below(shape, key)) is not None else child
            for key, child in table.items()
        }
    if isinstance(value, list):
        items = cast("list[Json]", value)
        fitted = [
            _shaped(child, inner, (*path, number), made) if (inner := _below(shape, number)) is not None else child
            for number, child in enumerate(items)
        ]
        if None in fitted and shape.item is not None and shape.item.is_leaf and not shape.item.nullable:
            made.moved.append(path)  # a list of scalars has no entry that is not there
            fitted = [item for item in fitted if item is not None]
        return fitted
    if isinstance(value, str) and not value.strip() and not shape.enum:
        return None
    if shape.format == "date" and isinstance(value, str) and not _ISO.fullmatch(value):
        settled_date = _date(value)
        if settled_date is None:
            made.problems.append(Problem(path, _said(value, shape), soft=True))
        return settled_date or value
    return value


def _likeness(value: Json, shape: Field) -> int:
    """How well a value looks like a shape; negative where it does not fit it."""
    match shape.kind:
        case "any":
            return 0
        case "object":
            return 1 + sum(shape.field(key) is not None for key in cast("dict[str, Json]", value)) if isinstance(value, dict) else -1
        case "array":
            return 1 if isinstance(value, list) else -1
        case "boolean":
            fits = isinstance(value, bool)
        case "integer":
            fits = (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())
        case "number":
            fits = isinstance(value, (int, float)) and not isinstance(value, bool)
        case "string":
            fits = isinstance(value, str)
        case _:
            fits = False
    if fits and shape.enum:
        fits = value in shape.enum
    if fits and shape.const is not msgspec.UNSET:
        fits = value == shape.const
    return 1 if fits else -1


def _coerced(value: Json, shape: Field, *, alone: bool) -> Json:
    """The one value of this shape that was meant, `...` where there is none or more than one. `alone`: there is no other shape."""
    if isinstance(value, list):
        items = cast("list[Json]", value)
        return items[0] if len(items) == 1 and shape.kind != "array" else ...
    if shape.const is not msgspec.UNSET:
        return shape.const if alone and shape.is_leaf else ...
    if isinstance(value, dict):
        return [value] if shape.kind == "array" and shape.item is not None and shape.item.kind == "object" else ...
    text = value.strip() if isinstance(value, str) else None
    if text is not None and text.casefold() in _NOTHING and not (shape.kind == "string" and not shape.enum):
        return [] if shape.kind == "array" else None
    if shape.enum:
        meant = [each for each in shape.enum if _plain(each) == _plain(value)]
        return meant[0] if len(meant) == 1 else ...
    match shape.kind:
        case "array":
            return [value] if shape.item is not None and shape.item.is_leaf else ...
        case "boolean":
            word = str(value).strip().casefold()
            return True if word in _YES else False if word in _NO else ...
        case "number" | "integer":
            return _number(text, whole=shape.kind == "integer") if text is not None else ...
        case "string":
            return ("true" if value else "false") if isinstance(value, bool) else str(value)
        case _:
            return ...


def _number(text: str, *, whole: bool) -> Json:
    """The number that a text spells: `12.50`, `$ 1,234.50`, `1.234,50`; not `1,234`, which may be two."""
    bare = _AROUND.sub("", _AROUND.sub("", text)).replace("\u00a0", " ").strip()
    if _GROUPED.fullmatch(bare):
        bare = bare.replace(".", "").replace(",", ".") if bare.rfind(",") > bare.rfind(".") > -1 else bare.replace(",", "")
    if not _PLAIN.fullmatch(bare):
        return ...
    value = float(bare)
    if "." not in bare:
        return int(bare)
    return ... if whole and not value.is_integer() else int(value) if whole else value


def _date(text: str) -> str | None:
    """The ISO date that a text is, where day and month cannot be taken for each other."""
    found = dates(text)
    if len(found) != 1 or text[: found[0].start].strip() or text[found[0].end :].strip(" .,"):
        return None
    one = found[0].settle(day_first=True)
    return one.isoformat() if one is not None and one == found[0].settle(day_first=False) else None


def _plain(value: Json) -> str:
    return re.sub(r"[\W_]+", "", str(value)).casefold()


def _trimmed(found: Json, field: Field, path: Path, message: str, made: Fitted) -> bool:
    """Take out of a list or an object what its schema does not allow in it. Returns whether something was."""
    if isinstance(found, dict):
        extra = [key for key in cast("dict[str, Json]", found) if _below(field, key) is None]
        if "dditional properties" not in message or not extra:
            return False
        for key in extra:
            del found[key]
        return True
    items = cast("list[Json]", found)
    if field.max_items is not None and len(items) > field.max_items:
        made.problems.append(Problem(path, f"has {len(items)} entries, and may have {field.max_items}", soft=True, leaf=False))
        del items[field.max_items :]
        return True
    if "non-unique" in message:
        kept = [item for number, item in enumerate(items) if item not in items[:number]]
        made.moved.append(path)
        items[:] = kept
        return True
    return False


def _culprits(whole: Json, path: Path, schema: Schema) -> list[Path]:
    """The scalars for which an object or list at `path` does not fit, which a validator does not name where there are alternatives.

    With all of them null it fits; they are put back in halves, and those with which it does not fit again are split until they are one.
    """
    tried = 0

    def fits(value: Json) -> bool:
        nonlocal tried
        tried += 1
        return not any(_beside(path, violation.path) for violation in schema.violations(value))

    given = [((*path, *below), value) for below, value in walk(_at(whole, path)) if value is not None]
    base = _copied(whole)
    for place, _ in given:
        base = put(base, place, None)
    if not fits(base):
        return []
    found: list[Path] = []
    groups = [given]
    while groups and tried < _TRIES:
        group = groups.pop()
        trial = _copied(base)
        for place, value in group:
            trial = put(trial, place, value)
        if fits(trial):
            base = trial
        elif len(group) == 1:
            found.append(group[0][0])
        else:
            groups += [group[len(group) // 2 :], group[: len(group) // 2]]
    return sorted(found, key=lambda one: [str(step) for step in one]) if not groups else []


def _beside(a: Path, b: Path) -> bool:
    """Whether one of two places is in the other."""
    return a[: len(b)] == b or b[: len(a)] == a


def _said(value: Json, field: Field | None) -> str:
    """That a value is not what its field asks for, in words."""
    if field is None:
        return ""
    text = json.dumps(value, ensure_ascii=False)
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return f"{shown} is not {' or '.join(dict.fromkeys(_wanted(shape) for shape in [field, *field.variants]))}, or null"


def _wanted(field: Field) -> str:
    if field.const is not msgspec.UNSET:
        return json.dumps(field.const, ensure_ascii=False)
    if field.enum:
        listed = ", ".join(json.dumps(value, ensure_ascii=False) for value in field.enum[:_LISTED])
        return f"one of {listed}" + (", …" if len(field.enum) > _LISTED else "")
    if field.format == "date":
        return "a date written YYYY-MM-DD"
    names = {"integer": "a whole number", "array": "a list", "object": "an object", "any": "a value", "boolean": "true or false"}
    said = names.get(field.kind, f"a {field.kind}")
    limits = [
        f"at least {field.minimum:g}" if field.minimum is not None else "",
        f"at most {field.maximum:g}" if field.maximum is not None else "",
        f"of at most {field.max_length} characters" if field.max_length is not None else "",
        f"that matches {field.pattern}" if field.pattern else "",
        f"in the format {field.format}" if field.format else "",
    ]
    return " ".join([said, " and ".join(limit for limit in limits if limit)]).strip()
