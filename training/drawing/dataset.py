"""A folder of drawn documents in the form that `heliograph eval` reads: manifest, files, truth, schemas."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any, cast

from training.drawing.content import Content, Json
from training.drawing.kinds import certification, invoice, order, receipt, registration, taxform
from training.drawing.layout import Layouts, draw
from training.drawing.wear import Wear, worn

KINDS: dict[str, ModuleType] = {
    "invoice": invoice,
    "receipt": receipt,
    "order": order,
    "registration": registration,
    "taxform": taxform,
    "certification": certification,
}
WEARS: tuple[Wear | None, ...] = (None, None, None, "scan", "photo", "fax")
"""What becomes of a document, by turns of chance: half stay PDFs."""


@dataclass(frozen=True)
class Drawn:
    """A document on disk with its line for the manifest."""

    row: dict[str, Json]
    kind: str


def write(
    folder: Path,
    documents: int,
    seed: int,
    kinds: Sequence[str] = tuple(KINDS),
    layouts: Layouts = "train",
    wears: Sequence[Wear | None] = WEARS,
) -> Iterator[Drawn]:
    """Draw `documents` documents, of the kinds by turns; every one depends on `seed`, its kind and its number alone."""
    for name in ("items", "truth", "schemas"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Json]] = []
    for kind in kinds:
        for name, schema in cast("dict[str, Json]", KINDS[kind].SCHEMAS).items():
            (folder / "schemas" / f"drawn_{kind}.{name}.json").write_text(_json(schema), "utf-8")
    for number in range(documents):
        kind = kinds[number % len(kinds)]
        drawn = one(folder, kind, number, Random(f"{seed} {layouts} {kind} {number}"), layouts, wears)
        rows.append(drawn.row)
        yield drawn
    (folder / "manifest.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def one(folder: Path, kind: str, number: int, random: Random, layouts: Layouts, wears: Sequence[Wear | None]) -> Drawn:
    """Draw one document, wear it, and write its truth."""
    made = cast("Callable[[Random], Content]", KINDS[kind].content)(random)
    stem = f"{made.schema}-{kind}-{number:05}"
    path = folder / "items" / f"{stem}.pdf"
    truth = draw(made, path, random, layouts)
    wear = random.choice(wears)
    if wear is not None:
        target = path.with_suffix(".png" if wear == "fax" else ".jpg")
        worn(path, target, truth, wear, random, dpi=random.choice((200, 240)) if made.paper == "thermal" else 150)
        path.unlink()
        path = target
    schema: Any = KINDS[kind].SCHEMAS[made.schema]
    fields = {name: value for name, value in truth.fields(schema["properties"]).items() if name not in schema["x-absent"]}
    (folder / "truth" / f"{path.name}.json").write_text(_json({"fields": fields}), "utf-8")
    row = {
        "id": f"drawn_{kind}/{path.name}",
        "set": f"drawn_{kind}",
        "kind": "pdf" if wear is None else "image",
        "path": f"items/{path.name}",
        "truth_path": f"truth/{path.name}.json",
        "task": "kie+boxes",
        "truth_quality": "self",
        "layouts": layouts,
        "wear": wear,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    return Drawn(row, kind)


def _json(tree: Json) -> str:
    return json.dumps(tree, indent=1, ensure_ascii=False) + "\n"
