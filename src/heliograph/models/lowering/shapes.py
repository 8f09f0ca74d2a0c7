"""A JSON Schema of any draft as a tree of shapes: `$ref`s resolved, combinators merged, what no decoder enforces put into words.

What a shape does not carry is recorded as a `Loss`. Recursion is followed twice and then cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, cast
from urllib.parse import unquote

import jsonschema_rs
import msgspec

Json = Any
Node = dict[str, Any]
Kind = Literal["string", "number", "integer", "boolean", "object", "array", "any"]
Place = tuple[str, ...]

MAX_SHAPES = 5_000
_DEEPEST = 64
_MANY = 200
"""Shapes after which recursion is followed once instead of twice."""
_MOST_CHOICES = 8
_TYPES: tuple[Kind, ...] = ("string", "number", "integer", "boolean", "object", "array")
_REFS = ("$ref", "$dynamicRef", "$recursiveRef")
_COMBINING = (*_REFS, "allOf", "anyOf", "oneOf")
_IMPLIED: dict[str, Kind] = {
    "properties": "object", "required": "object", "additionalProperties": "object", "patternProperties": "object",
    "minProperties": "object", "maxProperties": "object", "propertyNames": "object", "dependentRequired": "object",
    "items": "array", "prefixItems": "array", "minItems": "array", "maxItems": "array", "uniqueItems": "array", "contains": "array",
    "format": "string", "pattern": "string", "minLength": "string", "maxLength": "string",
    "minimum": "number", "maximum": "number", "exclusiveMinimum": "number", "exclusiveMaximum": "number", "multipleOf": "number",
}  # fmt: skip
_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_SAID: dict[str, tuple[str, ...]] = {
    "string": ("format", "pattern", "minLength", "maxLength"),
    "number": _NUMBERS,
    "integer": _NUMBERS,
    "array": ("minItems", "maxItems", "uniqueItems"),
    "object": ("minProperties", "maxProperties", "propertyNames"),
}
_WORDS: dict[str, str] = {
    "pattern": "matching {}", "minLength": "at least {} characters", "maxLength": "at most {} characters",
    "minimum": "at least {}", "maximum": "at most {}", "exclusiveMinimum": "more than {}", "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}", "maxItems": "at most {} of them", "uniqueItems": "without repeats",
    "maxProperties": "at most {} of them",
}  # fmt: skip
_UNFORCED = ("minItems", "minProperties")
"""What an honest answer cannot be held to, since a document may have fewer."""
_DROPPED = (
    "not", "if", "contains", "dependentRequired", "dependentSchemas", "dependencies", "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip
_FORMATS = {
    "date": "a date, YYYY-MM-DD",
    "date-time": "a date and time, YYYY-MM-DDThh:mm:ss",
    "time": "a time, hh:mm:ss",
    "duration": "an ISO 8601 duration",
}


class Loss(msgspec.Struct, frozen=True):
    """What the model is not held to. `path` has `[]` for the items of a list and `*` for the values of a map."""

    path: Place
    keyword: str
    why: str


class Option(msgspec.Struct):
    """One of the kinds of value a place may have. `enum` only for scalars, None for any value."""

    kind: Kind
    enum: list[Json] | None = None
    format: str = ""
    fields: dict[str, Shape] = {}
    others: Shape | None = None
    """What the values of further keys are; None where there are none."""
    item: Shape | None = None
    places: list[Shape] = []
    """What each place of a tuple is."""
    notes: list[str] = []
    """Constraints in words."""
    fixed: bool = False
    """Whether the schema asks for one constant, which no document says."""

    @property
    def is_leaf(self) -> bool:
        """Whether its values are scalars."""
        return self.kind not in ("object", "array")


class Shape(msgspec.Struct):
    """A place in the answer. Without options only null fits it."""

    path: Place
    options: list[Option]
    nullable: bool = False
    required: bool = True
    description: str = ""

    @property
    def is_leaf(self) -> bool:
        """Whether its values are scalars."""
        return all(option.is_leaf for option in self.options)


def read(schema: Json) -> tuple[Shape, list[Loss]]:
    """The tree of a schema, and what it does not carry."""
    reading = _Reading(cast("Node", schema) if isinstance(schema, dict) else {})
    shape = reading.shape(reading.root, (), (), required=True)
    return shape or Shape((), [Option("any")]), list(dict.fromkeys(reading.lost))


class _Reading:
    """Walks one schema once. `open_refs` are the `$ref`s followed on the way down, which bound recursion."""

    def __init__(self, root: Node) -> None:
        self.root = root
        self.lost: list[Loss] = []
        self.count = 0
        self.anchors = dict(_anchors(root))

    def lose(self, path: Place, keyword: str, why: str) -> None:
        self.lost.append(Loss(path, keyword, why))

    def shape(self, node: Json, path: Place, open_refs: tuple[str, ...], *, required: bool) -> Shape | None:
        """The shape of `node`, or None where nothing can stand: `false`, or recursion too deep."""
        if node is False:
            return None
        self.count += 1
        if self.count > MAX_SHAPES or len(path) > _DEEPEST:
            self.lose(path, "properties", f"more than {MAX_SHAPES} fields or {_DEEPEST} levels")
            return None
        flat, open_refs = self._flat(node, path, open_refs, frozenset())
        deepest = max((open_refs.count(ref) for ref in set(open_refs)), default=0)
        if deepest > 2 or (deepest > 1 and self.count > _MANY):
            self.lose(path, "$ref", "recursion is followed twice")
            return None
        made = Shape(path, [], required=required, description=_described(flat, path))
        for merged, refs in self._alternatives(flat, path, open_refs, made):
            self._options(merged, path, refs, made)
        _gather(made)
        if len(made.options) > _MOST_CHOICES:
            self.lose(path, "anyOf", f"more than {_MOST_CHOICES} alternatives")
            made.options = made.options[:_MOST_CHOICES]
        return made

    def _flat(self, node: Json, path: Place, open_refs: tuple[str, ...], seen: frozenset[str]) -> tuple[Node, tuple[str, ...]]:
        """`node` with its `$ref`s and `allOf`s merged into it; `anyOf` and `oneOf` gathered under `_any`."""
        if not isinstance(node, dict):
            return {"_any": []}, open_refs
        typed = cast("Node", node)
        made: Node = {key: value for key, value in typed.items() if key not in _COMBINING and key not in ("$defs", "definitions")}
        made["_any"] = [typed[key] for key in ("anyOf", "oneOf") if isinstance(typed.get(key), list) and typed[key]]
        if "oneOf" in typed and len(_list(typed["oneOf"])) > 1:
            self.lose(path, "oneOf", "sent as anyOf")
        for key in _REFS:
            ref = typed.get(key)
            if isinstance(ref, str):
                if ref in seen or (target := self._target(ref)) is None:
                    self.lose(path, key, f"{ref} leads nowhere")
                    continue
                other, open_refs = self._flat(target, path, (*open_refs, ref), seen | {ref})
                made = self._merged(made, other, path)
        for part in _list(typed.get("allOf")):
            other, open_refs = self._flat(part, path, open_refs, seen)
            made = self._merged(made, other, path)
        return made, open_refs

    def _target(self, ref: str) -> Json:
        base, _, fragment = ref.partition("#")
        if ref in self.anchors:
            return self.anchors[ref]
        node: Json = self.anchors.get(base) if base else self.root
        if base and node is None:
            node = next((found for name, found in self.anchors.items() if name.rsplit("/", 1)[-1] == base), None)
        if fragment and not fragment.startswith("/"):
            return self.anchors.get("#" + fragment)
        for part in fragment.split("/")[1:]:
            step = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(node, dict):
                node = cast("Node", node).get(step)
            elif isinstance(node, list) and step.isdigit() and int(step) < len(cast("list[Json]", node)):
                node = cast("list[Json]", node)[int(step)]
            else:
                return None
        return node

    def _alternatives(self, flat: Node, path: Place, open_refs: tuple[str, ...], made: Shape) -> list[tuple[Node, tuple[str, ...]]]:
        """Every way to choose from the `anyOf`s, each merged with what holds for all; a choice of null is noted on `made`."""
        choices = cast("list[list[Json]]", flat.pop("_any", []))
        combined = [(flat, open_refs)]
        for options in choices:
            wider: list[tuple[Node, tuple[str, ...]]] = []
            for base, refs in combined:
                for option in options:
                    if option is False:
                        continue
                    branch, more = self._flat(option, path, refs, frozenset())
                    if _only_null(branch):
                        made.nullable = True
                    elif self._agree(base, branch):
                        merged = self._merged(base, branch, path)
                        if "const" in branch and (meaning := branch.get("description") or branch.get("title")):
                            merged["_meaning"] = meaning
                        elif sum(not _only_null(cast("Node", each)) for each in options if isinstance(each, dict)) == 1:
                            made.description = made.description or _described(branch, path)
                        nested = merged.pop("_any", [])
                        wider += self._alternatives({**merged, "_any": nested}, path, more, made) if nested else [(merged, more)]
            if len(wider) > _MOST_CHOICES and not all("const" in node or "enum" in node for node, _ in wider):
                self.lose(path, "anyOf", f"more than {_MOST_CHOICES} alternatives")
                wider = wider[:_MOST_CHOICES]
            combined = wider
        return combined

    def _agree(self, a: Node, b: Node) -> bool:
        """Whether a value could have the types of both."""
        return "type" not in a or "type" not in b or bool(_common(_list(a["type"]), _list(b["type"])))

    def _merged(self, a: Node, b: Node, path: Place) -> Node:
        """What both ask for; `a`'s words win, and where they contradict each other, `a`."""
        made = dict(a)
        for key, value in b.items():
            mine = made.get(key)
            if key not in made or mine is None:
                made[key] = value
            elif key == "_any":
                made[key] = [*mine, *value]
            elif key == "type":
                made[key] = _common(_list(mine), _list(value)) or mine
            elif key in ("properties", "patternProperties") and isinstance(value, dict) and isinstance(mine, dict):
                table = dict(cast("Node", mine))
                for name, child in cast("Node", value).items():
                    table[name] = {"allOf": [table[name], child]} if name in table and table[name] != child else child
                made[key] = table
            elif key == "required":
                made[key] = list(dict.fromkeys([*_list(mine), *_list(value)]))
            elif key == "enum":
                made[key] = [item for item in _list(mine) if item in _list(value)] or mine
            elif key in ("items", "additionalProperties") and mine != value:
                made[key] = False if mine is False or value is False else {"allOf": [mine, value]}
            elif key not in ("title", "description", "default", "examples", "$id", "$schema", "$comment") and mine != value:
                self.lose(path, key, "asked for twice; the first is said")
        return made

    def _options(self, flat: Node, path: Place, open_refs: tuple[str, ...], made: Shape) -> None:
        kinds, nullable = _kinds(flat)
        made.nullable = made.nullable or nullable
        if _only_null(flat):
            return
        for keyword in _DROPPED:
            if keyword in flat and flat[keyword] not in (True, {}):
                self.lose(path, keyword, "no decoder is held to it")
        values = [flat["const"]] if "const" in flat else _list(flat["enum"]) if isinstance(flat.get("enum"), list) else None
        for kind in kinds or _kinds_of(values) or ["any"]:
            option = Option(kind, fixed="const" in flat)
            option.notes = self._said(flat, kind, path, option)
            if kind == "object":
                self._object(flat, path, open_refs, option)
            elif kind == "array":
                self._array(flat, path, open_refs, option)
            if values is not None:
                self._enumerated(option, values, path)
                if option.enum == []:
                    continue
            made.options.append(option)

    def _enumerated(self, option: Option, values: list[Json], path: Place) -> None:
        if not option.is_leaf or option.kind in ("boolean", "any"):
            self.lose(path, "enum", f"of {option.kind}s")
            if option.kind == "boolean" and not any(isinstance(value, bool) for value in values):
                option.enum = []
            return
        also = "integer" if option.kind == "number" else option.kind
        option.enum = [value for value in values if _kind_of(value) in (option.kind, also)]

    def _said(self, flat: Node, kind: Kind, path: Place, option: Option) -> list[str]:
        """The constraints of `kind` in words. What is only said is lost; what an honest answer cannot be held to is not even said."""
        notes: list[str] = [f"{flat['const']}: {flat['_meaning']}"] if "_meaning" in flat else []
        for keyword in _SAID.get(kind, ()):
            value = flat.get(keyword)
            if value is None or value is False or isinstance(value, (list, dict)):
                if isinstance(value, dict) and value:
                    self.lose(path, keyword, "no decoder is held to it")
                continue
            if keyword == "format":
                option.format = str(value)
                notes.append(_FORMATS.get(option.format, f"{option.format} format"))
                continue
            if keyword in _WORDS and not (keyword == "pattern" and len(str(value)) > 120):
                notes.append(_WORDS[keyword].format(value))
            if keyword not in _UNFORCED:
                self.lose(path, keyword, "said in the description")
        examples = [example for example in _list(flat.get("examples")) if isinstance(example, (str, int, float))][:3]
        if examples:
            notes.append("e.g. " + ", ".join(str(example) for example in examples))
        return notes

    def _object(self, flat: Node, path: Place, open_refs: tuple[str, ...], option: Option) -> None:
        table = cast("Node", flat["properties"]) if isinstance(flat.get("properties"), dict) else {}
        required = [name for name in _list(flat.get("required")) if isinstance(name, str)]
        for name, node in table.items():
            made = self.shape(node, (*path, name), open_refs, required=name in required)
            if made is not None:
                option.fields[name] = made
        patterns = cast("Node", flat["patternProperties"]) if isinstance(flat.get("patternProperties"), dict) else {}
        more: Json = flat.get("additionalProperties")
        further: list[Json] = [*patterns.values(), *([more] if isinstance(more, dict) and more and patterns else [])]
        if patterns:
            self.lose(path, "patternProperties", "keys are not held to their patterns")
            option.notes.append("keys like " + ", ".join(list(patterns)[:3]))
        for name in required:
            fitting = [child for pattern, child in patterns.items() if _matches(pattern, name)] or [more]
            if name not in table and fitting[0] is not False:
                made = self.shape({} if fitting[0] is None else fitting[0], (*path, name), open_refs, required=True)
                if made is not None:
                    option.fields[name] = made
        if further:
            more = further[0] if len(further) == 1 else cast("Json", {"anyOf": further})
        if (isinstance(more, dict) and more) or (more is not False and not option.fields and not table):
            option.others = self.shape(cast("Json", more) if isinstance(more, dict) else {}, (*path, "*"), open_refs, required=True)

    def _array(self, flat: Node, path: Place, open_refs: tuple[str, ...], option: Option) -> None:
        items = flat.get("items", True)
        prefix = _list(flat.get("prefixItems")) or (_list(items) if isinstance(items, list) else [])
        if prefix:
            shapes = [self.shape(node, (*path, f"[{number}]"), open_refs, required=True) for number, node in enumerate(prefix)]
            option.places = [shape or Shape((*path, f"[{number}]"), []) for number, shape in enumerate(shapes)]
            rest = flat.get("additionalItems") if isinstance(items, list) else flat.get("items")
            if isinstance(rest, dict) and rest:
                self.lose(path, "items", "what follows the places of a tuple is not asked for")
        elif items is not False and flat.get("maxItems") != 0:
            option.item = self.shape(items, (*path, "[]"), open_refs, required=True)


