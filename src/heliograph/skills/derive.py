"""The fields that a SKILL.md names, as a schema, for skills that come without schema.json.

Looked for in this order: a fenced JSON block (a schema, or an example of the answer); a Markdown table with a column of field
names; list items that name a field in code or, below a heading about fields or output, in bold. Text that names none gives None.
"""

from __future__ import annotations

import re
from typing import Any, cast

import msgspec

_FENCE = re.compile(r"^```[ \t]*(?:jsonc?[ \t]*)?\n(.*?)^```", re.DOTALL | re.MULTILINE)
_ITEM = re.compile(
    r"^(?P<indent>[ \t]*)(?:[-*+]|\d+[.)])[ \t]+(?:`(?P<code>[^`\n]{1,60})`|\*\*(?P<bold>[^*\n]{1,60}?):?\*\*)(?P<rest>[^\n]*)$"
)
_NAMES_COLUMN = re.compile(r"(field|key|property|column)( ?name)?s?|name")
_HEADING = re.compile(r"^#{1,6}[ \t]+(?P<text>.+)$")
_ABOUT_FIELDS = re.compile(r"\b(fields?|extract(ion)?|output|schema|values?|columns?|return)\b", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_MAX_DESCRIPTION = 500
_NOT_NAMES = frozenset({"true", "false", "null", "none"})

_TYPES: tuple[tuple[re.Pattern[str], dict[str, Any]], ...] = (
    (re.compile(r"\b(list|array)\b.*\b(numbers?|amounts?)\b", re.IGNORECASE), {"type": "array", "items": {"type": "number"}}),
    (re.compile(r"\b(list|array)\b", re.IGNORECASE), {"type": "array", "items": {"type": "string"}}),
    (re.compile(r"\b(bool(ean)?|true\b.*\bfalse|whether)\b", re.IGNORECASE), {"type": "boolean"}),
    (re.compile(r"\b(int(eger)?|whole number|count)\b", re.IGNORECASE), {"type": "integer"}),
    (re.compile(r"\b(float|decimal|amount|price|total|percentage)\b", re.IGNORECASE), {"type": "number"}),
    (re.compile(r"\b(date|yyyy-mm-dd)\b", re.IGNORECASE), {"type": "string", "format": "date"}),
)
_SAID = re.compile(
    r"\(\s*(?:type:\s*)?(string|str|text|number|float|integer|int|boolean|bool|date|list|array|object)\b[^)]*\)", re.IGNORECASE
)
_LIKE_A_NUMBER = re.compile(r"(_no|_number|_id|_code)$|\bnumber$", re.IGNORECASE)


def derive(text: str) -> dict[str, Any] | None:
    """A schema of the fields that `text` (Markdown) names, every one nullable, or None."""
    return _from_json(text) or _from_table(text) or _from_list(text)


def _from_json(text: str) -> dict[str, Any] | None:
    for block in _FENCE.findall(text):
        try:
            value = msgspec.json.decode(cast(str, block))
        except (msgspec.DecodeError, RecursionError):
            continue
        if not isinstance(value, dict) or not value:
            continue
        value = cast("dict[str, Any]", value)
        if isinstance(value.get("properties"), dict):
            return value
        return _nullable_object({name: _like(example) for name, example in value.items() if not name.endswith("_metadata")})
    return None


def _like(example: object) -> dict[str, Any]:
    """The type of which `example` is one. A string example describes the field more often than it is a value: it is kept as such."""
    if isinstance(example, dict):
        example = cast("dict[str, Any]", example)
        return _nullable_object({name: _like(value) for name, value in example.items()}) if example else {"type": "object"}
    if isinstance(example, list):
        items = cast("list[object]", example)
        return {"type": "array", "items": _like(items[0]) if items else {"type": "string"}}
    if isinstance(example, bool):
        return _nullable({"type": "boolean"})
    if isinstance(example, int | float):
        return _nullable({"type": "number"})
    if isinstance(example, str) and example:
        if re.fullmatch(r"\d{4}-\d\d-\d\d|YYYY-MM-DD", example):
            return _nullable({"type": "string", "format": "date"})
        if example.lower() in ("string", "number", "integer", "boolean"):
            return _nullable({"type": example.lower()})
        return {**_nullable({"type": "string"}), "description": example[:300]} if " " in example else _nullable({"type": "string"})
    return _nullable({"type": "string"})


def _from_table(text: str) -> dict[str, Any] | None:
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.splitlines() if line.strip().startswith("|")]
    for start, row in enumerate(rows[:-1]):
        heads = [cell.strip("*` ").lower() for cell in row]
        names = next(
            (column for column, head in enumerate(heads) if re.fullmatch(r"(field|key|property|column)( ?name)?s?|name", head)), None
        )
        if names is None or not all(re.fullmatch(r":?-+:?", cell) for cell in rows[start + 1]):
            continue
        fields: dict[str, Any] = {}
        for cells in rows[start + 2 :]:
            if len(cells) != len(heads) or re.fullmatch(r":?-+:?", cells[names]):
                break
            name = _identifier(cells[names].strip("*` "))
            rest = " ".join(cell.strip("` ") for column, cell in enumerate(cells) if column != names)
            if name:
                fields[name] = _described(name, rest)
        if fields:
            return _nullable_object(fields)
    return None


def _from_list(text: str) -> dict[str, Any] | None:
    about = False
    found: list[tuple[int, str, str]] = []
    for line in _FENCE.sub("", text).splitlines():
        if heading := _HEADING.match(line):
            about = bool(_ABOUT_FIELDS.search(heading["text"]))
        elif item := _ITEM.match(line):
            code, bold = item["code"], item["bold"]
            named = (
                _identifier(code)
                if code and (about or ("_" in code and _NAME.match(code)))
                else _identifier(bold)
                if bold and about
                else None
            )
            if named and named.lower() not in _NOT_NAMES:
                found.append((len(item["indent"].expandtabs(4)), named, item["rest"].strip(" :-–—")))
    return _nullable_object(_nest(found)) if found else None


def _nest(items: list[tuple[int, str, str]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    position = 0
    while position < len(items):
        indent, name, rest = items[position]
        end = position + 1
        while end < len(items) and items[end][0] > indent:
            end += 1
        field = _described(name, rest)
        if end > position + 1:
            inner = _nullable_object(_nest(items[position + 1 : end]))
            many = field.get("type") == "array" or name.endswith("s")
            field = {**({"type": "array", "items": inner} if many else inner), **({"description": rest} if rest else {})}
        fields.setdefault(name, field)
        position = end
    return fields


def _described(name: str, rest: str) -> dict[str, Any]:
    rest = rest[:_MAX_DESCRIPTION]
    said = _SAID.search(rest)
    hint = said[1] if said else ("" if _LIKE_A_NUMBER.search(name) else f"{name.replace('_', ' ')} {rest.partition('.')[0]}")
    kind: dict[str, Any] = {"type": "number" if said and hint.lower() == "number" else "string"}
    kind = next((kind for pattern, kind in _TYPES if pattern.search(hint)), kind)
    description = (rest.replace(said[0], "") if said else rest).strip(" :-–—")
    field = kind if kind.get("type") == "array" else _nullable(kind)
    return {**field, **({"description": description} if description else {})}


def _identifier(text: str | None) -> str | None:
    name = re.sub(r"\W+", "_", (text or "").strip()).strip("_")
    return name if name and len(name) <= 60 and not name[0].isdigit() and len(name.split("_")) <= 6 else None


def _nullable(kind: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [kind, {"type": "null"}]}


def _nullable_object(fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": fields}
