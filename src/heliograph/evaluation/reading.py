"""How well pages are read: words, tables, barcodes, order. `heliograph eval` measures these sets beside those that have a schema;
`python -m heliograph.evaluation.reading DATA_DIR` measures them alone, with any `detail` and `structure`.

Only the files' bytes reach the reader. A document that cannot be read counts as read empty.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_args

from heliograph.config import settings
from heliograph.errors import HeliographError
from heliograph.evaluation.kept import Kept, code, digest
from heliograph.evaluation.likeness import (
    Share,
    bags,
    blank_tokens,
    block_likeness,
    character_errors,
    keywords,
    letter_tokens,
    letters,
    word_errors,
)
from heliograph.evaluation.pagetests import judged, passes
from heliograph.evaluation.tablelikeness import Spot, html_cells, relations, teds
from heliograph.media.document import Document, Page, Table
from heliograph.media.geometry import Box, union
from heliograph.perception.options import Detail, Structure
from heliograph.perception.reader import Reader

Truth = dict[str, Any]
HIT = 0.5
"""Intersection over union from which on a box is where it should be."""
READ = frozenset({"German", "French"})
"""Languages of the photographed pages whose letters the recogniser knows."""
Figures = dict[str, Share]
"""What one document adds to each figure of its set. A rate of errors is a `Share` of `right` errors among `want` units."""


def receipts_sroie(truth: Truth, document: Document, name: str) -> Figures:
    """Words and characters against every line a person typed off the receipt."""
    del name
    return _text("\n".join(line["text"] for line in truth["text_lines"]), document)


def ocr_tesseract(truth: Truth, document: Document, name: str) -> Figures:
    """Scanned prose; the rotated twin has figures of its own."""
    suffix = ", rotated twin" if "rotated" in name else ", its upright twin" if "phototest" in name else ""
    return {figure + suffix: share for figure, share in _text(truth["text"], document).items()}


def tables_icdar2013(truth: Truth, document: Document, name: str) -> Figures:
    """Cell structure, with the detection of tables: what is found where there is none counts against precision."""
    del name
    want = [(table["page"] - 1, [_true_cell(cell) for cell in table["cells"]]) for table in truth["tables"]]
    got = [(page.index, _cells(table)) for page in document.pages for table in page.tables]
    pooled = bags(
        [pair for _, cells in want for pair in relations(cells).elements()],
        [pair for _, cells in got for pair in relations(cells).elements()],
    )
    best = [max((_teds(cells, found) for page, found in got if page == at), default=(0.0, 0.0)) for at, cells in want]
    return {
        "adjacency F1": pooled,
        "TEDS": Share(sum(text for text, _ in best), len(best), len(best)),
        "TEDS structure": Share(sum(structure for _, structure in best), len(best), len(best)),
        "cell boxes hit": _cell_boxes(truth, document),
    }


def pages_zerox(truth: Truth, document: Document, name: str) -> Figures:
    """Keywords of each page."""
    del name
    total = Share()
    for index, wanted in enumerate(truth["expected_keywords_per_page"]):
        page = document.page(index)
        total = total.plus(keywords(wanted, page.text if page else ""))
    return {"keyword recall": total}


def pages_olmocr_unit_tests(truth: Truth, document: Document, name: str) -> Figures:
    """Unit tests by kind, together, and together with those of formulas, which all fail."""
    del name
    figures: defaultdict[str, Share] = defaultdict(Share)
    for test in truth["tests"]:
        page = document.page(test["page"] - 1)
        passed = judged(test) and passes(test, _body(page) if page else "", [_cells(table) for table in page.tables] if page else [])
        one = Share(passed, 1, 1)
        figures["tests passed, formulas failing"] = figures["tests passed, formulas failing"].plus(one)
        if judged(test):
            figures["tests passed"] = figures["tests passed"].plus(one)
            figures[test["type"]] = figures[test["type"]].plus(one)
    return dict(figures)


def barcodes_zxing(truth: Truth, document: Document, name: str) -> Figures:
    """Codes decoded to the very text, by symbology too; texts found where there is no code."""
    del name
    found = [code.text for page in document.pages for code in page.barcodes]
    if truth["text"] is None:
        return {"false positives": Share(len(found), 1, 1)}
    right = Share(truth["text"] in found, 1, 1)
    return {"decoded": right, f"decoded, {truth['format']}": right}


def photographed_docs_mdpbench(truth: Truth, document: Document, name: str) -> Figures:
    """Blocks of text and tables, clean pages and photos apart, by language."""
    kind = "photo" if "_indoor_" in name or "_outdoor_" in name else "clean"
    language = truth["page_info"]["page_attribute"]["language"]
    text = document.text
    figures: defaultdict[str, Share] = defaultdict(Share)
    tables = [_cells(table) for page in document.pages for table in page.tables]
    for block in truth["layout_dets"]:
        if block.get("text") and block["category_type"] in {"text_block", "title"} and letters(block["text"]):
            weight = len(letters(block["text"]))
            one = Share(weight * block_likeness(block["text"], text), weight, weight)
            scripts = "scripts read" if language in READ else "other scripts"
            for figure in (f"likeness of blocks, {kind}, {scripts}", f"likeness of blocks, {kind}, {language}"):
                figures[figure] = figures[figure].plus(one)
        elif block["category_type"] == "table" and block.get("html") and language in READ:
            best = max((teds(html_cells(block["html"]), found) for found in tables), default=0.0)
            figures[f"TEDS, {kind}"] = figures[f"TEDS, {kind}"].plus(Share(best, 1, 1))
    return dict(figures)


def drawn_pages(truth: Truth, document: Document, name: str) -> Figures:
    """Blocks of drawn pages, clean and scanned: found (IoU >= .5 of the ink), of the right category, and tables by their adjacent cells.

    A found block answers the true one that it shares most with; a table's cells are compared with those of the table found in its place.
    """
    worn = "scanned" if not name.endswith(".pdf") else "clean"
    found = [
        (block.kind, union(page.lines[i].box for i in block.lines) if block.lines else block.box)
        for page in document.pages
        for block in page.blocks
    ]
    true = [(element, Box(x, y, w, h, element["page"])) for element in truth["elements"] for x, y, w, h in [element["xywh"]]]
    pairs = [max(((box.iou(mine), kind) for kind, box in found), default=(0.0, "")) for _, mine in true]
    hits = [overlap >= HIT for overlap, _ in pairs]
    named = [hit and kind == element["category"] for hit, (_, kind), (element, _) in zip(hits, pairs, true, strict=True)]
    want = [pair for element, _ in true if "cells" in element for pair in relations(_grid(element["cells"])).elements()]
    got = [pair for page in document.pages for table in page.tables for pair in relations(_cells(table)).elements()]
    return {
        f"blocks found F1, {worn}": Share(sum(hits), len(found), len(true)),
        f"category of blocks found, {worn}": Share(sum(named), sum(hits), sum(hits)),
        f"adjacency F1, {worn}": bags(want, got),
    }


def _grid(rows: list[list[str]]) -> list[Spot]:
    return [Spot(text, row, column, 1, 1) for row, cells in enumerate(rows) for column, text in enumerate(cells)]


SETS: dict[str, Callable[[Truth, Document, str], Figures]] = {
    judge.__name__: judge
    for judge in (
        receipts_sroie,
        ocr_tesseract,
        tables_icdar2013,
        pages_zerox,
        pages_olmocr_unit_tests,
        barcodes_zxing,
        photographed_docs_mdpbench,
        drawn_pages,
    )
}


def _text(want: str, document: Document) -> Figures:
    got = document.text
    (edits, size), (word_edits, words) = character_errors(want, got), word_errors(want, got)
    return {
        "word F1, between blanks": bags(blank_tokens(want), blank_tokens(got)),
        "word F1, letters and digits": bags(letter_tokens(want), letter_tokens(got)),
        "CER": Share(edits, size, size),
        "WER": Share(word_edits, words, words),
    }


def _body(page: Page) -> str:
    """The page's text without running headers and footers."""
    left_out = {i for block in page.blocks if block.kind in {"page-header", "page-footer"} for i in block.lines}
    return "\n".join(line.text for number, line in enumerate(page.lines) if number not in left_out)


