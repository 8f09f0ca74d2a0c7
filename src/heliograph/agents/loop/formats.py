"""Answers that must be JSON: whether they are what was asked for, and what to tell a model whose answer is not."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema_rs

from heliograph.agents.artifacts import REF
from heliograph.agents.task import Format

Json = Any
_FENCE = re.compile(r"```(?:json)?\s*\n(.*?)\n?```", re.DOTALL)
MOST_PROBLEMS = 5


class Unfit(ValueError):
    """An answer that is not what was asked for; the message says why, for a model to mend it."""


def parse(text: str) -> Json:
    """The JSON of an answer, also out of a fence or out of words around it. Raises Unfit."""
    found = _FENCE.search(text)
    for candidate in (text.strip(), found[1] if found else "", text[text.find("{") : text.rfind("}") + 1]):
        try:
            return json.loads(candidate)
        except ValueError:
            continue
    raise Unfit("It is not JSON.")


def check(value: Json, wanted: Format) -> None:
    """Raises Unfit for a value that is no object, or does not fit the schema."""
    if wanted.schema is None:
        if not isinstance(value, dict):
            raise Unfit("It is not a JSON object.")
        return
    problems = [
        f"{'/'.join(map(str, error.instance_path)) or 'the whole'}: {error.message[:200]}"
        for error in _validator(wanted.schema).iter_errors(value)
    ]
    if problems:
        raise Unfit("It does not fit the schema. " + "; ".join(problems[:MOST_PROBLEMS]))


def check_refs(value: Json, refs: set[str]) -> None:
    """Raises Unfit for a value that names an artifact which is not among `refs`."""
    unknown = sorted(set(REF.findall(json.dumps(value))) - refs)
    if unknown:
        there = ", ".join(sorted(refs)) or "none"
        raise Unfit(f"It names {', '.join(unknown)}, which is not there; there are: {there}.")


def written(value: Json) -> str:
    """A value as the answer's text."""
    return json.dumps(value, ensure_ascii=False)


def _validator(schema: dict[str, Json]) -> jsonschema_rs.Validator:
    """Of the schema as it was sent; the patterns of others take linear time, and other documents are not fetched."""

    def retrieve(uri: str) -> Json:
        raise ValueError(f"{uri} is another document")

    return jsonschema_rs.validator_for(schema, pattern_options=jsonschema_rs.RegexOptions(size_limit=1 << 20), retriever=retrieve)
