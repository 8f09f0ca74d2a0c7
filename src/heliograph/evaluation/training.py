"""Makes `extraction/confidence.json`: `python -m heliograph.evaluation.training DATA_DIR PAGES_DIR`.

Every answer the extractor gives on labelled documents is a row: the features of its winning candidate, and whether it was right
(texts: at least 90 % alike, so that a reader's slip in one letter is not held against the choice). A logistic model is fitted
with an L2 penalty by Newton's method; what is reported is measured out of fold (ten), documents of one template or merchant in
one fold. A field that stays empty is a row too: right when the document does not hold it. Answers of small sets weigh more
(fourth root).
`PAGES_DIR` is the folder that `heliograph eval --pages` fills.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np

from heliograph.evaluation.judging import kind_of, row_score
from heliograph.evaluation.metrics import auroc, calibration_error, similar
from heliograph.evaluation.sets import Item, items
from heliograph.extraction.confidence import HI, MED
from heliograph.extraction.embedded import explained
from heliograph.extraction.schema import compile_schema
from heliograph.media.document import Document, Page

FOLDS = 10
PENALTY = 4.0
TARGET = Path(__file__).parent.parent / "extraction" / "confidence.json"
ALIKE = 0.5
"""Share of common words from which on two first pages count as one template."""
Example = tuple[str, str, dict[str, float], bool]
"""Set, group of like documents, features, whether the answer (or its absence) was right."""


def examples(data: Path, pages: Path) -> Iterator[Example]:
    """One for every answer on the labelled documents whose pages were read."""
    read_pages: list[tuple[Item, Document]] = []
    for item in items(data):
        folder = pages / sha256(item.path.read_bytes()).hexdigest()
        if not folder.is_dir():
            continue
        read = [msgspec.msgpack.decode(path.read_bytes(), type=Page) for path in sorted(folder.iterdir(), key=lambda path: int(path.name))]
        read_pages.append((item, Document("application/octet-stream", len(read), read)))
    for (item, document), group in zip(read_pages, _groups([document for _, document in read_pages]), strict=True):
        extraction, reasons = explained(document, compile_schema(item.schema))
        for path, why in reasons.items():
            right = _right(item, cast("dict[str, Any]", extraction.values), path)
            if right is not None:
                yield item.set, group, why, right


def _groups(documents: list[Document]) -> list[str]:
    """A name for each document that those of the same template or merchant share: their first pages have most words in common."""
    words = [frozenset(re.findall(r"[^\W\d_]{3,}", document.pages[0].text.casefold()) if document.pages else ()) for document in documents]
    groups = list(range(len(documents)))
    for a, mine in enumerate(words):
        for b in range(a):
            if mine and len(mine & words[b]) >= ALIKE * len(mine | words[b]):
                old, new = groups[a], groups[b]
                groups = [new if group == old else group for group in groups]
    return [f"group {group}" for group in groups]


def _right(item: Item, values: dict[str, Any], path: tuple[str | int, ...]) -> bool | None:
    name = cast("str", path[0])
    if name in item.absent:
        return values[name] is None
    if name not in item.truth:
        return None
    want = item.truth[name]
    if len(path) == 1:
        kind = kind_of(item.schema["properties"][name])
        if values[name] is None or want is None:
            return values[name] is None and want is None
        return similar(values[name], want, kind, day_first=item.day_first)
    if not isinstance(want, list) or path[-1] not in ("name", "line_total"):
        return None
    row = values[name][path[1]]
    key = cast("str", path[-1])
    true_rows = cast("list[dict[str, Any]]", want)
    return any(row_score({key: row.get(key)}, {key: true.get(key)}) >= 0.5 for true in true_rows)


def fit(features: np.ndarray, right: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weights of a logistic model (the last is the bias), by Newton's method with an L2 penalty on all but the bias."""
    made = np.zeros(features.shape[1])
    penalty = np.full(features.shape[1], PENALTY)
    penalty[-1] = 0.01
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(features @ made, -30, 30)))
        gradient = features.T @ (weight * (right - p)) - penalty * made
        curvature = (features.T * (weight * p * (1 - p))) @ features + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        made = made + step
        if float(np.abs(step).max()) < 1e-6:
            break
    return made


def main() -> None:
    """Train, measure out of fold, write."""
    data, pages = Path(sys.argv[1]), Path(sys.argv[2])
    rows = list(examples(data, pages))
    names = sorted({name for _, _, why, _ in rows for name in why})
    features = np.array([[why.get(name, 0.0) for name in names] + [1.0] for _, _, why, _ in rows])
    right = np.array([float(ok) for *_, ok in rows])
    sets = [name for name, *_ in rows]
    weight = np.array([len(rows) / (len(set(sets)) * sets.count(name)) for name in sets])
    weight = weight**0.25
    folds = np.array([int(sha256(document.encode()).hexdigest(), 16) % FOLDS for _, document, _, _ in rows])
    held_out = np.zeros(len(rows))
    for fold in range(FOLDS):
        inside = folds != fold
        held_out[~inside] = 1 / (1 + np.exp(-features[~inside] @ fit(features[inside], right[inside], weight[inside])))
    judged = [(float(p), bool(ok)) for p, ok in zip(held_out, right, strict=True)]
    whole = fit(features, right, weight)
    answered = np.array(["absent" not in why for _, _, why, _ in rows])
    precision = {
        name: f"{np.mean(right[chosen]):.3f} of {int(chosen.sum())}" if chosen.any() else "none"
        for name, chosen in (
            ("hi", answered & (held_out >= HI)),
            ("med", answered & (held_out >= MED) & (held_out < HI)),
            ("lo", answered & (held_out < MED)),
            ("absent hi", ~answered & (held_out >= HI)),
            ("absent rest", ~answered & (held_out < HI)),
        )
    }
    groups, empty = len({group for _, group, *_ in rows}), int((~answered).sum())
    trained = f"{len(rows)} answers ({empty} of them empty) on {groups} groups of like documents of {', '.join(sorted(set(sets)))}; "
    trained += f"out of fold: ECE {calibration_error(judged):.3f}, AUROC {auroc(judged) or 0:.3f}, precision {precision}"
    TARGET.write_text(
        json.dumps(
            {
                "version": datetime.now(UTC).date().isoformat(),
                "trained_on": trained,
                "bias": round(float(whole[-1]), 4),
                "weights": {name: round(float(value), 4) for name, value in zip(names, whole[:-1], strict=True)},
            },
            indent=1,
        )
        + "\n"
    )
    print(trained)


if __name__ == "__main__":
    main()
