"""The embedded extractor: values for any schema from read words alone, no model, milliseconds a page.

    extraction = extract(document, compile_schema(schema))

What happens: every scalar field is understood (asking, fields), its labels are looked for on every page (labels), the values they
point at are read as the field's kind (candidates), what documents show without a label is proposed from the page's shape (unlabelled,
parties), every candidate is scored (gathering, scoring), spans go to the fields that fit them best (assignment), lists are read from
tables and item lines (arrays), and all of it takes the schema's shape (shaping). Nothing is invented: a field without evidence stays
null, and every value carries the words it was read from.
"""

from __future__ import annotations

from functools import partial

from heliograph.extraction.arrays import Rows
from heliograph.extraction.asking import questions
from heliograph.extraction.assignment import assign
from heliograph.extraction.gathering import gather
from heliograph.extraction.instructions import Hints, hints, merged
from heliograph.extraction.paper import numbered
from heliograph.extraction.reading import Reading
from heliograph.extraction.result import Extraction, Leaf, Path
from heliograph.extraction.schema import Field, Schema
from heliograph.extraction.sections import Sections
from heliograph.extraction.shaping import conform, shaped
from heliograph.extraction.single import single
from heliograph.extraction.wholes import take_apart, wholes
from heliograph.media.document import Document


def extract(document: Document, schema: Schema, *, instructions: str | None = None, learned: Hints | None = None) -> Extraction:
    """Answer `schema` from a document's words.

    `instructions` (a prompt) is read for field names followed by the words a document uses for them; it never adds values. `learned`:
    further labels of fields, which examples have shown (`synonyms`). Raises nothing for documents without text: every field is then absent.
    """
    return explained(document, schema, instructions=instructions, learned=learned)[0]


def explained(
    document: Document, schema: Schema, *, instructions: str | None = None, learned: Hints | None = None
) -> tuple[Extraction, dict[Path, dict[str, float]]]:
    """An extraction, and for each answered leaf the features that its probability was computed from (for training)."""
    reading = Reading(document)
    hinted = merged(hints(instructions, schema.root), learned or {})
    asked = questions(schema, hinted)
    reasons: dict[Path, dict[str, float]] = {}
    values: dict[Path, Leaf] = {}
    whole = wholes(schema.root, asked)
    asks = numbered(reading, [ask for _, ask in asked])
    pools = gather(reading, [*asks, *(one.ask for one in whole)])
    paths = [path for path, _ in asked] + [one.path for one in whole]
    Sections(reading, schema, paths).settle(paths, pools)
    pools, extra = pools[: len(asks)], pools[len(asks) :]
    for one, pool in zip(whole, extra, strict=True):
        take_apart(one, pool, pools)
    for (path, _), (leaf, why) in zip(asked, assign(reading, pools), strict=True):
        values[path] = leaf
        if why:
            reasons[path] = why
    used = {part for leaf_parts in reading.taken for part in leaf_parts}
    rows = Rows(reading.sheets, reading.conventions, used, hinted)
    leaves: dict[Path, Leaf] = {}
    answer = shaped(schema.root, (), values, leaves, rows, partial(single, reading))
    reasons.update(rows.reasons)
    conform(schema, answer, leaves)
    extraction = Extraction(answer, leaves, list(schema.warnings))
    for path, leaf in leaves.items():
        field = _field_at(schema.root, path)
        if leaf.value is None and field is not None and field.required and not field.nullable:
            extraction.warnings.append(f"required_missing: {'.'.join(str(step) for step in path)}")
    return extraction, reasons


def _field_at(field: Field | None, path: Path) -> Field | None:
    for step in path:
        if field is None:
            return None
        field = field.item if isinstance(step, int) else field.field(step)
    return field
