"""Any JSON Schema a client sends, as a tree of fields that extraction can fill.

    schema = compile_schema({...})   # InvalidRequest when no value could ever fit, or when it refers outside itself
    schema.root                      # Field: what is asked, $refs and combinators resolved
    schema.nullable                  # the schema an honest answer fits: every leaf may also be null
    schema.check(answer)             # [] or sentences saying what does not fit

Source of the keywords: JSON Schema 2020-12 (and drafts 4 to 2019-09), as pydantic and zod write them. Validation is
jsonschema-rs with its linear-time regular expressions; a pattern those cannot express (look-around) is not enforced, and
`Schema.warnings` says so. Imports nothing heavy: the API process compiles schemas at submit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, cast
from urllib.parse import unquote

import jsonschema_rs
import msgspec

from heliograph.errors import InvalidRequest

Kind = Literal["string", "number", "integer", "boolean", "object", "array", "any", "null"]
Json = Any
Node = dict[str, Any]

METADATA_SUFFIX = "_metadata"
MAX_FIELDS = 5_000
"""Fields of one schema; more is refused, because no document answers them."""
MAX_DEPTH = 64

_TYPES = ("string", "number", "integer", "boolean", "object", "array", "null")
_IMPLIED: dict[str, Kind] = {
    "properties": "object", "required": "object", "additionalProperties": "object", "patternProperties": "object",
    "minProperties": "object", "maxProperties": "object", "propertyNames": "object",
    "items": "array", "prefixItems": "array", "minItems": "array", "maxItems": "array", "uniqueItems": "array", "contains": "array",
    "format": "string", "pattern": "string", "minLength": "string", "maxLength": "string",
    "minimum": "number", "maximum": "number", "exclusiveMinimum": "number", "exclusiveMaximum": "number", "multipleOf": "number",
}  # fmt: skip
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_BOUNDS = (("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems"), ("minProperties", "maxProperties"))
_BOUNDED = {"minimum": ("number", "integer"), "minLength": ("string",), "minItems": ("array",), "minProperties": ("object",)}
_ONE = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LIST = ("allOf", "anyOf", "oneOf", "prefixItems")
_COMBINING = ("$ref", "$dynamicRef", "$recursiveRef", "allOf", "anyOf", "oneOf")
_SINGLE = ("items", "additionalProperties", "additionalItems", "unevaluatedProperties", "unevaluatedItems", "then", "else")


class Field(msgspec.Struct):
    """One place in the answer.

    `path` names it in the schema, `"[]"` standing for "each item". `kind` is what a value here is; `any` takes whatever the
    document says. Objects have `fields` in schema order, arrays an `item` (None where recursion ended), and `variants` are
    the other shapes that an `anyOf`/`oneOf` allows.
    """

    name: str
    path: tuple[str, ...]
    kind: Kind
    nullable: bool = False
    required: bool = False
    title: str = ""
    description: str = ""
    format: str = ""
    pattern: str = ""
    enum: list[Json] | None = None
    const: Json | msgspec.UnsetType = msgspec.UNSET
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = None
    max_items: int | None = None
    examples: list[Json] = []
    fields: list[Field] = []
    item: Field | None = None
    places: list[Field] = []
    """What each place of a tuple (`prefixItems`) is."""
    others: Field | None = None
    """What the values of further keys are, where an object is open (`additionalProperties` with a schema, or `true` alone)."""
    variants: list[Field] = []

    @property
    def is_leaf(self) -> bool:
        """Whether a value here is a scalar."""
        return self.kind not in ("object", "array")

    @property
    def dotted(self) -> str:
        """`path` as people write it: `items[].unit_price`."""
        return ".".join(self.path).replace(".[]", "[]")

    def field(self, name: str) -> Field | None:
        """The field of this object with that name."""
        return next((field for field in self.fields if field.name == name), None)

    def leaves(self) -> Iterator[Field]:
        """Every scalar field below (or at) this one, in schema order, array items once."""
        if self.is_leaf:
            yield self
        for child in self.fields:
            yield from child.leaves()
        if self.item is not None:
            yield from self.item.leaves()


class Violation(msgspec.Struct, frozen=True):
    """Where an answer does not fit its schema, and why, in a sentence."""

    path: tuple[str | int, ...]
    message: str


class Schema:
    """A compiled schema. Make one with `compile_schema`."""

    def __init__(self, source: Node, root: Field, nullable: Node, warnings: list[str]) -> None:
        self.source = source
        self.root = root
        self.nullable = nullable
        self.warnings = warnings
        self._validator: jsonschema_rs.Validator | None = None

    @property
    def fields(self) -> list[Field]:
        """The fields of the answer's top level."""
        return self.root.fields

    def violations(self, value: Json) -> list[Violation]:
        """Where `value` does not fit `nullable`."""
        if self._validator is None:
            self._validator = _validator(self.nullable)
        return [
            Violation(_located(value, error.instance_path, error.instance), error.message.split("\n")[0])
            for error in self._validator.iter_errors(value)
        ]

    def check(self, value: Json) -> list[str]:
        """Sentences naming path and reason for everything in `value` that does not fit; empty when it does."""
        return [f"{_place(v.path)}: {v.message}" for v in self.violations(value)]