def _anchors(root: Node) -> Iterator[tuple[str, Node]]:
    """Subschemas by `$anchor`, `$dynamicAnchor` and `$id`."""
    todo: list[Json] = [root]
    found: set[str] = set()
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo += cast("list[Json]", node)
        if not isinstance(node, dict):
            continue
        typed = cast("Node", node)
        for key in ("$anchor", "$dynamicAnchor", "$id", "id"):
            name = typed.get(key)
            if isinstance(name, str):
                name = "#" + name if key.endswith("nchor") else name.rstrip("#")
                if name not in found:
                    found.add(name)
                    yield name, typed
        todo += [child for key, child in typed.items() if key not in ("enum", "const", "examples", "default")]


def _matches(pattern: str, name: str) -> bool:
    """Whether a key fits a pattern of `patternProperties`, in linear time; a pattern that cannot be matched so fits none."""
    try:
        options = jsonschema_rs.RegexOptions(size_limit=1 << 20)
        return jsonschema_rs.validator_for({"pattern": pattern}, pattern_options=options).is_valid(name)
    except (jsonschema_rs.ValidationError, ValueError):
        return False


def _list(value: Json) -> list[Json]:
    return cast("list[Json]", value) if isinstance(value, list) else [] if value is None else [value]


def _only_null(flat: Node) -> bool:
    return _list(flat.get("type")) == ["null"] or flat.get("enum") == [None] or ("const" in flat and flat["const"] is None)


