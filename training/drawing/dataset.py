"""A folder of drawn documents in the form that `heliograph eval` reads: manifest, files, truth, schemas."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import cast

from training.drawing.content import Json
from training.drawing.kinds import (
    Kind,
    blueprint,
    care,
    certification,
    coverage,
    invoice,
    licence,
    order,
    receipt,
    registration,
    report,
    resume,
    taxform,
)
from training.drawing.kinds.schema import of_domain
from training.drawing.layout import Layouts, draw
from training.drawing.wear import Wear, worn

KINDS: dict[str, Kind] = {
    "invoice": Kind("drawn_invoice", invoice.SCHEMAS, invoice.content),
    "receipt": Kind("drawn_receipt", receipt.SCHEMAS, receipt.content),
    "order": Kind("drawn_order", order.SCHEMAS, order.content),
    "registration": Kind("drawn_registration", registration.SCHEMAS, registration.content),
    "taxform": Kind("drawn_taxform", taxform.SCHEMAS, taxform.content),
    "certification": Kind("drawn_certification", certification.SCHEMAS, certification.content),
}
DOMAINS: dict[str, Kind] = {
    name: Kind(name, of_domain(name), content)
    for name, content in (
        ("document.invoice", invoice.of_the_domain),
        ("document.receipt", receipt.of_the_domain),
        ("document.resume", resume.content),
        ("document.us-drivers-license", licence.content),
        ("construction.blueprint", blueprint.content),
        ("healthcare.patient-referral", care.referral),
        ("healthcare.patient-identification", care.identification),
        ("healthcare.physician-order", care.physician_order),
        ("healthcare.lab-report", care.lab_report),
        ("healthcare.claims-processing", coverage.claim),
        ("healthcare.prior-authorization-request", coverage.authorization),
        ("healthcare.explanation-of-benefits", coverage.benefits),
    )
}
"""Kinds that are asked with the schema of the engine's domain of the same name."""
PAGES: dict[str, Kind] = {"report": Kind("drawn_pages", {}, report.content)}
"""Kinds of which the blocks of the page are the truth, and that nothing is asked about."""
ALL = KINDS | DOMAINS | PAGES
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
    write_schemas(folder, kinds)
    for number in range(documents):
        kind = kinds[number % len(kinds)]
        drawn = one(folder, kind, number, Random(f"{seed} {layouts} {kind} {number}"), layouts, wears)
        rows.append(drawn.row)
        yield drawn
    (folder / "manifest.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def write_schemas(folder: Path, kinds: Sequence[str]) -> None:
    """Write the schemas that documents of these kinds are asked with."""
    for kind in kinds:
        for name, schema in ALL[kind].schemas.items():
            (folder / "schemas" / f"{ALL[kind].set}{'.' if name else ''}{name}.json").write_text(_json(schema), "utf-8")


def one(
    folder: Path, kind: str, number: int, random: Random, layouts: Layouts, wears: Sequence[Wear | None], *, small: bool = False
) -> Drawn:
    """Draw one document, wear it, and write its truth; `small`: in files of a few dozen kilobytes, the same on every machine."""
    made = ALL[kind].content(random)
    stem = "-".join(part for part in (made.schema, kind, f"{number:05}") if part)
    path = folder / "items" / f"{stem}.pdf"
    truth = draw(made, path, random, layouts, standard=small)
    wear = random.choice(wears)
    if wear is not None:
        target = path.with_name(stem + (".png" if wear == "fax" else ".jpg"))
        dpi = random.choice((200, 240)) if made.paper in {"thermal", "card"} else 140 if small else 150
        worn(path, target, truth, wear, random, dpi=dpi, small=small)
        path.unlink()
        path = target
    if kind in PAGES:
        (folder / "truth" / f"{path.name}.json").write_text(_json({"elements": truth.blocks()}), "utf-8")
        return Drawn(_row(folder, kind, path, layouts, wear), kind)
    fields = truth.fields(ALL[kind].schemas[made.schema], made.unscored)
    unscored = [name for name in made.unscored if "." not in name]
    (folder / "truth" / f"{path.name}.json").write_text(_json({"fields": fields, "unscored": unscored}), "utf-8")
    return Drawn(_row(folder, kind, path, layouts, wear), kind)


def _row(folder: Path, kind: str, path: Path, layouts: Layouts, wear: Wear | None) -> dict[str, Json]:
    """The document's line for the manifest."""
    return {
        "id": f"{ALL[kind].set}/{path.name}",
        "set": ALL[kind].set,
        "kind": "pdf" if wear is None else "image",
        "path": path.relative_to(folder).as_posix(),
        "truth_path": f"truth/{path.name}.json",
        "task": "layout" if kind in PAGES else "kie+boxes",
        "truth_quality": "self",
        "layouts": layouts,
        "wear": wear,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def _json(tree: dict[str, Json]) -> str:
    """JSON with a line for each field of the two upper levels."""
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {_lines(child)}" for name, child in tree.items()) + "\n}\n"


def _lines(tree: Json) -> str:
    if not isinstance(tree, dict):
        return json.dumps(tree, ensure_ascii=False)
    table = cast("dict[str, Json]", tree)
    return "{\n " + ",\n ".join(f"{json.dumps(name)}: {json.dumps(child, ensure_ascii=False)}" for name, child in table.items()) + "\n}"
