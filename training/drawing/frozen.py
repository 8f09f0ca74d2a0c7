"""Writes the drawn documents that are committed and that the tests hold a bar to: `python -m training.drawing.frozen [FOLDER]`.

Three of every kind: a PDF of each side of the layouts, and one that was scanned or photographed. They join what `tools/draw_eval.py`
writes to `tests/data/eval`, whose manifest they are added to; the pages whose blocks are the truth have a manifest of their own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random

from training.drawing.content import Json
from training.drawing.dataset import ALL, DOMAINS, KINDS, PAGES, one, write_schemas
from training.drawing.layout import Layouts
from training.drawing.wear import Wear

TARGET = Path(__file__).resolve().parents[2] / "tests" / "data" / "eval"
SEED = 20261121
SAMPLES: tuple[tuple[Layouts, Wear | None], ...] = (("train", None), ("held-out", None), ("train", "scan"))


def freeze(folder: Path) -> None:
    """Draw them anew; what the manifest of `folder` says of other sets stays."""
    for name in ("items", "truth", "schemas"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for kind in ALL:
        for path in (*(folder / "items").glob(f"*{kind}-0*"), *(folder / "truth").glob(f"*{kind}-0*")):
            path.unlink()
    write_schemas(folder, list(ALL))
    rows: list[dict[str, Json]] = []
    for kind in ALL:
        for number, (layouts, wear) in enumerate(SAMPLES):
            photo: Wear = "photo" if kind in {"receipt", "document.receipt", "document.us-drivers-license"} else "scan"
            chance = Random(f"{SEED} {kind} {number}")
            rows.append(one(folder, kind, number, chance, layouts, (photo if wear else None,), small=True).row)
    sets = {ALL[kind].set for kind in ALL}
    manifest = folder / "manifest.jsonl"
    kept = [row for row in (json.loads(line) for line in manifest.read_text("utf-8").splitlines()) if row["set"] not in sets]
    asked = {ALL[kind].set for kind in (*KINDS, *DOMAINS)}
    _write(manifest, [*kept, *(row for row in rows if row["set"] in asked)])
    for kind in PAGES:
        (folder / ALL[kind].set).mkdir(exist_ok=True)
        _write(folder / ALL[kind].set / "manifest.jsonl", [row for row in rows if row["set"] == ALL[kind].set])


def _write(path: Path, rows: list[dict[str, Json]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


if __name__ == "__main__":
    freeze(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
