"""`gql_stmt`: a GraphQL selection set picks the fields of a schema that an answer shall hold.

`{ invoice_id  items { description total_price } }` over the schema of `document.invoice` gives a schema of just those fields,
in the order asked. Only selections make sense here: an alias renames a field, while arguments, directives, fragments, variables,
mutations and subscriptions are refused with a sentence.
"""

from __future__ import annotations

import difflib
import re
from typing import Any, cast

import graphql
from graphql.language import ast

from heliograph.errors import InvalidRequest

Schema = dict[str, Any]

MAX_LEAVES = 5_000
_MAX_LENGTH = 64 * 1024
_MAX_TOKENS = 10_000
_PARAM = "config.gql_stmt"


def select(schema: Schema, statement: str) -> Schema:
    """The part of `schema` that `statement` names.

    A field that is an object or a list of objects and has no selection of its own is taken whole. Raises `InvalidRequest` for a
    statement that does not parse, that uses more than selections, or that names an unknown field (with the nearest known ones).
    """
    chosen = _select(schema, _selection_set(statement), schema, "")
    definitions = {key: _used(chosen, _dict(schema.get(key)), key) for key in ("$defs", "definitions") if key in schema}
    return {**{key: value for key, value in chosen.items() if key not in definitions}, **{k: v for k, v in definitions.items() if v}}


def statement(schema: Schema) -> str:
    """The statement that selects every leaf of `schema`, `MAX_LEAVES` at most.

    A recursive schema is followed once; names are made valid for GraphQL.
    """
    return _Writer(schema).write(schema, 1, ()) or "{\n}"


def properties(node: Schema, root: Schema) -> Schema | None:
    """The properties of the object (or list of objects) that `node` describes, or None for a leaf. `root` holds the `$defs`."""
    return _properties(node, root, set())


def _properties(node: Schema, root: Schema, seen: set[str]) -> Schema | None:
    if isinstance(node.get("$ref"), str):
        if node["$ref"] in seen:
            return None
        seen.add(cast("str", node["$ref"]))
    resolved = _resolve(node, root)
    merged: Schema = dict(_dict(resolved.get("properties")))
    for part in _list(resolved.get("allOf")):
        merged.update(_properties(_dict(part), root, seen) or {})
    for option in [*_list(resolved.get("anyOf")), *_list(resolved.get("oneOf"))]:
        for name, field in (_properties(_dict(option), root, seen) or {}).items():
            merged.setdefault(name, field)
    if not merged and isinstance(resolved.get("items"), dict):
        return _properties(cast("Schema", resolved["items"]), root, seen)
    return merged or None


def _selection_set(statement: str) -> ast.SelectionSetNode:
    if len(statement) > _MAX_LENGTH:
        raise InvalidRequest(f"gql_stmt is longer than {_MAX_LENGTH} characters.", param=_PARAM)
    try:
        document = graphql.parse(statement, no_location=False, max_tokens=_MAX_TOKENS)
    except graphql.GraphQLError as error:
        line, column = (error.locations[0].line, error.locations[0].column) if error.locations else (1, 1)
        message = error.message.removeprefix("Syntax Error: ")
        raise InvalidRequest(f"gql_stmt is not a GraphQL selection (line {line}, column {column}): {message}", param=_PARAM) from None
    except RecursionError:
        raise InvalidRequest("gql_stmt is nested too deeply.", param=_PARAM) from None
    if any(isinstance(definition, ast.FragmentDefinitionNode) for definition in document.definitions):
        raise _refuse("fragments", "spell the fields out")
    if len(document.definitions) != 1 or not isinstance(document.definitions[0], ast.OperationDefinitionNode):
        raise InvalidRequest("gql_stmt must be one selection, such as { invoice_id total }.", param=_PARAM)
    operation = document.definitions[0]
    if operation.operation is not ast.OperationType.QUERY:
        raise _refuse(operation.operation.value, "write a selection such as { invoice_id total }")
    if operation.variable_definitions:
        raise _refuse("variables", "a selection has nothing to vary")
    if operation.directives:
        raise _refuse("directives", "leave them out")
    return operation.selection_set