def compile_schema(source: Json) -> Schema:
    """Understand a JSON Schema, or raise InvalidRequest with the path at fault.

    Refused: not a valid schema, a `$ref` to another document, one that no value fits, a field `x_metadata` beside a scalar
    field `x` (that name is where the citation of `x` goes), more than MAX_FIELDS fields.
    """
    if source is True:
        source = {}
    if not isinstance(source, dict):
        raise InvalidRequest("The JSON Schema must be an object.", param="json_schema")
    node = cast("Node", source)
    if _depth(node) > 4 * MAX_DEPTH:
        raise InvalidRequest("The JSON Schema is nested too deeply.", param="json_schema")
    warnings: list[str] = []
    clean = cast("Node", _cleaned(node, "", warnings))
    if clean.get("$schema") not in _DIALECTS:
        clean.pop("$schema", None)
    compiler = _Compiler(clean)
    root = compiler.field("", clean, ("$",), ())
    if root is None:
        raise _refuse("", "refers only to itself")
    _collisions(root)
    nullable = cast("Node", _nullable(clean, compiler))
    check_schema(clean)
    check_schema(nullable)
    return Schema(node, root, nullable, warnings)


def check_schema(schema: Node) -> None:
    """Raise InvalidRequest for what is no JSON Schema, refers to another document, or has a pattern that cannot be matched safely."""
    try:
        _validator(schema)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        lines = [line for line in str(error).split("\n") if line.strip()]
        raise InvalidRequest(f"The JSON Schema is not valid: {lines[0] if lines else error}", param="json_schema") from error


_DIALECTS = {
    f"{scheme}json-schema.org/{draft}/schema{end}"
    for scheme in ("http://", "https://")
    for draft in ("draft-04", "draft-06", "draft-07", "draft/2019-09", "draft/2020-12")
    for end in ("", "#")
}


def _validator(schema: Node) -> jsonschema_rs.Validator:
    def retrieve(uri: str) -> Json:
        raise ValueError(f"{uri} is another document")

    return jsonschema_rs.validator_for(schema, pattern_options=jsonschema_rs.RegexOptions(size_limit=1 << 20), retriever=retrieve)


def _located(value: Json, path: Sequence[str | int], instance: Json) -> tuple[str | int, ...]:
    """`path` as it leads through `value` to `instance`: the validator gives keys made of digits as numbers, and leaves empty keys out."""
    return next((way for way, end in _ways(value, tuple(path)) if end == instance), tuple(path))


def _ways(value: Json, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Json]]:
    """Every way that `path` may mean, and where it ends."""
    if not path:
        yield (), value
    steps: list[tuple[str | int, int]] = []
    if isinstance(value, dict):
        steps = [(str(path[0]), 1)] if path and str(path[0]) in value else []
        steps += [("", 0)] if "" in value else []
    elif isinstance(value, list) and path and isinstance(path[0], int) and path[0] < len(cast("list[Json]", value)):
        steps = [(path[0], 1)]
    for step, used in steps:
        for way, end in _ways(cast("Any", value)[step], path[used:]):
            yield (step, *way), end


def _refuse(path: str, why: str) -> InvalidRequest:
    return InvalidRequest(
        f"The JSON Schema {('at ' + path) if path else 'as a whole'} {why}.", param=f"json_schema{'.' + path if path else ''}"
    )


def _place(path: tuple[str | int, ...]) -> str:
    return ".".join(str(step) for step in path) or "the answer"


def _depth(value: Json) -> int:
    deepest, todo = 0, [(value, 1)]
    while todo:
        node, level = todo.pop()
        deepest = max(deepest, level)
        if isinstance(node, dict):
            todo += [(child, level + 1) for child in cast("Node", node).values()]
        elif isinstance(node, list):
            todo += [(child, level + 1) for child in cast("list[Json]", node)]
        if deepest > 5 * MAX_DEPTH:
            break
    return deepest


def _subschemas(node: Node) -> Iterator[tuple[str, Json]]:
    """Each subschema of `node`, with its pointer below it."""
    for key in _ONE:
        table = node.get(key)
        if isinstance(table, dict):
            for name, child in cast("Node", table).items():
                yield f"{key}/{name.replace('~', '~0').replace('/', '~1')}", child
    for key in (*_LIST, "items"):
        table = node.get(key)
        if isinstance(table, list):
            for index, child in enumerate(cast("list[Json]", table)):
                yield f"{key}/{index}", child
    for key in (*_SINGLE, "not", "if", "contains", "propertyNames"):
        child = node.get(key)
        if isinstance(child, (dict, bool)):
            yield key, child


def _mapped(node: Node, change: Any) -> Node:
    """A copy of `node` with `change(key, child)` applied to its positive subschemas (not those under `not`, `if`, `contains`)."""
    made = dict(node)
    for key in _ONE:
        if isinstance(node.get(key), dict):
            made[key] = {name: change(key, child) for name, child in cast("Node", node[key]).items()}
    for key in (*_LIST, "items"):
        if isinstance(node.get(key), list):
            made[key] = [change(key, child) for child in cast("list[Json]", node[key])]
    for key in _SINGLE:
        if isinstance(node.get(key), (dict, bool)):
            made[key] = change(key, node[key])
    return made


def _cleaned(node: Json, path: str, warnings: list[str]) -> Json:
    """A copy without patterns that linear-time matching cannot express."""
    if not isinstance(node, dict):
        return node
    made = dict(cast("Node", node))
    for key, child in list(_subschemas(made)):
        parent, slash, name = key.partition("/")
        new = _cleaned(child, f"{path}/{key}", warnings)
        if not slash:
            made[parent] = new
        elif isinstance(made[parent], list):
            items = list(cast("list[Json]", made[parent]))
            items[int(name)] = new
            made[parent] = items
        else:
            made[parent] = {**cast("Node", made[parent]), name.replace("~1", "/").replace("~0", "~"): new}
    pattern = made.get("pattern")
    if isinstance(pattern, str) and not _linear(pattern):
        del made["pattern"]
        warnings.append(
            f"pattern_not_enforced: {path.lstrip('/') or 'the schema'}: {pattern!r} needs look-around or is not a regular expression"
        )
    table = made.get("patternProperties")
    if isinstance(table, dict):
        kept = {name: child for name, child in cast("Node", table).items() if _linear(name)}
        if len(kept) < len(cast("Node", table)):
            warnings.append(f"pattern_not_enforced: {path.lstrip('/') or 'the schema'}: patternProperties")
            made["patternProperties"] = kept
            made.pop("additionalProperties", None)
    return made


