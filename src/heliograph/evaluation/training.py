"""Makes `extraction/confidence.json`: `python -m heliograph.evaluation.training DATA_DIR PAGES_DIR`.

Every answer the extractor gives on labelled documents is a row: the features of its winning candidate, and whether it was right
(texts: at least 90 % alike, so that a reader's slip in one letter is not held against the choice). A logistic model is fitted
with an L2 penalty by Newton's method; what is reported is measured out of fold, folds by document (five). Answers of
small sets weigh more (square root).
`PAGES_DIR` is the folder that `heliograph eval --pages` fills.
"""

from __future__ import annotations

import json
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

FOLDS = 5
PENALTY = 2.0
TARGET = Path(__file__).parent.parent / "extraction" / "confidence.json"
Example = tuple[str, str, dict[str, float], bool]
"""Set, document, features, whether the answer was right."""


def examples(data: Path, pages: Path) -> Iterator[Example]:
    """One for every answer on the labelled documents whose pages were read."""
    for item in items(data):
        folder = pages / sha256(item.path.read_bytes()).hexdigest()
        if not folder.is_dir():
            continue
        read = [msgspec.msgpack.decode(path.read_bytes(), type=Page) for path in sorted(folder.iterdir(), key=lambda path: int(path.name))]
        document = Document("application/octet-stream", len(read), read)
        extraction, reasons = explained(document, compile_schema(item.schema))
        for path, why in reasons.items():
            right = _right(item, cast("dict[str, Any]", extraction.values), path)
            if right is not None:
                yield item.set, item.id, why, right


def _right(item: Item, values: dict[str, Any], path: tuple[str | int, ...]) -> bool | None:
    name = cast("str", path[0])
    if name in item.absent:
        return False
    if name not in item.truth:
        return None
    want = item.truth[name]
    if len(path) == 1:
        kind = kind_of(item.schema["properties"][name])
        return want is not None and similar(values[name], want, kind, day_first=item.day_first)
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
    weight = np.sqrt(weight)
    folds = np.array([int(sha256(document.encode()).hexdigest(), 16) % FOLDS for _, document, _, _ in rows])
    held_out = np.zeros(len(rows))
    for fold in range(FOLDS):
        inside = folds != fold
        held_out[~inside] = 1 / (1 + np.exp(-features[~inside] @ fit(features[inside], right[inside], weight[inside])))
    judged = [(float(p), bool(ok)) for p, ok in zip(held_out, right, strict=True)]
    whole = fit(features, right, weight)
    precision = {
        name: f"{np.mean(right[chosen]):.3f} of {int(chosen.sum())}" if chosen.any() else "none"
        for name, chosen in (("hi", held_out >= HI), ("med", (held_out >= MED) & (held_out < HI)), ("lo", held_out < MED))
    }
    trained = f"{len(rows)} answers on {len({document for _, document, *_ in rows})} documents of {', '.join(sorted(set(sets)))}; "
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
