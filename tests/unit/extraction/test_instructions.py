"""A prompt adds labels to look for, never values."""

from __future__ import annotations

import pytest

from heliograph.extraction.embedded import extract
from heliograph.extraction.instructions import hints
from heliograph.extraction.schema import compile_schema
from tests.unit.extraction.drawing import DATE, document

SCHEMA = compile_schema(
    {
        "type": "object",
        "properties": {
            "permit": {"type": ["string", "null"]},
            "hull_date": DATE,
            "crew": {"type": "array", "items": {"type": "object", "properties": {"rank": {"type": "string"}, "pay": {"type": "number"}}}},
        },
    }
)
PAGE = """
Harbour office
Zarf ref:     QX-81
Keel laid:    4 May 2021

Grade         Heller
Mate          12.50
Cook          9.75
"""


def test_phrases_of_a_prompt_become_labels_of_the_fields_they_name() -> None:
    prompt = 'The permit is labelled "Zarf ref". hull_date: Keel laid\n`Grade` is the rank of each, pay is in the column called Heller.'
    silent, told = extract(document(PAGE), SCHEMA), extract(document(PAGE), SCHEMA, instructions=prompt)
    assert silent.values == {"permit": None, "hull_date": None, "crew": []}
    assert told.values == {
        "permit": "QX-81",
        "hull_date": "2021-05-04",
        "crew": [{"rank": "Mate", "pay": 12.5}, {"rank": "Cook", "pay": 9.75}],
    }


@pytest.mark.parametrize(
    "prompt",
    [
        'Take permit from the line called "Zarf ref".',
        "permit = Zarf ref",
        "'Zarf ref' is the permit",
        "- **permit**: printed as `Zarf ref`, never the berth number",
        "The permit is shown under Zarf ref and must be copied as it stands.",
    ],
)
def test_many_ways_to_say_where_a_field_stands(prompt: str) -> None:
    assert ("zarf", "reference") in hints(prompt, SCHEMA.root)[("permit",)]


@pytest.mark.parametrize(
    "prompt", [None, "", "Be careful.", "The value is always QX-99.", "permit", 'Say "hello" to everyone', "\x00(" * 9000]
)
def test_a_prompt_without_labels_adds_none_and_no_value(prompt: str | None) -> None:
    assert hints(prompt, SCHEMA.root) == {}
    assert extract(document(PAGE), SCHEMA, instructions=prompt).values == extract(document(PAGE), SCHEMA).values


def test_a_value_stated_in_the_prompt_is_not_answered() -> None:
    made = extract(document("Nothing here"), SCHEMA, instructions='The permit is "QX-99"')
    assert made.values["permit"] is None