def _linear(pattern: str) -> bool:
    try:
        jsonschema_rs.validator_for({"pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions(size_limit=1 << 20))
    except (jsonschema_rs.ValidationError, ValueError):
        return False
    return True


class _Unsatisfiable(Exception):
    """No value fits: path and reason."""

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{path}: {why}")


class _Compiler:
    """Walks one schema once. `active` holds the targets of the `$ref`s open above, to bound recursion."""

    def __init__(self, root: Node) -> None:
        self.root = root
        self.count = 0
        self.names = self._named(root)

    def _named(self, root: Node) -> dict[str, Node]:
        """Subschemas by `$anchor`, `$dynamicAnchor` and `$id`."""
        found: dict[str, Node] = {}
        todo: list[Json] = [root]
        while todo:
            node = todo.pop()
            if not isinstance(node, dict):
                continue
            typed = cast("Node", node)
            for key in ("$anchor", "$dynamicAnchor"):
                if isinstance(typed.get(key), str):
                    found.setdefault("#" + typed[key], typed)
            for key in ("$id", "id"):
                if isinstance(typed.get(key), str):
                    found.setdefault(typed[key].rstrip("#"), typed)
            todo += [child for _, child in _subschemas(typed)]
        return found

    def target(self, ref: str, path: str) -> Json:
        """What a `$ref` points at."""
        if ref in self.names:
            return self.names[ref]
        base, _, fragment = ref.partition("#")
        if base and base not in self.names:
            ends = [node for name, node in self.names.items() if name.rsplit("/", 1)[-1] == base]
            if not ends:
                raise _refuse(path, f"refers to another document ({ref}); put the definition under $defs and refer to it as #/$defs/...")
            node: Json = ends[0]
        else:
            node = self.names[base] if base else self.root
        if fragment and not fragment.startswith("/"):
            if "#" + fragment in self.names:
                return self.names["#" + fragment]
            raise _refuse(path, f"refers to {ref}, which is not there")
        for part in fragment.split("/")[1:]:
            step = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(node, dict) and step in node:
                node = cast("Node", node)[step]
            elif isinstance(node, list) and step.isdigit() and int(step) < len(cast("list[Json]", node)):
                node = cast("list[Json]", node)[int(step)]
            else:
                raise _refuse(path, f"refers to {ref}, which is not there")
        return node

    def flat(self, node: Json, path: str, active: tuple[str, ...], seen: frozenset[str] = frozenset()) -> tuple[Node, tuple[str, ...]]:
        """`node` with its `$ref`s and `allOf`s merged into it, and the refs now open. `anyOf`/`oneOf` are gathered under `_any`."""
        if node is True:
            return {}, active
        if not isinstance(node, dict):
            raise _Unsatisfiable(path, "is `false`, which no value fits")
        typed = cast("Node", node)
        made: Node = {
            key: value for key, value in typed.items() if key not in ("$ref", "$dynamicRef", "$recursiveRef", "allOf", "anyOf", "oneOf")
        }
        choices = [cast("list[Json]", typed[key]) for key in ("anyOf", "oneOf") if isinstance(typed.get(key), list)]
        made["_any"] = choices
        for key in ("$ref", "$dynamicRef", "$recursiveRef"):
            ref = typed.get(key)
            if isinstance(ref, str):
                if ref in seen:
                    raise _Unsatisfiable(path, f"refers only to itself ({ref})")
                other, active = self.flat(self.target(ref, path), path, (*active, ref), seen | {ref})
                made = _merged(made, other, path)
        for part in cast("list[Json]", typed.get("allOf") or []):
            other, active = self.flat(part, path, active, seen)
            made = _merged(made, other, path)
        return made, active

    def field(self, name: str, node: Json, where: tuple[str, ...], active: tuple[str, ...], *, required: bool = True) -> Field | None:
        """The Field at `where`, or None where recursion ends; InvalidRequest when nothing fits."""
        try:
            return self._field(name, node, where[1:], active, required=required)
        except _Unsatisfiable as error:
            raise _refuse(error.path, error.why) from None

    def _field(self, name: str, node: Json, path: tuple[str, ...], active: tuple[str, ...], *, required: bool) -> Field | None:
        place = ".".join(path)
        flat, active = self.flat(node, place, active)
        return self._shaped(name, flat, path, active, required=required)

    def _shaped(self, name: str, flat: Node, path: tuple[str, ...], active: tuple[str, ...], *, required: bool) -> Field | None:
        place = ".".join(path)
        if any(active.count(ref) > 2 or (active.count(ref) > 1 and self.count > 200) for ref in set(active)) or len(path) > MAX_DEPTH:
            return None
        self.count += 1
        if self.count > MAX_FIELDS:
            raise InvalidRequest(f"The JSON Schema has more than {MAX_FIELDS} fields.", param="json_schema")
        choices = cast("list[list[Json]]", flat.pop("_any", []))
        if choices:
            return self._chosen(name, flat, choices, path, active, required=required)
        types, nullable = _types(flat, place)
        _satisfiable(flat, types, place)
        kind: Kind = types[0] if types else "any"
        if not types and _is_null(flat):
            kind = "null"
        enum = [value for value in cast("list[Json]", flat["enum"]) if value is not None] if isinstance(flat.get("enum"), list) else None
        field = Field(
            name=name, path=path, kind=kind, nullable=nullable or kind in ("any", "null"), required=required,
            title=_text(flat.get("title")), description=_text(flat.get("description")), format=_text(flat.get("format")),
            pattern=_text(flat.get("pattern")), enum=enum, const=flat.get("const", msgspec.UNSET),
            minimum=_number(flat.get("minimum", flat.get("exclusiveMinimum"))),
            maximum=_number(flat.get("maximum", flat.get("exclusiveMaximum"))),
            max_length=_whole(flat.get("maxLength")), max_items=_whole(flat.get("maxItems")),
            examples=cast("list[Json]", flat["examples"]) if isinstance(flat.get("examples"), list) else [],
        )  # fmt: skip
        if kind == "object":
            field.fields = list(self._properties(flat, path, active))
            more = flat.get("additionalProperties")
            if (isinstance(more, dict) and more) or (more and not field.fields):
                field.others = self._field("", cast("Json", more), (*path, "*"), active, required=False)
        elif kind == "array":
            field.item = self._item(flat, path, active)
            field.places = list(self._places(flat, path, active))
        return field

    def _chosen(
        self, name: str, flat: Node, choices: list[list[Json]], path: tuple[str, ...], active: tuple[str, ...], *, required: bool
    ) -> Field | None:
        place = ".".join(path)
        combined: list[tuple[Node, tuple[str, ...]]] = [(flat, active)]
        nullable = False
        for options in choices:
            if not options:
                raise _Unsatisfiable(place, "has an empty list of alternatives")
            wider: list[tuple[Node, tuple[str, ...]]] = []
            reason: _Unsatisfiable | None = None
            for base, open_refs in combined:
                for option in options:
                    try:
                        branch, refs = self.flat(option, place, open_refs)
                        if _is_null(branch) and (not base.get("type") or "null" in _as_list(base["type"])):
                            nullable = True
                            continue
                        merged = _merged(base, branch, place)
                        if not merged.get("_any"):
                            types, _ = _types(merged, place)
                            _satisfiable(merged, types, place)
                        wider.append((merged, refs))
                    except _Unsatisfiable as error:
                        reason = error
            if not wider:
                if nullable:
                    return Field(name=name, path=path, kind="null", nullable=True, required=required)
                raise reason or _Unsatisfiable(place, "allows no value")
            combined = wider[:8]
        made = [self._shaped(name, dict(node), path, refs, required=required) for node, refs in combined]
        shapes = [shape for shape in made if shape is not None]
        if not shapes:
            return None
        shapes.sort(key=lambda shape: 0 if shape.kind == "number" and any(s.kind == "string" and s.pattern for s in shapes) else 1)
        first = shapes[0]
        first.nullable = first.nullable or nullable or any(shape.nullable for shape in shapes)
        first.variants = shapes[1:]
        enums = [shape.enum for shape in shapes if shape.enum]
        if all(shape.kind == first.kind and shape.is_leaf for shape in shapes) and enums and len(enums) == len(shapes):
            first.enum = [value for values in enums for value in values]
        return first

    def _properties(self, flat: Node, path: tuple[str, ...], active: tuple[str, ...]) -> Iterator[Field]:
        place = ".".join(path)
        table = cast("Node", flat.get("properties")) if isinstance(flat.get("properties"), dict) else {}
        required = (
            {key for key in cast("list[Json]", flat.get("required") or []) if isinstance(key, str)}
            if isinstance(flat.get("required"), list)
            else set[str]()
        )
        closed = flat.get("additionalProperties") is False and not flat.get("patternProperties")
        for name, node in table.items():
            where = (*path, name)
            if node is False:
                if name in required:
                    raise _Unsatisfiable(".".join(where), "is required and `false`, which no value fits")
                continue
            made = self._field(name, node, where, active, required=name in required)
            if made is not None:
                yield made
            elif name in required:
                yield Field(name=name, path=where, kind="null", nullable=True, required=True)
        for name in sorted(required - table.keys()):
            if closed:
                raise _Unsatisfiable(".".join((*path, name)) or place, "is required but not allowed by additionalProperties")
            yield Field(name=name, path=(*path, name), kind="any", nullable=True, required=True)

    def _places(self, flat: Node, path: tuple[str, ...], active: tuple[str, ...]) -> Iterator[Field]:
        prefix = flat.get("prefixItems") or flat.get("items")
        for number, node in enumerate(cast("list[Json]", prefix) if isinstance(prefix, list) else []):
            made = self._field("", node, (*path, f"[{number}]"), active, required=True)
            if made is None:
                return
            yield made

    def _item(self, flat: Node, path: tuple[str, ...], active: tuple[str, ...]) -> Field | None:
        where = (*path, "[]")
        prefix = flat.get("prefixItems") or (flat.get("items") if isinstance(flat.get("items"), list) else None)
        if isinstance(prefix, list) and prefix:
            return None  # a tuple: its places mean different things, and an empty list is a right answer
        items = flat.get("items", True)
        if items is False or flat.get("maxItems") == 0:
            return None
        return self._field("", items, where, active, required=True)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Json) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _whole(value: Json) -> int | None:
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _as_list(value: Json) -> list[Json]:
    return cast("list[Json]", value) if isinstance(value, list) else [value]


def _is_null(flat: Node) -> bool:
    return _as_list(flat.get("type")) == ["null"] or flat.get("enum") == [None] or ("const" in flat and flat["const"] is None)


def _types(flat: Node, path: str) -> tuple[Sequence[Kind], bool]:
    """The kinds a value may have besides null, and whether null is allowed."""
    if "type" in flat:
        named = [t for t in _as_list(flat["type"]) if t in _TYPES]
        if not named:
            raise _Unsatisfiable(path, f"has the type {flat['type']!r}, which no value has")
    else:
        values = [flat["const"]] if "const" in flat else flat.get("enum")
        if isinstance(values, list):
            named: list[Json] = list(dict.fromkeys(_type_of(value) for value in cast("list[Json]", values)))
        else:
            implied = next((kind for key, kind in _IMPLIED.items() if key in flat), None)
            if implied is None:
                return [], True
            made: list[Kind] = [cast("Kind", implied)]
            return made, bool(flat.get("nullable"))
    kinds: list[Kind] = [cast("Kind", kind) for kind in named if kind != "null"]
    return kinds, "null" in named or flat.get("nullable") is True


def _type_of(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "integer" if float(value).is_integer() else "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _fits_type(value: Json, types: list[str]) -> bool:
    kind = _type_of(value)
    return kind in types or (kind == "integer" and "number" in types)


def _satisfiable(flat: Node, types: Sequence[Kind], path: str) -> None:
    for low, high in _BOUNDS:
        low_value, high_value = _number(flat.get(low)), _number(flat.get(high))
        if low_value is not None and high_value is not None and low_value > high_value:
            relevant = {"minimum": ("number", "integer"), "minLength": ("string",), "minItems": ("array",), "minProperties": ("object",)}[
                low
            ]
            if not types or all(kind in relevant for kind in types):
                raise _Unsatisfiable(path, f"has {low} {flat[low]} above {high} {flat[high]}, which no value fits")
    if not types or all(kind in ("number", "integer") for kind in types):
        low_value, high_value = _number(flat.get("exclusiveMinimum")), _number(flat.get("exclusiveMaximum"))
        low_closed, high_closed = _number(flat.get("minimum")), _number(flat.get("maximum"))
        for low, high in ((low_value, high_value), (low_value, high_closed), (low_closed, high_value)):
            if low is not None and high is not None and low >= high:
                raise _Unsatisfiable(path, "has bounds that leave no number between them")
    allowed = [*types, "null"] if "null" in _as_list(flat.get("type")) or flat.get("nullable") is True else list(types)
    if isinstance(flat.get("enum"), list):
        values = cast("list[Json]", flat["enum"])
        if not values:
            raise _Unsatisfiable(path, "has an empty enum, which no value fits")
        if "type" in flat and not any(_fits_type(value, cast("list[str]", allowed)) for value in values):
            raise _Unsatisfiable(path, "has an enum without a value of its type")
    if "const" in flat:
        if "type" in flat and not _fits_type(flat["const"], cast("list[str]", allowed)):
            raise _Unsatisfiable(path, "has a const that is not of its type")
        if isinstance(flat.get("enum"), list) and flat["const"] not in cast("list[Json]", flat["enum"]):
            raise _Unsatisfiable(path, "has a const that is not in its enum")


def _merged(a: Node, b: Node, path: str) -> Node:
    """What both schemas ask for; `a`'s words (title, description) win."""
    made = dict(a)
    for key, value in b.items():
        if key not in made:
            made[key] = value
        elif key == "_any":
            made[key] = [*made[key], *value]
        elif key == "type":
            both = _common_types(_as_list(made[key]), _as_list(value))
            if not both:
                raise _Unsatisfiable(path, f"asks for type {made[key]!r} and {value!r} at once")
            made[key] = both
        elif key in ("properties", "patternProperties") and isinstance(value, dict) and isinstance(made[key], dict):
            mine = dict(cast("Node", made[key]))
            for name, child in cast("Node", value).items():
                mine[name] = {"allOf": [mine[name], child]} if name in mine and mine[name] != child else child
            made[key] = mine
        elif key == "required" and isinstance(value, list) and isinstance(made[key], list):
            made[key] = list(dict.fromkeys([*made[key], *cast("list[Json]", value)]))
        elif key == "enum" and isinstance(value, list) and isinstance(made[key], list):
            made[key] = [item for item in cast("list[Json]", made[key]) if item in cast("list[Json]", value)]
        elif key == "const" and made[key] != value:
            raise _Unsatisfiable(path, f"asks for {made[key]!r} and {value!r} at once")
        elif key in _LOWER and _number(value) is not None and _number(made[key]) is not None:
            made[key] = max(cast("float", made[key]), cast("float", value))
        elif key in _UPPER and _number(value) is not None and _number(made[key]) is not None:
            made[key] = min(cast("float", made[key]), cast("float", value))
        elif key in ("items", "additionalProperties") and made[key] != value:
            made[key] = False if made[key] is False or value is False else {"allOf": [made[key], value]}
    return made


def _common_types(a: list[Json], b: list[Json]) -> list[Json]:
    common = [kind for kind in a if kind in b or (kind == "integer" and "number" in b)]
    return common + [kind for kind in b if kind == "integer" and "number" in a and "integer" not in common]


def _collisions(field: Field) -> None:
    scalars = {child.name for child in field.fields if child.is_leaf}
    for child in field.fields:
        base = child.name.removesuffix(METADATA_SUFFIX)
        if base != child.name and base in scalars:
            raise _refuse(".".join(child.path), f"collides with the citation of `{base}`, which is answered as `{child.name}`; rename it")
        _collisions(child)
    for shape in field.variants:
        _collisions(shape)
    if field.item is not None:
        _collisions(field.item)


_SITES = (
    "properties", "patternProperties", "additionalProperties", "items", "prefixItems",
    "additionalItems", "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip


def _nullable(node: Node, compiler: _Compiler) -> Json:
    """`node` with every leaf nullable and no least size for lists and objects; `oneOf` becomes `anyOf`, since nulls blur it."""

    def change(key: str, child: Json) -> Json:
        if not isinstance(child, dict):
            return child
        made = _mapped(cast("Node", child), change)
        for bound in ("minItems", "minProperties", "contains", "minContains"):
            made.pop(bound, None)
        if "oneOf" in made and "anyOf" not in made:
            made["anyOf"] = made.pop("oneOf")
        elif "oneOf" in made:
            made["allOf"] = [*made.get("allOf", []), {"anyOf": made.pop("oneOf")}]
        if key in _SITES and _leaf(cast("Node", child), compiler):
            words = {word: made[word] for word in ("title", "description") if word in made}
            return {"anyOf": [made, {"type": "null"}], **words}
        return made

    made = cast("Node", change("", node))
    if not _leaf(node, compiler):
        return made
    definitions = {key: made.pop(key) for key in ("$schema", "$id", "$defs", "definitions") if key in made}
    return {**definitions, "anyOf": [made, {"type": "null"}]}


def _leaf(node: Node, compiler: _Compiler) -> bool:
    """Whether values of `node` are scalars (or recursion without end, which only null can close)."""
    try:
        shaped = compiler.field("", node, ("$",), ())
    except InvalidRequest:
        return True
    return shaped is None or shaped.kind == "any" or (shaped.is_leaf and all(shape.is_leaf for shape in shaped.variants))
