"""Values whose parts are asked for one by one and printed as one: an address, a person's name.

`patient_address` with `street`, `city` and the rest is found as `Address: 167 Commerce Pkwy #16, Bangor, ME 32421` by the label of the
whole and taken apart; so are `first_name` and `last_name` where the page has `Patient: Imogen Van Horn`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from heliograph.extraction.addresses import Name, places
from heliograph.extraction.candidates import Candidate
from heliograph.extraction.fields import Ask, understand
from heliograph.extraction.gathering import Pool
from heliograph.extraction.result import Path
from heliograph.extraction.schema import Field
from heliograph.extraction.unlabelled import PLACES

_FIRST, _LAST = "first.name", "last.name"
_BEFORE = re.compile(r"(?:(?:dr|mr|mrs|ms|miss|prof|herr|frau|mme|m|sr|sra|sig)\.?\s+)+", re.IGNORECASE)
_AFTER = re.compile(r",?\s+(?:jr|sr|ii|iii|iv|m\.?d|d\.?o|ph\.?d|r\.?n|esq)\.?$", re.IGNORECASE)
_PARTICLES = frozenset({"van", "von", "de", "da", "dos", "del", "della", "di", "du", "le", "la", "ter", "den", "bin", "al"})
_LESS = 0.1
"""What a part's score is less than its whole's: a label of its own comes first."""


class Whole:
    """Something asked for in parts: the ask for all of it, where its parts stand in the answer, and whether it is an address."""

    def __init__(self, path: Path, ask: Ask, parts: dict[str, int]) -> None:
        self.path, self.ask, self.parts = path, ask, parts


def wholes(root: Field, asked: Sequence[tuple[Path, Ask]]) -> list[Whole]:
    """What of the fields are parts of one written thing."""
    made: list[Whole] = []
    for parent in dict.fromkeys(path[:-1] for path, _ in asked):
        children = {index: ask for index, (path, ask) in enumerate(asked) if path[:-1] == parent}
        made += _addresses(root, parent, children)
        made += _names(parent, children)
    return made


def _addresses(root: Field, parent: Path, children: dict[int, Ask]) -> Iterator[Whole]:
    parts = {ask.concept.kind: index for index, ask in children.items() if ask.concept is not None and ask.concept.kind in PLACES}
    field = root
    for step in parent:
        inner = field.field(str(step))
        if inner is None:
            return
        field = inner
    if len(parts) >= 3 and parent and len(parts) >= len(children) - 1:
        name = field.name if "address" in field.name.casefold() else f"{field.name} address"
        whole = Field(name, field.path, "string", description=field.description)
        ask = understand(whole, tuple(str(step) for step in parent[:-1]))
        if ask.kind == "address":
            yield Whole(parent, ask, parts)


def _names(parent: Path, children: dict[int, Ask]) -> Iterator[Whole]:
    parts: dict[str, int] = {}
    for index, ask in children.items():
        if ask.concept is not None and ask.concept.id in (_FIRST, _LAST):
            parts[ask.concept.id] = index
        elif ask.field.name.casefold().startswith("middle"):
            parts["middle"] = index
    if _FIRST in parts and _LAST in parts:
        full = next((ask for ask in children.values() if ask.concept is not None and ask.concept.id == "person.name"), None)
        yield Whole(parent, full or understand(Field("full_name", (), "string"), tuple(str(step) for step in parent)), parts)


def take_apart(whole: Whole, pool: Pool, pools: Sequence[Pool]) -> None:
    """Give each part's pool what the best candidate of the whole says of it."""
    best = next((candidate for candidate in pool.candidates if candidate.occurrence is not None), None)
    if best is None or best.score <= 0:
        return
    for what, name in (_pieces(best) if _FIRST in whole.parts else places(Name(best.text, best.parts, 1.0))).items():
        if what in whole.parts:
            part = pools[whole.parts[what]]
            made = Candidate(name.text, name.parts, best.features | {"part": 1.0}, occurrence=best.occurrence, score=best.score - _LESS)
            part.candidates.append(made)
            part.candidates.sort(key=lambda candidate: -candidate.score)


def _pieces(whole: Candidate) -> dict[str, Name]:
    """First, middle and last name of a name on one line; `Marsh, Ottilie` begins with the last."""
    segment, start, end = whole.parts[0]
    text = segment.text[start:end]
    title = _BEFORE.match(text)
    if title:
        start += title.end()
    after = _AFTER.search(segment.text[start:end])
    if after:
        end = start + after.start()
    words = [(start + m.start(), start + m.end()) for m in re.finditer(r"[^\s,]+", segment.text[start:end])]
    if len(words) < 2 or len(words) > 5:
        return {}
    comma = segment.text.find(",", start, end)
    if comma >= 0:
        last, rest = [word for word in words if word[1] <= comma], [word for word in words if word[0] > comma]
    else:
        cut = next((at for at, (a, b) in enumerate(words) if at and segment.text[a:b].casefold() in _PARTICLES), len(words) - 1)
        last, rest = words[cut:], words[:cut]
    spans = {_FIRST: rest[:1], "middle": rest[1:], _LAST: last}
    made: dict[str, Name] = {}
    for what, inside in spans.items():
        if inside:
            span = (segment, inside[0][0], inside[-1][1])
            made[what] = Name(segment.text[span[1] : span[2]], [span], 1.0)
    return made
