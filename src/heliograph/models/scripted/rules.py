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
- sglang: xgrammar without that check (docs.sglang.ai, structured outputs): only what fails to compile, tried with xgrammar 0.2.8.
  Look-around is refused by older ones and ignored by this one.
- llama.cpp: common/json-schema-to-grammar.cpp and grammars/README.md, limit of repetitions in src/llama-grammar.cpp; ollama compiles
  its `format` with the same code. llama.cpp built with LLGUIDANCE (xllamacpp is) compiles schemas with llguidance, which refuses
  what it does not implement (its docs/json_schema.md, tried with 1.9.1); what either refuses is refused here.
- gemini: `responseJsonSchema` of https://ai.google.dev/api/generate-content#GenerationConfig lists the keywords that are read.
- anthropic: https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations and the transformation
  in the `anthropic` package (lib/_parse/_transform.py); the counts are those of pydantic-ai's `_anthropic_schema_limits.py`.
- plain: what all of them take.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from heliograph.models.contract import Dialect, JsonMode
from heliograph.models.scripted.places import places, recursive, resolve, types_of
from heliograph.models.scripted.shapes import Node, is_array, is_object, mapping, sequence

_TYPING = ("type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const")
_LOOKS = re.compile(r"(?<!\\)(?:\\\\)*\((?:\?=|\?!|\?<=|\?<!)")
_ASIDE = re.compile(r"(?<!\\)(?:\\\\)*(?:\\[bBpP]|\(\?[a-zA-Z^-]+[:)])")
_BACK = re.compile(r"(?<!\\)(?:\\\\)*\\[1-9]")


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
    types = types_of(node)
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
        where, node, types = place.where, place.node, types_of(place.node)
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
        if _LOOKS.search(pattern) or _BACK.search(pattern) or _ASIDE.search(pattern) or not _parses(pattern):
            yield f"{where}: the pattern has what cannot be made into a grammar: look-around, references, \\b, \\p, flags, or an error."
        yield from _local(schema, where, node)
        yield from _impossible(where, node)


# llama.cpp, Ollama

_GBNF_REPETITIONS = 2_000
_LLGUIDANCE_REFUSED = frozenset({
    "not", "if", "then", "else", "uniqueItems", "contains", "minContains", "maxContains", "propertyNames", "dependencies",
    "dependentRequired", "dependentSchemas", "unevaluatedProperties", "unevaluatedItems", "$dynamicRef", "$recursiveRef",
})  # fmt: skip
_LLGUIDANCE_FORMATS = _OPENAI_FORMATS | {"uri"}
_GBNF_KNOWN = frozenset({
    "type", "properties", "required", "additionalProperties", "items", "prefixItems", "minItems", "maxItems", "anyOf", "oneOf", "allOf",
    "enum", "const", "$ref", "$defs", "definitions", "pattern", "format", "minLength", "maxLength", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "title", "description", "default", "examples", "$schema", "$id", "$comment",
})  # fmt: skip


def _llama(schema: Node, mode: JsonMode) -> Iterator[str]:
    yield from _gbnf(schema, mode)
    for place in places(schema):
        where, node = place.where, place.node
        if refused := sorted(_LLGUIDANCE_REFUSED & node.keys()):
            yield f"{where}: Unimplemented keys: {', '.join(refused)}."
        if "string" in types_of(node) and "format" in node and node["format"] not in _LLGUIDANCE_FORMATS:
            yield f"{where}: Unknown format: {node['format']}."
        choices = [choice for choice in sequence(node.get("oneOf")) if is_object(choice)]
        if any(not _disjoint(one, other) for place_, one in enumerate(choices) for other in choices[:place_]):
            yield f"{where}: oneOf constraints are not supported."


def _gbnf(schema: Node, mode: JsonMode) -> Iterator[str]:
    for place in places(schema):
        where, node = place.where, place.node
        yield from _local(schema, where, node)
        yield from _impossible(where, node)
        if isinstance(node.get("pattern"), str):
            yield from _gbnf_pattern(where, node["pattern"])
        for keyword in ("minItems", "maxItems", "minLength", "maxLength"):
            if isinstance(node.get(keyword), int) and node[keyword] > _GBNF_REPETITIONS:
                yield f"{where}: '{keyword}': number of repetitions exceeds sane defaults, please reduce the number of repetitions."


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
        if "array" in types_of(node) and "items" not in node and "prefixItems" not in node:
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
        where, node, types = place.where, place.node, types_of(place.node)
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
    "llama.cpp": _llama,
    "ollama": _gbnf,
    "gemini": _gemini,
    "anthropic": _anthropic,
}


def _parses(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return _ASIDE.search(pattern) is not None
    return True


def _impossible(where: str, node: Node) -> Iterator[str]:
    """What no grammar is made of: unknown types, choices of nothing, bounds that cross."""
    kinds = node.get("type")
    unknown = [kind for kind in (kinds if is_array(kinds) else [kinds]) if kind is not None and kind not in _TYPES]
    if unknown:
        yield f"{where}: Unrecognized schema: type {unknown[0]!r}."
    if "enum" in node and not node["enum"]:
        yield f"{where}: enum array must not be empty."
    if any(part is False for part in mapping(node.get("properties")).values()):
        yield f"{where}: Schema 'false' cannot accept any value."
    for low, high in (("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems"), ("minProperties", "maxProperties")):
        if isinstance(node.get(low), int | float) and isinstance(node.get(high), int | float) and node[low] > node[high]:
            yield f"{where}: {low} is greater than {high}."


def _disjoint(one: Node, other: Node) -> bool:
    """Whether it can be seen that no value fits both: other types, other constants, or a required property for which this holds."""
    kinds, others = types_of(one), types_of(other)
    if kinds and others and not kinds & others and {*kinds, *others} & {"integer", "number"} != {"integer", "number"}:
        return True
    values, theirs = ([node["const"]] if "const" in node else sequence(node.get("enum")) for node in (one, other))
    if values and theirs:
        return not any(value in theirs for value in values)
    shared = set(sequence(one.get("required"))) & set(sequence(other.get("required")))
    properties, their = mapping(one.get("properties")), mapping(other.get("properties"))
    return any(
        is_object(properties.get(name)) and is_object(their.get(name)) and _disjoint(properties[name], their[name]) for name in shared
    )


def _local(schema: Node, where: str, node: Node) -> Iterator[str]:
    ref = node.get("$ref")
    if ref is not None and resolve(schema, ref) is None:
        yield f"{where}: Unsupported ref: {ref}."