def _cell_boxes(truth: Truth, document: Document) -> Share:
    """Of the true cells whose text was found in a cell of the page, those where the box is right too (IoU >= .5).

    The marked boxes fit the words, so the found ones are the union of the words in the cell.
    """
    right = want = 0
    for table in truth["tables"]:
        page = document.page(table["page"] - 1)
        if page is None:
            continue
        found = [(letters(cell.text), union(page.words[i].box for i in cell.words)) for t in page.tables for cell in t.cells if cell.words]
        for cell in table["cells"]:
            boxes = [box for text, box in found if text and text == letters(cell["text"])]
            left, bottom, far, top = cell["bbox_pdf_points_bottom_left"]
            marked = Box.from_xyxy(
                left, page.height - top, far, page.height - bottom, width=page.width, height=page.height, page=page.index
            )
            want += bool(boxes)
            right += any(box.iou(marked) >= HIT for box in boxes)
    return Share(right, want, want)


def _cells(table: Table) -> list[Spot]:
    return [Spot(cell.text, cell.row, cell.column, cell.row_span, cell.column_span) for cell in table.cells]


def _true_cell(cell: Truth) -> Spot:
    return Spot(cell["text"], cell["row"], cell["col"], cell["row_end"] - cell["row"] + 1, cell["col_end"] - cell["col"] + 1)


def _teds(want: Sequence[Spot], got: Sequence[Spot]) -> tuple[float, float]:
    return teds(want, got), teds(want, got, structure_only=True)