def _kind_of(value: Json) -> Kind | Literal["null"]:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "integer" if float(value).is_integer() else "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _kinds_of(values: list[Json] | None) -> list[Kind]:
    present = {_kind_of(value) for value in values or []}
    return [kind for kind in _TYPES if kind in present]


def _kinds(flat: Node) -> tuple[list[Kind], bool]:
    """The kinds of value besides null that a schema names or implies, and whether null is among them."""
    named = _list(flat.get("type"))
    nullable = "null" in named or flat.get("nullable") is True or None in _list(flat.get("enum"))
    kinds = [kind for kind in _TYPES if kind in named]
    if not named and "enum" not in flat and "const" not in flat:
        implied = next((key for key in _IMPLIED if key in flat), None)
        kinds = [] if implied is None else [_IMPLIED[implied]]
    if "integer" in kinds and "number" in kinds:
        kinds.remove("integer")
    return cast("list[Kind]", kinds), nullable


def _common(a: list[Json], b: list[Json]) -> list[Json]:
    common = [kind for kind in a if kind in b or (kind == "integer" and "number" in b)]
    return common + [kind for kind in b if kind == "integer" and "number" in a and "integer" not in common]


def _described(flat: Node, path: Place) -> str:
    """A place's description, else its title where that says more than its name."""
    for word in ("description", "title"):
        text = flat.get(word)
        if isinstance(text, str) and text.strip():
            text = " ".join(text.split())
            name = path[-1] if path else ""
            if word == "description" or text.replace(" ", "").replace("_", "").lower() != name.replace("_", "").replace("-", "").lower():
                return text
    return ""


