"""A schema for a recording of which nothing is known: the values that are stated in it (`my order number is ...`), and what stands on its
frames as on a page. Names of fields are words that were said."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Final

from heliograph.extraction.normalise import dates, times
from heliograph.extraction.propose import proposal
from heliograph.extraction.propose import proposed_schema as read_schema
from heliograph.extraction.recordings.gist import STOP
from heliograph.extraction.recordings.lines import Line, lines_of
from heliograph.extraction.recordings.people import People
from heliograph.extraction.recordings.sources import Sources

Json = Any

MOST: Final = 40
"""Fields that are proposed."""
_LONGEST = 4
"""Words of a name."""
_OWNERS: Final = frozenset({"my", "your", "our", "the", "his", "her", "their"})
_LINKS: Final = frozenset({"is", "was", "are", "will"})
DESCRIPTION = "Fields found in what is said and shown in the recording."


def propose(sources: Sources, kind: str, today: date) -> Json:
    """The `SchemaResponse` for a recording; its `json_schema` has no properties where nothing is stated."""
    return proposal(proposed_schema(sources), category=kind, name="recording", description=DESCRIPTION, today=today)


def proposed_schema(sources: Sources) -> Json:
    """A schema of what a recording seems to hold, in the order in which it comes. Every value may be null."""
    lines = lines_of(sources.speech)
    fields: dict[str, Json] = {}
    people = People(lines)
    hosts = [one for one in people.introduced if one.role == "host"]
    callers = [one for one in people.introduced if one.role != "host"]
    for name, found in (("agent_name", hosts), ("caller_name", callers), ("company", people.companies)):
        if found:
            fields[name] = _text("")
    for line in lines:
        for name, schema in _stated(line):
            if len(fields) < MOST:
                fields.setdefault(name, schema)
    if sources.frames:
        for name, schema in read_schema(sources.read)["properties"].items():
            if len(fields) < MOST:
                fields.setdefault(name, schema)
    return {"type": "object", "properties": fields}


def _stated(line: Line) -> list[tuple[str, Json]]:
    """Names and types of what a sentence states: `my order number is 1047`; and of what it asks for: `your order number?`"""
    made: list[tuple[str, Json]] = []
    for at, low in enumerate(line.low):
        if low not in _OWNERS:
            continue
        end = at + 1
        while end < len(line.low) and line.low[end] not in _LINKS and end - at <= _LONGEST and not line.ends[end]:
            end += 1
        label = line.low[at + 1 : end]
        if not label or end >= len(line.low) or line.low[end] not in _LINKS or end + 1 >= len(line.low):
            continue
        telling = [word for word in label if word not in STOP]
        if not telling or not all(word.isalpha() for word in label) or telling[0] in ("name",):
            continue
        schema = _type(line, end + 1)
        if schema is not None:
            made.append(("_".join(telling), schema | {"description": " ".join(label)}))
    return made


def _type(line: Line, at: int) -> Json:
    """What kind of value begins at `at`; None where none does."""
    while at < len(line.low) and line.low[at] in ("on", "at", "the", "about", "be", "a"):
        at += 1
    rest = line.words(at, len(line.cores) - 1)
    if any(span.start == 0 for span in dates(rest)):
        return {"type": ["string", "null"], "format": "date"}
    core = line.cores[at] if at < len(line.cores) else ""
    if not any(map(str.isdigit, core)):
        return _text("") if "@" in core else None
    if "@" in core:
        return {"type": ["string", "null"], "format": "email"}
    if any(True for _ in times(core)) or re.fullmatch(r"[\d-]{7,}", core) or not re.fullmatch(r"[$€£¥₹]?[\d,]+(?:\.\d+)?%?", core):
        return _text("")
    named = {"number", "no", "id", "code"} & set(line.low[:at])
    return _text("") if named else {"type": ["number", "null"]}


def _text(description: str) -> Json:
    return {"type": ["string", "null"]} | ({"description": description} if description else {})
