"""What each dialect of JSON Schema takes, beyond types, properties, required, items, enum and anyOf, which all do.

Sources, read in November 2026:

- openai: Structured Outputs guide, "Supported schemas" (every object closed, every field required, root an object and no anyOf,
  5,000 properties, 10 levels, 120,000 characters of names and enum values, 1,000 enum values, 15,000 characters in an enum of more than
  250; no allOf, oneOf, not, if, patternProperties, uniqueItems).
- vllm, sglang: `has_xgrammar_unsupported_json_features` of vLLM (multipleOf, uniqueItems, contains, propertyNames or
  patternProperties beside properties, pattern or format beside lengths), llguidance's list of formats (an unknown one is an error),
  and that a `$ref` cycle without an end decodes to nothing.
- llama.cpp, ollama: `grammars/README.md` (properties and anyOf do not mix, prefixItems and nested $ref are broken, number bounds hold for
  integers only) and its issues 25923 (an object without properties is no grammar), 25746 (a maxLength of 2,000 is none either).
- gemini: `response_json_schema` of google-genai (the list of keywords; enum of strings and numbers; no const), and its answer that
  nothing may stand beside any_of.
- anthropic: a tool's `input_schema` (no combinator at the root, names `^[a-zA-Z0-9_.-]{1,64}$`), and the subset of structured outputs
  as the SDK's `transform_schema` has it (objects closed, no bounds, no recursion, no list of types), where 16 fields of a schema may be
  unions and 24 may be missing (platform.claude.com, Structured outputs, "Schema complexity limits"): so few that null is mostly sent as
  an empty text.

Limits without a published number (`properties` of all but openai) are our own: a schema is split rather than tried out.
"""

from __future__ import annotations

import re

import msgspec

from heliograph.models.contract import Dialect, Profile

NAMES = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
ANY_NAMES = re.compile(r"[^\"\\\x00-\x1f\x7f]+")
ENFORCED = frozenset({"date"})
"""Formats that decoding may enforce. The others would make a model add what a page lacks (a time zone), or hold it to nothing."""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """A dialect.

    `type_lists`: whether a type may be a list of types, else alternatives say so. `maps`: whether further keys may have a schema, else a
    map is sent as a list of key and value. `words_inside`: a description goes into the first alternative of an anyOf. `unions`: fields
    that may have several types, None for any number of them. `properties`, `levels`, `characters` (of names and enum values),
    `enum_values`: of one schema.
    """

    type_lists: bool = True
    formats: frozenset[str] = ENFORCED
    maps: bool = False
    names: re.Pattern[str] = NAMES
    words_inside: bool = False
    unions: int | None = None
    properties: int = 200
    levels: int = 10
    characters: int = 60_000
    enum_values: int = 500
    long_enum: int = 15_000
    """Characters in an enum of more than 250 values."""


RULES: dict[Dialect, Rules] = {
    "openai": Rules(names=ANY_NAMES, properties=5_000, levels=10, characters=120_000, enum_values=1_000),
    "vllm": Rules(names=ANY_NAMES, maps=True, properties=1_000, levels=32, characters=120_000, enum_values=2_000),
    "sglang": Rules(names=ANY_NAMES, maps=True, properties=1_000, levels=32, characters=120_000, enum_values=2_000),
    "llama.cpp": Rules(names=ANY_NAMES, maps=True, properties=400, levels=16, enum_values=1_000),
    "ollama": Rules(names=ANY_NAMES, maps=True, properties=400, levels=16, enum_values=1_000),
    "gemini": Rules(words_inside=True, properties=200, levels=10),
    "anthropic": Rules(type_lists=False, properties=400, levels=16),
    "plain": Rules(type_lists=False, words_inside=True),
}

_FEW_UNIONS = 16


def rules_of(profile: Profile) -> Rules:
    """The rules that a backend's schemas keep, in the strongest JSON mode that it has."""
    rules = RULES[profile.dialect]
    if profile.dialect in ("anthropic", "plain") and profile.json_modes[:1] == ("json_schema",):
        return msgspec.structs.replace(rules, unions=_FEW_UNIONS)
    return rules