def _gather(shape: Shape) -> None:
    """One option for each thing to say: enums of a kind become one, equal options one, and a number goes before its spelling."""
    made: list[Option] = []
    for option in shape.options:
        same = next((other for other in made if other.kind == option.kind and option.is_leaf), None)
        if same is not None and same.enum is not None and option.enum is not None:
            same.enum += [value for value in option.enum if value not in same.enum]
            same.notes += [note for note in option.notes if note not in same.notes]
            same.fixed = False
        elif same is not None:
            same.enum, same.fixed = None, False
            same.format = same.format if same.format == option.format else ""
            same.notes = [note for note in same.notes if note in option.notes]
        elif not any(_alike(other, option) for other in made):
            made.append(option)
    if any(option.kind in ("number", "integer") for option in made):
        made = [option for option in made if not (option.kind == "string" and any(note.startswith("matching") for note in option.notes))]
    shape.options = made


def _alike(a: Option, b: Option) -> bool:
    """Whether two options ask for the same, but for what they require."""
    if a.kind != b.kind or a.enum != b.enum or a.format != b.format or list(a.fields) != list(b.fields) or len(a.places) != len(b.places):
        return False
    pairs: list[tuple[Shape | None, Shape | None]] = [(a.others, b.others), (a.item, b.item), *zip(a.places, b.places, strict=True)]
    pairs += [(a.fields[name], b.fields[name]) for name in a.fields]
    return all(
        (x is None) == (y is None)
        and (
            x is None
            or y is None
            or (len(x.options) == len(y.options) and all(_alike(p, q) for p, q in zip(x.options, y.options, strict=True)))
        )
        for x, y in pairs
    )