class Sheaf(NamedTuple):
    """A document of a set that says how well it is read."""

    id: str
    set: str
    path: Path
    truth: Path


def sheaves(data: Path, names: Sequence[str], limit: int | None = None) -> list[Sheaf]:
    """The documents of these sets that have a truth, at most `limit` a set."""
    found: list[Sheaf] = []
    for name in names:
        rows = [json.loads(row) for row in (data / name / "manifest.jsonl").read_text().splitlines()]
        rows = [row for row in rows if row.get("truth_path")][:limit]
        found += [Sheaf(row["id"], name, data / row["path"], data / row["truth_path"]) for row in rows]
    return found


def sets_in(data: Path, *, without_schema: bool = False) -> list[str]:
    """The sets of `SETS` that a data folder holds; `without_schema`, those that nothing can be asked about."""
    return [
        name
        for name in SETS
        if (data / name / "manifest.jsonl").is_file() and not (without_schema and (data / "schemas" / f"{name}.json").is_file())
    ]


async def measure(
    reader: Reader,
    documents: Sequence[Sheaf],
    *,
    detail: Detail = "auto",
    structure: Structure = "light",
    kept: Kept | None = None,
    told: Callable[[Sheaf, dict[str, float]], None] | None = None,
) -> dict[str, dict[str, float]]:
    """Figures of each set, summed over its documents before they are divided; `documents` is how many.

    What was read is kept in `kept` as long as file and reading code are the same. `told` hears of each document.
    """
    kept, sums, counts = kept or Kept(None), defaultdict[str, dict[str, Share]](dict), Counter[str]()
    for one in documents:
        question = ("read", code("media", "perception"), digest(one.path), detail, structure)
        document = kept.find(Document, *question)
        if document is None:
            document = await _read(reader, one.path, detail, structure)
            if document.pages:
                kept.keep(document, *question)
        figures = SETS[one.set](json.loads(one.truth.read_text()), document, one.path.name)
        counts[one.set] += 1
        whole = sums[one.set]
        for figure, share in figures.items():
            whole[figure] = whole.get(figure, Share()).plus(share)
        if told is not None:
            told(one, {figure: _value(figure, share) for figure, share in figures.items()})
    measured = {name: {figure: _value(figure, share) for figure, share in sorted(whole.items())} for name, whole in sums.items()}
    for name, figures in measured.items():
        for figure in [figure for figure in figures if ", clean" in figure]:
            photo = figures.get(figure.replace(", clean", ", photo"))
            if photo is not None:
                figures[figure.replace(", clean", ", lost on photos")] = max(0.0, figures[figure] - photo)
        figures["documents"] = counts[name]
    return measured


async def _read(reader: Reader, path: Path, detail: Detail, structure: Structure) -> Document:
    try:
        return await reader.read(path, detail=detail, structure=structure)
    except HeliographError as error:
        print(f"{path.name}: {error}", file=sys.stderr)
        return Document("", 0, [])


def _value(figure: str, share: Share) -> float:
    return share.f1 if " F1" in figure else share.right if figure == "false positives" else share.recall


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m heliograph.evaluation.reading", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("data", type=Path, metavar="DATA_DIR", help="folder with a folder for each set")
    parser.add_argument(
        "--set", action="append", choices=list(SETS), metavar="NAME", dest="sets", help=f"one of {', '.join(SETS)}; may be repeated"
    )
    parser.add_argument("--limit", type=int, help="at most this many documents of each set")
    parser.add_argument("--detail", choices=get_args(Detail), default="auto")
    parser.add_argument("--structure", choices=get_args(Structure), default="light")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write {set: {figure: number}} here")
    parser.add_argument("--verbose", action="store_true", help="print each document")
    given = parser.parse_args()
    names: list[str] = given.sets or sets_in(given.data)
    missing = [name for name in names if name not in sets_in(given.data)]
    if missing or not names:
        parser.error(f"{given.data} has no manifest.jsonl of {', '.join(missing or SETS)}")
    measured = asyncio.run(_measure(given, names))
    print("| set | figure | value |\n|---|---|---|")
    for name, figures in measured.items():
        for figure, value in figures.items():
            print(f"| {name} | {figure} | {value:g} |" if figure == "documents" else f"| {name} | {figure} | {value:.3f} |")
    if given.json:
        given.json.write_text(json.dumps(measured, indent=1) + "\n")


async def _measure(given: argparse.Namespace, names: Sequence[str]) -> dict[str, dict[str, float]]:
    def told(one: Sheaf, figures: dict[str, float]) -> None:
        print(one.id, {figure: round(value, 3) for figure, value in figures.items()}, file=sys.stderr)

    async with Reader(settings()) as reader:
        documents = sheaves(given.data, names, given.limit)
        return await measure(reader, documents, detail=given.detail, structure=given.structure, told=told if given.verbose else None)


if __name__ == "__main__":
    main()
