"""What a phrase of a prompt is called as a field, and of which type its values are: `the total amount (USD)` is `total_amount`, a number.

Types come from what the phrase says itself (`as a date`, `(yes/no)`), else from what such fields usually hold (`vocabulary`).
"""

from __future__ import annotations

import re
from typing import Any

from heliograph.extraction.fields import understand
from heliograph.extraction.schema import METADATA_SUFFIX, Field
from heliograph.extraction.vocabulary import plain, split_name, tokens_of, vocabulary

Json = dict[str, Any]

LONGEST = 60
"""Characters of a field's name."""
MOST_WORDS = 7
"""Words of a phrase that can be a field's name; what is longer is prose."""

STRING: Json = {"type": "string"}
NUMBER: Json = {"type": "number"}
INTEGER: Json = {"type": "integer"}
BOOLEAN: Json = {"type": "boolean"}
DATE: Json = {"type": "string", "format": "date"}

_STATED: tuple[tuple[re.Pattern[str], Json], ...] = (
    (re.compile(r"\b(?:bool(?:ean)?|yes\s*/\s*no|yes or no|true\s*/\s*false|true or false)\b", re.I), BOOLEAN),
    (re.compile(r"\b(?:integers?|int|whole numbers?)\b", re.I), INTEGER),
    (re.compile(r"\b(?:numbers?|numeric|floats?|decimals?|double)\b", re.I), NUMBER),
    (re.compile(r"\b(?:dates?|iso[ -]?8601|y{2,4}[-/.]m{2}[-/.]d{2}|[md]{2}[-/.][md]{2}[-/.]y{2,4})\b", re.I), DATE),
    (re.compile(r"\b(?:strings?|texts?|str)\b", re.I), STRING),
)
_SEVERAL = re.compile(r"\b(?:list|array)\b|\[\]", re.I)
_KINDS = {"money": NUMBER, "number": NUMBER, "percent": NUMBER, "integer": INTEGER, "date": DATE, "boolean": BOOLEAN}
_COUNTED = re.compile(r"(?:total )?(?:number|no|count|amount) of (?:[\w -]*s|people|children)$|.* count$|how many .*")
_WHOLE = frozenset({"age", "year", "count"})
_MEASURES = frozenset(
    {"hours", "days", "weeks", "months", "years", "minutes", "seconds", "pages", "miles", "points", "kilometers", "kilometres",
     "mileage", "score", "rating", "percentage", "percent", "salary", "revenue", "profit", "income", "budget", "deposit", "rent", "wage",
     "wages", "weight", "height", "length", "width", "distance", "temperature", "latitude", "longitude", "duration", "taxes", "sales",
     "savings", "earnings", "expenses", "cost", "costs", "pay", "payment", "premium", "deductible", "principal", "interest", "rate",
     "footage", "usage", "area", "volume", "gpa", "apr", "withheld", "refills", "servings", "bedrooms", "bathrooms", "beds", "baths",
     "credits", "kwh", "kg", "km", "usd", "eur", "pct"}
)  # fmt: skip
"""Last words of what is mostly a number."""
_NOT_MEASURED = frozenset({"unit", "type", "code", "name", "currency", "date", "time"})
_DAYS = frozenset({"deadline", "birthday", "expiry", "expiration"})
_STATES = re.compile(r"(?:is|are|was|were|has|have|had|can|should|contains?|includes?)[_ ]\w")
_ONE = frozenset(
    {"address", "status", "gross", "terms", "notes", "conditions", "instructions", "details", "remarks", "comments", "goods", "news",
     "series", "previous", "various", "gps", "sms", "class", "business", "access", "process", "basis", "analysis", "diagnosis", "loss",
     "success", "progress", "always", "thanks", "headquarters", "means", "species", "contents", "initials", "tax", "vitals",
     "its", "his", "this", "as", "plus", "campus", "lens", "gas", "bonus", "premises", "whereabouts", "credentials", "specs", "pros",
     "directions", "dimensions"}
)  # fmt: skip
"""Words that end like a plural and mostly are one value."""
_MANY = {"people": "person", "children": "child", "diagnoses": "diagnosis", "analyses": "analysis", "criteria": "criterion", "men": "man",
         "women": "woman", "persons": "person", "bases": "basis", "allergies": "allergy", "addresses": "address"}  # fmt: skip
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*\Z", re.ASCII)


def identifier(phrase: str) -> str | None:
    """The name of a field for `phrase`; one that is written as a name already stays as it is. None for what can be no name."""
    text = phrase.strip().strip("\"'`*“”‘’«»").strip()
    if _IDENTIFIER.match(text) and is_identifier(text):
        name = text
    else:
        words = re.findall(r"[^\W_]+", plain(re.sub(r"['’]s?\b", "", text.replace("%", " percent ").replace("#", " number "))))
        if not words or len(words) > MOST_WORDS:
            return None
        name = "_".join(words)
    name = name[:LONGEST].strip("_")
    while name.endswith(METADATA_SUFFIX):
        name = name[: -len(METADATA_SUFFIX)]
    return f"field_{name}" if name[:1].isdigit() else name or None


