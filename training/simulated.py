"""Makes `extraction/calibration.json`, the confidence of models not measured: `python -m training.simulated FOLDER --pages PAGES`.

The answers are those of a model that was never asked: the truth of labelled documents, changed the way models go wrong (another
document's value, another value of the page, a slip in one letter or digit, nothing, something for what is not there). Real models also
go wrong in ways nobody simulates, so right answers count as wrong at a rate, higher where the embedded extractor does not say the same;
and the embedded extractor has learned from these documents, so some of its answers are spoiled too. The weights that the fit begins with
were set by hand and count for much.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec

from heliograph.evaluation.calibration import Judgement, fit
from heliograph.evaluation.judging import judge
from heliograph.evaluation.kept import Pages
from heliograph.evaluation.metrics import day, money
from heliograph.evaluation.sets import Item, items
from heliograph.extraction import calibration
from heliograph.extraction.alignment import Alignment
from heliograph.extraction.combining import combine
from heliograph.extraction.embedded import extract
from heliograph.extraction.metadata import with_metadata
from heliograph.extraction.normalise import amounts, dates
from heliograph.extraction.result import Extraction, Leaf
from heliograph.extraction.schema import Field, Schema, compile_schema
from heliograph.media.document import Document

Json = Any
TARGET = Path(calibration.__file__).with_suffix(".json")
DRAWS = 6
"""Answers simulated for each document."""
ANOTHERS, CONFUSED, SLIPPED, SILENT = 0.08, 0.06, 0.05, 0.05
"""Shares of values that are another document's, another one of the page, have a slip, or are left out."""
INVENTED = 0.2
"""Share of fields the document does not hold that are answered all the same."""
LOST, SPOILED = 0.12, 0.06
"""Shares of the embedded extractor's values that it is taken not to have found, and to have got wrong."""
BY_HAND = 60.0
"""Strength of the prior, in answers."""
DOUBT, DOUBT_AGREED = 0.08, 0.015
"""Rates at which right answers count as wrong: of the model alone, and where the embedded extractor says the same."""


def main() -> None:
    """Simulate, fit, write."""
    parser = argparse.ArgumentParser(prog="python -m training.simulated", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=TARGET)
    options = parser.parse_args()
    found = list(judgements(options.folder, options.pages, random.Random(11)))
    told = "simulated answers on labelled documents (training/simulated.py), cautious by design"
    made = fit(found, route="", made_from=told, prior=BY_HAND)
    print(made)
    options.out.write_bytes(msgspec.json.format(msgspec.json.encode(made.calibration), indent=1) + b"\n")


def judgements(folder: Path, pages: Path, chance: random.Random) -> Iterator[Judgement]:
    """Simulated answers with their traits, judged."""
    documents: list[tuple[Item, Document, Schema]] = []
    for item in items(folder):
        read = Pages(pages, item.path).all()
        if read:
            documents.append((item, Document("application/octet-stream", len(read), read), compile_schema(item.schema)))
    for item, document, schema in documents:
        others = [other for other, _, shape in documents if other is not item and shape.source == schema.source]
        alignment, embedded = Alignment(document.pages), extract(document, schema)
        for _ in range(DRAWS):
            asked = [field for field in schema.fields if field.name in item.truth or field.name in item.absent]
            said = {field.name: _said(item, document, field, others, chance) for field in asked}
            made = combine(said, schema, alignment.find(said, schema), _spoiled(embedded, document, schema, chance))
            judged = judge(item, with_metadata(made, schema, grounding=True, confidence=True))
            for one in judged.fields:
                traits = made.reasons.get((one.field,))
                if traits is not None:
                    doubt = DOUBT_AGREED if traits.get("same") or traits.get("null") else DOUBT
                    yield Judgement(item.id, traits, one.exact and chance.random() >= doubt)


def _spoiled(embedded: Extraction, document: Document, schema: Schema, chance: random.Random) -> Extraction:
    """An embedded answer as it might be on a document it has not learned from."""
    values, leaves = dict(embedded.values), dict(embedded.leaves)
    for field in schema.fields:
        leaf = leaves.get((field.name,))
        if leaf is None or leaf.value is None:
            continue
        drawn = chance.random()
        if drawn < LOST:
            leaves[(field.name,)] = Leaf(None, "absent", "none", 0.75 + 0.2 * chance.random())
        elif drawn < LOST + SPOILED:
            wrong = _confused(document, field, leaf.value, chance)
            leaves[(field.name,)] = msgspec.structs.replace(
                leaf, value=wrong, probability=leaf.probability * (0.6 + 0.35 * chance.random())
            )
        values[field.name] = leaves[(field.name,)].value
    return Extraction(values, leaves)


def _said(item: Item, document: Document, field: Field, others: Sequence[Item], chance: random.Random) -> Json:
    """What the simulated model says for a field."""
    truth = _typed(item.truth.get(field.name), field, item)
    drawn = chance.random()
    if isinstance(truth, (list, dict)):
        return cast("Json", truth)
    if truth is None:
        if drawn >= INVENTED:
            return None
        return _anothers(field, others, chance) if chance.random() < 0.5 else _confused(document, field, None, chance)
    for share, wrong in (
        (ANOTHERS, lambda: _anothers(field, others, chance)),
        (CONFUSED, lambda: _confused(document, field, truth, chance)),
        (SLIPPED, lambda: _slipped(truth, chance)),
        (SILENT, lambda: None),
    ):
        if drawn < share:
            return wrong()
        drawn -= share
    return truth


def _typed(value: Json, field: Field, item: Item) -> Json:
    if isinstance(value, list):
        return [_typed(child, field.item or field, item) for child in cast("list[Json]", value)]
    if isinstance(value, dict) or value is None:
        return cast("Json", value)
    if field.format == "date":
        return day(value, day_first=item.day_first) or value
    if field.kind in ("number", "integer"):
        amount = money(value)
        return float(amount) if amount is not None else None
    return value


def _anothers(field: Field, others: Sequence[Item], chance: random.Random) -> Json:
    """The value of the same field in another document."""
    values = [made for other in others if (made := _typed(other.truth.get(field.name), field, other)) is not None]
    return chance.choice(values) if values else None


def _confused(document: Document, field: Field, truth: Json, chance: random.Random) -> Json:
    """Another value of the kind from the pages."""
    lines = [line.text for page in document.pages for line in page.lines]
    values: list[Json] = []
    if field.format == "date":
        values = [settled.isoformat() for line in lines for span in dates(line) if (settled := span.settle(day_first=True)) is not None]
    elif field.kind in ("number", "integer"):
        values = [float(amount.value) for line in lines for amount in amounts(line) if amount.decimals == 2]
    elif field.kind == "boolean":
        return not truth
    elif field.enum:
        values = list(field.enum)
    else:
        values = [line for line in lines if 3 < len(line) < 60]
    values = [value for value in values if value != truth]
    return chance.choice(values) if values else truth


def _slipped(truth: Json, chance: random.Random) -> Json:
    """A value with one character wrong."""
    if isinstance(truth, bool):
        return not truth
    text = f"{truth:.2f}" if isinstance(truth, float) else str(truth)
    at = chance.choice([i for i, c in enumerate(text) if c.isalnum()] or [0])
    wrong = chance.choice("0123456789" if text[at].isdigit() else "abcdefghijklmnopqrstuvwxyz")
    made = text[:at] + wrong + text[at + 1 :]
    return float(made) if isinstance(truth, (int, float)) else made


if __name__ == "__main__":
    main()
