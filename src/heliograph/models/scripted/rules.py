"""What each kind of server refuses of a JSON Schema, as sentences.

    violations({"type": "object", "properties": {"a": {"type": "string"}}}, "openai")
    # ["#: 'additionalProperties' is required to be supplied and to be false.", "#: 'required' must hold every property; missing: a."]

`unenforced` says what a server takes and does not keep to, without a word. Sources, read in November 2026:

- openai: https://platform.openai.com/docs/guides/structured-outputs#supported-schemas (types, limits, refused keywords). That tuples
  are refused as "array schema missing items", siblings of `$ref` and references into the schema's body are refused, each definition is
  counted by itself, and minLength and maxLength are taken, was found by trying: pydantic-ai issue 7315, pull 7333, `profiles/openai.py`.
- vllm: `has_xgrammar_unsupported_json_features` in vllm/v1/structured_output/backend_xgrammar.py. Under `auto` vLLM goes over to a
  slower backend for these; under `--structured-outputs-config.backend xgrammar` it answers 400. Older versions refuse every
  `patternProperties` and `propertyNames`, so these are refused here.
- sglang: xgrammar without that check (docs.sglang.ai, structured outputs): only what fails to compile.
- llama.cpp: common/json-schema-to-grammar.cpp and grammars/README.md, limit of repetitions in src/llama-grammar.cpp. ollama
  compiles its `format` with the same code.
- gemini: `responseJsonSchema` of https://ai.google.dev/api/generate-content#GenerationConfig lists the keywords that are read.
- anthropic: https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations and the transformation
  in the `anthropic` package (lib/_parse/_transform.py); the counts are those of pydantic-ai's `_anthropic_schema_limits.py`.
- plain: what all of them take.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from heliograph.models.contract import Dialect, JsonMode
from heliograph.models.scripted.shapes import Node, is_array, is_object, mapping, sequence

_MAPS = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_ONES = (
    "items", "additionalProperties", "propertyNames", "contains", "not", "if", "then", "else",
    "unevaluatedProperties", "unevaluatedItems", "additionalItems",
)  # fmt: skip
_TYPING = ("type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const")
_LOOKS = re.compile(r"(?<!\\)(?:\\\\)*\((?:\?=|\?!|\?<=|\?<!)")
_BACK = re.compile(r"(?<!\\)(?:\\\\)*\\[1-9]")


class Place(msgspec.Struct, frozen=True):
    """A subschema and where it is: `#/properties/lines/items`. `depth`: objects around it and itself, `$ref`s not followed."""

    where: str
    node: Node
    depth: int


def places(schema: Node, where: str = "#", depth: int = 0) -> Iterator[Place]:
    """Every subschema of `schema`, itself first. Definitions are visited where they stand, with a depth of their own."""
    depth += "properties" in schema
    yield Place(where, schema, depth)
    for keyword in _MAPS:
        for name, value in mapping(schema.get(keyword)).items():
            if is_object(value):
                yield from places(value, f"{where}/{keyword}/{name}", 0 if keyword in ("$defs", "definitions") else depth)
    for keyword in _LISTS:
        for index, value in enumerate(sequence(schema.get(keyword))):
            if is_object(value):
                yield from places(value, f"{where}/{keyword}/{index}", depth)
    for keyword in _ONES:
        value = schema.get(keyword)
        if is_object(value):
            yield from places(value, f"{where}/{keyword}", depth)
        elif keyword == "items" and is_array(value):
            for index, item in enumerate(value):
                if is_object(item):
                    yield from places(item, f"{where}/items/{index}", depth)


def violations(schema: Node, dialect: Dialect, mode: JsonMode = "json_schema") -> list[str]:
    """What a server of this kind refuses of `schema`; [] when it takes all of it.

    `mode` says how the schema is sent: `json_schema` (the server decodes under it), or `tool` (its arguments have it), where Anthropic
    and Gemini are less strict. `json_object` and `prompt` send no schema, so nothing is refused.
    """
    if mode in ("json_object", "prompt"):
        return []
    if dialect == "plain":
        found = [problem for kind in _RULES for problem in _RULES[kind](schema, mode)]
        return list(dict.fromkeys(found))
    return list(_RULES[dialect](schema, mode))


def unenforced(schema: Node, dialect: Dialect) -> list[str]:
    """The keywords that a server of this kind takes and its answers may break, as sentences like those of `violations`."""
    known = {"llama.cpp": _GBNF_KNOWN, "ollama": _GBNF_KNOWN, "sglang": _GBNF_KNOWN | {"propertyNames", "patternProperties"}}.get(dialect)
    if known is None:
        return []
    return [f"{place.where}: '{keyword}' has no effect." for place in places(schema) for keyword in sorted(place.node.keys() - known)]


# OpenAI

_OPENAI_REFUSED = frozenset({
    "allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "dependencies", "default", "patternProperties",
    "unevaluatedProperties", "propertyNames", "minProperties", "maxProperties", "unevaluatedItems", "contains", "minContains",
    "maxContains", "uniqueItems",
})  # fmt: skip
_OPENAI_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})
_OPENAI_REF = re.compile(r"#|#/(\$defs|definitions)/[^/]+")


def _openai(schema: Node, mode: JsonMode) -> Iterator[str]:
    if schema.get("type") != "object" or "anyOf" in schema:
        yield "#: schema must be a JSON Schema of 'type: \"object\"', without 'anyOf' at the root."
    strings, enums = 0, 0
    properties: dict[str, int] = {}
    for place in places(schema):
        where, node = place.where, place.node
        yield from (f"{where}: '{keyword}' is not permitted." for keyword in sorted(_OPENAI_REFUSED & node.keys()))
        yield from _openai_node(where, node)
        root = "/".join(where.split("/")[:3]) if where.startswith(("#/$defs/", "#/definitions/")) else "#"
        properties[root] = properties.get(root, 0) + len(mapping(node.get("properties")))
        if place.depth > 10:
            yield f"{where}: {place.depth} levels of nesting exceeds limit of 10."
        strings += sum(map(len, mapping(node.get("properties")))) + sum(map(len, mapping(node.get("$defs"))))
        values = node.get("enum") or ([node["const"]] if "const" in node else [])
        texts = sum(len(value) for value in values if isinstance(value, str))
        strings, enums = strings + texts, enums + len(sequence(node.get("enum")))
        if len(values) > 250 and texts > 15_000:
            yield f"{where}: enum has {texts} characters in {len(values)} values, exceeds limit of 15000."
    if (most := max(properties.values(), default=0)) > 5_000:
        yield f"#: {most} object properties exceeds limit of 5000."
    if strings > 120_000:
        yield f"#: {strings} characters of names and values exceeds limit of 120000."
    if enums > 1_000:
        yield f"#: {enums} enum values exceeds limit of 1000."


def _openai_node(where: str, node: Node) -> Iterator[str]:
    if "$ref" in node:
        if len(node) > 1:
            yield f"{where}: '$ref' cannot have keywords beside it: {', '.join(sorted(node.keys() - {'$ref'}))}."
        if not _OPENAI_REF.fullmatch(str(node["$ref"])):
            yield f"{where}: reference '{node['$ref']}' leads neither to the root nor to a definition."
        return
    if not node.keys() & {"type", "anyOf", "enum", "const"}:
        yield f"{where}: schema must have a 'type' key."
    types = _types(node)
    if "object" in types:
        if node.get("additionalProperties") is not False:
            yield f"{where}: 'additionalProperties' is required to be supplied and to be false."
        missing = [name for name in mapping(node.get("properties")) if name not in sequence(node.get("required"))]
        if missing:
            yield f"{where}: 'required' must hold every property; missing: {', '.join(missing)}."
        unknown = [name for name in sequence(node.get("required")) if name not in mapping(node.get("properties"))]
        if unknown:
            yield f"{where}: extra required key '{unknown[0]}' supplied."
    items = node.get("items")
    if "array" in types and not (is_object(items) and any(key in items for key in _TYPING)):
        yield f"{where}: array schema missing items."
    if "format" in node and node["format"] not in _OPENAI_FORMATS:
        yield f"{where}: format '{node['format']}' is not supported."
    if _LOOKS.search(str(node.get("pattern", ""))):
        yield f"{where}: regex lookaround is not supported in 'pattern'."
    if "enum" in node and not node["enum"]:
        yield f"{where}: enum must have at least one value."


# xgrammar: vLLM, SGLang

_XGRAMMAR_FORMATS = _OPENAI_FORMATS | {"uri", "uri-reference", "uri-template", "json-pointer", "relative-json-pointer"}


def _vllm(schema: Node, mode: JsonMode) -> Iterator[str]:
    for place in places(schema):
        where, node, types = place.where, place.node, _types(place.node)
        refused = {"patternProperties", "propertyNames"} & node.keys()
        if types & {"integer", "number"}:
            refused |= {"multipleOf"} & node.keys()
        if "array" in types:
            refused |= {"uniqueItems", "contains", "minContains", "maxContains"} & node.keys()
        if "string" in types and "format" in node and node["format"] not in _XGRAMMAR_FORMATS:
            yield f"{where}: the format '{node['format']}' is not supported by xgrammar."
        if "string" in types and node.keys() & {"pattern", "format"} and node.keys() & {"minLength", "maxLength"}:
            yield f"{where}: lengths beside a pattern or format are not supported by xgrammar."
        yield from (f"{where}: '{keyword}' is not supported by xgrammar." for keyword in sorted(refused))
    yield from _xgrammar(schema)


def _sglang(schema: Node, mode: JsonMode) -> Iterator[str]:
    yield from _xgrammar(schema)


def _xgrammar(schema: Node) -> Iterator[str]:
    for place in places(schema):
        where, node = place.where, place.node
        pattern = str(node.get("pattern", ""))
        if _LOOKS.search(pattern) or _BACK.search(pattern):
            yield f"{where}: look-around and back references cannot be made into a grammar."
        yield from _local(schema, where, node)
        if node.get("items") is False or ("enum" in node and not node["enum"]):
            yield f"{where}: nothing fits, so there is no grammar."


# llama.cpp, Ollama

_GBNF_REPETITIONS = 2_000
_GBNF_KNOWN = frozenset({
    "type", "properties", "required", "additionalProperties", "items", "prefixItems", "minItems", "maxItems", "anyOf", "oneOf", "allOf",
    "enum", "const", "$ref", "$defs", "definitions", "pattern", "format", "minLength", "maxLength", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "title", "description", "default", "examples", "$schema", "$id", "$comment",
})  # fmt: skip


def _gbnf(schema: Node, mode: JsonMode) -> Iterator[str]:
    for place in places(schema):
        where, node = place.where, place.node
        yield from _local(schema, where, node)
        if isinstance(node.get("pattern"), str):
            yield from _gbnf_pattern(where, node["pattern"])
        for keyword in ("minItems", "maxItems", "minLength", "maxLength"):
            if isinstance(node.get(keyword), int) and node[keyword] > _GBNF_REPETITIONS:
                yield f"{where}: '{keyword}': number of repetitions exceeds sane defaults, please reduce the number of repetitions."
        kinds = node.get("type")
        unknown = [kind for kind in (kinds if is_array(kinds) else [kinds]) if kind is not None and kind not in _TYPES]
        if unknown:
            yield f"{where}: Unrecognized schema: type {unknown[0]!r}."


def _gbnf_pattern(where: str, pattern: str) -> Iterator[str]:
    if not (pattern.startswith("^") and pattern.endswith("$")):
        yield f"{where}: Pattern must start with '^' and end with '$'."
    if _LOOKS.search(pattern) or re.search(r"(?<!\\)\\[dDwWsSbBpP1-9]", pattern):
        yield f"{where}: the pattern has syntax that the grammar lacks: look-around, classes such as \\d, references."
    if any(int(number) > _GBNF_REPETITIONS for number in re.findall(r"\{(\d+)", pattern) + re.findall(r",(\d+)\}", pattern)):
        yield f"{where}: number of repetitions exceeds sane defaults, please reduce the number of repetitions."


# Gemini

_GEMINI_KNOWN = frozenset({
    "$id", "$defs", "$ref", "$anchor", "type", "format", "title", "description", "enum", "items", "prefixItems", "minItems", "maxItems",
    "minimum", "maximum", "anyOf", "oneOf", "properties", "additionalProperties", "required", "propertyOrdering",
})  # fmt: skip
_GEMINI_FORMATS = frozenset({"date-time", "date", "time", "duration", "float", "double", "int32", "int64", "enum"})


def _gemini(schema: Node, mode: JsonMode) -> Iterator[str]:
    for place in places(schema):
        where, node = place.where, place.node
        yield from (f'{where}: Unknown name "{keyword}": Cannot find field.' for keyword in sorted(node.keys() - _GEMINI_KNOWN))
        if "$ref" in node and any(not keyword.startswith("$") for keyword in node):
            yield f"{where}: '$ref' cannot have keywords beside it."
        yield from _local(schema, where, node)
        if "format" in node and node["format"] not in _GEMINI_FORMATS:
            yield f"{where}: only 'enum' and 'date-time' are supported for STRING type formats."
        if any(not isinstance(value, str | int | float) or isinstance(value, bool) for value in sequence(node.get("enum"))):
            yield f"{where}: enum values must be strings or numbers."
        if "array" in _types(node) and "items" not in node and "prefixItems" not in node:
            yield f"{where}: items: missing field."
    if recursive(schema, through=lambda node, name: name in sequence(node.get("required"))):
        yield "#: a reference leads back to itself through required properties."


# Anthropic

_ANTHROPIC_KNOWN = frozenset({
    "$defs", "definitions", "$ref", "type", "anyOf", "allOf", "enum", "const", "title", "description", "properties",
    "additionalProperties", "required", "format", "items", "minItems", "default", "pattern", "$schema", "$id",
})  # fmt: skip
_ANTHROPIC_FORMATS = _OPENAI_FORMATS | {"uri"}


def _anthropic(schema: Node, mode: JsonMode) -> Iterator[str]:
    if schema.get("type") != "object":
        yield "#: input_schema.type: Field required to be 'object'."
    if mode == "tool":
        return
    optional = union = 0
    for place in places(schema):
        where, node, types = place.where, place.node, _types(place.node)
        kind = next(iter(sorted(types)), "schema")
        for keyword in sorted(node.keys() - _ANTHROPIC_KNOWN):
            yield f"{where}: For '{kind}' type, property '{keyword}' is not supported."
        if "object" in types and node.get("additionalProperties") is not False:
            yield f"{where}: For 'object' type, 'additionalProperties' must be explicitly set to false."
        if node.get("minItems", 0) > 1:
            yield f"{where}: For 'array' type, 'minItems' values other than 0 or 1 are not supported."
        if "string" in types and "format" in node and node["format"] not in _ANTHROPIC_FORMATS:
            yield f"{where}: format '{node['format']}' is not supported."
        if _LOOKS.search(str(node.get("pattern", ""))) or _BACK.search(str(node.get("pattern", ""))):
            yield f"{where}: look-around and back references are not supported in 'pattern'."
        if any(isinstance(value, dict | list) for value in sequence(node.get("enum"))):
            yield f"{where}: enum values must be strings, numbers, booleans or null."
        if any(is_object(part) and "$ref" in part for part in sequence(node.get("allOf"))):
            yield f"{where}: 'allOf' with '$ref' is not supported."
        yield from _local(schema, where, node)
        if not where.startswith(("#/$defs/", "#/definitions/")):
            for name, value in mapping(node.get("properties")).items():
                optional += name not in sequence(node.get("required"))
                union += is_object(value) and ("anyOf" in value or isinstance(value.get("type"), list))
    if recursive(schema):
        yield "#: Recursive schemas are not supported."
    if optional > 24:
        yield f"#: Schema is too complex: {optional} optional parameters, over the limit of 24."
    if union > 16:
        yield f"#: Schema is too complex: {union} parameters with union types, over the limit of 16."


# all of them

_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
_RULES: dict[Dialect, Callable[[Node, JsonMode], Iterator[str]]] = {
    "openai": _openai,
    "vllm": _vllm,
    "sglang": _sglang,
    "llama.cpp": _gbnf,
    "ollama": _gbnf,
    "gemini": _gemini,
    "anthropic": _anthropic,
}


def _types(node: Node) -> set[str]:
    kinds = node.get("type")
    return {kinds} if isinstance(kinds, str) else set(kinds) if is_array(kinds) else set()


def _local(schema: Node, where: str, node: Node) -> Iterator[str]:
    ref = node.get("$ref")
    if ref is not None and resolve(schema, ref) is None:
        yield f"{where}: Unsupported ref: {ref}."


def resolve(schema: Node, ref: Any) -> Node | None:
    """What a reference inside `schema` leads to; None when it leads nowhere, or outside."""
    if not isinstance(ref, str) or not ref.startswith("#"):
        return None
    found: Any = schema
    for token in filter(None, ref[1:].split("/")):
        key = token.replace("~1", "/").replace("~0", "~")
        if is_array(found) and key.isdigit() and int(key) < len(found):
            found = found[int(key)]
        elif is_object(found) and key in found:
            found = found[key]
        else:
            return None
    return found if is_object(found) else None


def recursive(schema: Node, through: Callable[[Node, str], bool] = lambda node, name: True) -> bool:
    """Whether a reference leads back to where it stands; `through` says which properties of an object the way may go by."""
    done: set[str] = set()

    def walk(node: Any, open_: tuple[str, ...]) -> bool:
        if not is_object(node):
            return is_array(node) and any(walk(item, open_) for item in node)
        ref = node.get("$ref")
        if isinstance(ref, str):
            if ref in open_:
                return True
            if ref not in done:
                done.add(ref)
                target = resolve(schema, ref)
                if target is not None and walk(target, (*open_, ref)):
                    return True
        for keyword, value in node.items():
            if keyword in ("properties", "patternProperties") and is_object(value):
                if any(walk(part, open_) for name, part in value.items() if through(node, name)):
                    return True
            elif (keyword in _LISTS or keyword in _ONES) and walk(value, open_):
                return True
        return False

    return walk(schema, ("#",))