def is_identifier(word: str) -> bool:
    """Whether a word is written as the name of a field: `invoice_id`, `invoiceId`."""
    return bool(re.fullmatch(r"\w*[a-zA-Z0-9]_[a-zA-Z0-9]\w*|[a-z]+[0-9]*(?:[A-Z][a-z0-9]*)+", word))


def is_type(text: str) -> bool:
    """Whether `text` states a type and nothing else."""
    rest = text
    for pattern, _ in _STATED:
        rest = pattern.sub("", rest)
    return not re.sub(r"\b(?:an?|the|in|as|of|type|format|formatted|list|array|value)\b|\W", "", rest, flags=re.I)


def stated(text: str) -> tuple[Json | None, bool]:
    """The type that `text` states, if any, and whether it says that there are several values. Of a list only its first part counts."""
    first, comma, _ = text.partition(",")
    if (comma or re.search(r"\band\b", first)) and not is_type(first):
        return None, False
    kind = next((kind for pattern, kind in _STATED if pattern.search(text)), None)
    return kind, bool(_SEVERAL.search(text))


def usual(name: str, phrase: str, *, column: bool = False) -> Json:
    """The type that a field (a list's `column`) of this name, for that phrase, mostly has."""
    lowered = phrase.casefold().strip()
    words = head(name)
    if _COUNTED.fullmatch(lowered):
        return NUMBER if lowered.startswith("amount") else INTEGER
    if _STATES.match(lowered) or _STATES.match(name):
        return BOOLEAN
    if set(words[-1:]) & _DAYS:
        return DATE
    if set(words[-1:]) & _WHOLE:
        return INTEGER
    if set(words[-1:]) & _MEASURES and not _NOT_MEASURED & set(words):
        return NUMBER
    if len(words) > 1 and words[-1] == "value":  # `declared value`; of a test it may be anything
        return NUMBER
    kind = understand(Field(name, (name,), "any"), in_row=column).kind
    return _KINDS.get(kind if kind != "text" else _labelled(phrase), STRING)


def _labelled(phrase: str) -> str:
    """The kind of what documents label so, in any of their languages: `Gesamtbetrag` is money."""
    tokens = tokens_of(phrase)
    return next((concept.kind for concept in vocabulary().raw.concepts if tokens in vocabulary().labels[concept.id]), "text")


def choices(text: str) -> list[str]:
    """The values that `paid, unpaid or overdue` or `male/female` lists; empty where it lists none."""
    text = re.sub(r"^\s*(?:either|one of|must be|can be|is|values?|options?)\b:?\s*", "", text, flags=re.I)
    if re.match(r"\s*(?:e\.?g|i\.?e|such as|for example|like|in|if|as|including|incl|when|where|not)\b", text, re.I):
        return []
    parts = [part.strip(" \"'`“”") for part in re.split(r"\s*(?:/|\||,\s*(?:or|and)\b|,|;|\bor\b)\s*", text)]
    parts = [part for part in parts if part]
    return parts if len(parts) >= 2 and all(len(part.split()) <= 3 and len(part) <= 40 for part in parts) else []


def head(phrase: str) -> list[str]:
    """The words of a phrase but for participles at its end, lower case: of `Vehicles involved` the first."""
    words = split_name(phrase).casefold().split()
    while len(words) > 1 and words[-1].endswith(("ed", "ing")):
        words.pop()
    return words


def is_plural(phrase: str) -> bool:
    """Whether a phrase's last word, but for participles, says that there are several: `vehicles involved`."""
    words = head(phrase)
    last = words[-1] if words else ""
    if words[-2:] in (["given", "names"], ["first", "names"]):
        return False
    if last in _MANY:
        return True
    ends = len(last) > 3 and last.endswith("s") and not last.endswith(("ss", "us", "is"))
    return ends and last not in _ONE and last not in _MEASURES


def plural(phrase: str) -> str:
    """`property listing` is `property listings`."""
    if is_plural(phrase):
        return phrase
    if re.search(r"[^aeiou]y$", phrase):
        return phrase[:-1] + "ies"
    return phrase + ("es" if re.search(r"(?:s|x|z|ch|sh)$", phrase) else "s")


def singular(word: str) -> str:
    """`medications` is `medication`."""
    lowered = word.casefold()
    if lowered in _MANY:
        return _MANY[lowered]
    if not is_plural(word):
        return lowered
    if lowered.endswith("ies"):
        return lowered[:-3] + "y"
    return lowered[:-2] if lowered.endswith(("sses", "xes", "zes", "ches", "shes")) else lowered[:-1]