def _select(node: Schema, selections: ast.SelectionSetNode, root: Schema, path: str) -> Schema:
    resolved = _resolve(node, root)
    for union in ("anyOf", "oneOf"):
        options = [option for option in _list(resolved.get(union)) if properties(option, root)]
        if options:
            null = [option for option in _list(resolved.get(union)) if option.get("type") == "null"]
            merged: Schema = {"type": "object", "properties": properties(resolved, root)}
            if all(_resolve(option, root).get("type") == "array" for option in options):
                merged = {"type": "array", "items": merged}
            elif len(options) == 1:
                merged = {**_resolve(options[0], root), "properties": merged["properties"]}
            kept = {key: value for key, value in resolved.items() if key != union}
            return {**kept, "anyOf": [_select(merged, selections, root, path), *null]} if null else _select(merged, selections, root, path)
    if isinstance(resolved.get("items"), dict) and "properties" not in resolved:
        return {**resolved, "items": _select(cast("Schema", resolved["items"]), selections, root, path)}
    known = properties(resolved, root)
    if known is None:
        raise InvalidRequest(f"gql_stmt selects inside {path or 'the answer'}, which has no fields of its own.", param=_PARAM)
    if not selections.selections:
        raise InvalidRequest(f"gql_stmt selects nothing{f' in {path}' if path else ''}.", param=_PARAM)
    chosen: Schema = {}
    required: list[str] = []
    for field in selections.selections:
        if not isinstance(field, ast.FieldNode):
            raise _refuse("fragments", "spell the fields out")
        name = _known_name(field, known, path)
        where = f"{path}.{name}" if path else name
        key = field.alias.value if field.alias else name
        if key in chosen:
            raise InvalidRequest(f"gql_stmt asks twice for {where}; give one of them an alias.", param=_PARAM)
        part = cast("Schema", known[name])
        part = _select(part, field.selection_set, root, where) if field.selection_set else part
        # an aliased field keeps its own name as title, by which its label is found
        chosen[key] = {"title": name, **part} if field.alias else part
        if name in _list(resolved.get("required")):
            required.append(key)
    picked = {key: value for key, value in resolved.items() if key not in ("$defs", "definitions", "properties", "required", "allOf")}
    return {**picked, "type": "object", "properties": chosen, **({"required": required} if required else {})}


def _known_name(field: ast.FieldNode, known: Schema, path: str) -> str:
    asked = field.name.value
    if field.arguments:
        raise _refuse(f"arguments on {asked}", "leave them out")
    if field.directives:
        raise _refuse(f"directives on {asked}", "leave them out")
    if asked in known:
        return asked
    for name in known:
        if _gql_name(name) == asked:
            return name
    near = difflib.get_close_matches(asked, [_gql_name(name) for name in known], n=3, cutoff=0.4)
    where = f" in {path}" if path else ""
    hint = f"; did you mean {', '.join(near)}?" if near else f"; it has {', '.join(_gql_name(name) for name in list(known)[:12])}."
    raise InvalidRequest(f"gql_stmt names the unknown field {asked}{where}{hint}", param=_PARAM)


class _Writer:
    def __init__(self, root: Schema) -> None:
        self.root = root
        self.left = MAX_LEAVES

    def write(self, node: Schema, depth: int, seen: tuple[str, ...]) -> str | None:
        """The selection set of `node` with `depth` steps of indentation; None for a leaf or where the schema begins to repeat."""
        refs = tuple(_refs(node))
        known = properties(node, self.root)
        if known is None or any(ref in seen for ref in refs):
            return None
        lines: list[str] = []
        for name, field in known.items():
            if self.left <= 0:
                break
            inner = self.write(_dict(field), depth + 1, seen + refs)
            if inner is None and any(ref in seen + refs for ref in _refs(field)):
                continue
            self.left -= inner is None
            lines.append(f"{'  ' * depth}{_gql_name(name)}{' ' + inner if inner else ''}")
        return "{\n" + "\n".join(lines) + "\n" + "  " * (depth - 1) + "}" if lines else None


def _refs(node: object) -> list[str]:
    """The `$ref`s met on the way to the properties of `node`."""
    if not isinstance(node, dict):
        return []
    node = cast("Schema", node)
    found = [cast("str", node["$ref"])] if isinstance(node.get("$ref"), str) else []
    for key in ("anyOf", "oneOf", "allOf"):
        for option in _list(node.get(key)):
            found += _refs(option)
    return found + _refs(node.get("items"))


def _used(node: object, definitions: Schema, key: str) -> Schema:
    """Those of `definitions` that `node` refers to, directly or by way of another, in their order."""
    used: set[str] = set()
    open_ends: list[object] = [node]
    while open_ends:
        part = open_ends.pop()
        if isinstance(part, dict):
            part = cast("Schema", part)
            reference = part.get("$ref")
            name = reference.split("/")[2] if isinstance(reference, str) and reference.startswith(f"#/{key}/") else None
            if name in definitions and name not in used:
                used.add(name)
                open_ends.append(definitions[name])
            open_ends.extend(value for at, value in part.items() if at != key)
        elif isinstance(part, list):
            open_ends.extend(cast("list[object]", part))
    return {name: definition for name, definition in definitions.items() if name in used}


def _resolve(node: Schema, root: Schema) -> Schema:
    """`node` with its local `$ref` followed; keys beside the `$ref` win."""
    for _ in range(64):
        reference = node.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#"):
            return node
        target: Any = root
        for step in reference[1:].split("/")[1:]:
            target = _dict(target).get(step.replace("~1", "/").replace("~0", "~"))
        node = {**_dict(target), **{key: value for key, value in node.items() if key != "$ref"}}
    return node


def _gql_name(name: str) -> str:
    safe = re.sub(r"[^_0-9A-Za-z]", "_", name) or "_"
    return f"_{safe}" if safe[0].isdigit() else safe


def _refuse(what: str, instead: str) -> InvalidRequest:
    return InvalidRequest(f"gql_stmt takes no {what}: {instead}.", param=_PARAM)


def _dict(value: object) -> Schema:
    return cast("Schema", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []
