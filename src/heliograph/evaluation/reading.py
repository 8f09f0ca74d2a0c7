"""How well pages are read: words, tables, barcodes, order. `python -m heliograph.evaluation.reading DATA_DIR` prints one table.

Only the files' bytes reach the reader. A document that cannot be read counts as read empty.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast, get_args

from heliograph.config import settings
from heliograph.errors import HeliographError
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
from heliograph.perception.options import Detail, Structure
from heliograph.perception.reader import Reader

Truth = dict[str, Any]
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
            for figure in (f"likeness of blocks, {kind}", f"likeness of blocks, {kind}, {language}"):
                figures[figure] = figures[figure].plus(one)
        elif block["category_type"] == "table" and block.get("html") and language in {"German", "French"}:
            best = max((teds(html_cells(block["html"]), found) for found in tables), default=0.0)
            figures[f"TEDS, {kind}"] = figures[f"TEDS, {kind}"].plus(Share(best, 1, 1))
    return dict(figures)


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


def _cells(table: Table) -> list[Spot]:
    return [Spot(cell.text, cell.row, cell.column, cell.row_span, cell.column_span) for cell in table.cells]


def _true_cell(cell: Truth) -> Spot:
    return Spot(cell["text"], cell["row"], cell["col"], cell["row_end"] - cell["row"] + 1, cell["col_end"] - cell["col"] + 1)


def _teds(want: Sequence[Spot], got: Sequence[Spot]) -> tuple[float, float]:
    return teds(want, got), teds(want, got, structure_only=True)


async def measure(
    data: Path, names: Sequence[str], limit: int | None, *, detail: Detail = "auto", structure: Structure = "light", verbose: bool = False
) -> dict[str, dict[str, float]]:
    """Figures of each set, summed over its documents before they are divided; `documents` and wall `seconds` a document beside them."""
    measured: dict[str, dict[str, float]] = {}
    async with Reader(settings()) as reader:
        for name in names:
            sums: defaultdict[str, Share] = defaultdict(Share)
            rows = [json.loads(row) for row in (data / name / "manifest.jsonl").read_text().splitlines()]
            rows = [row for row in rows if row.get("truth_path")][:limit]
            begun = time.perf_counter()
            for row in rows:
                document = await _read(reader, data / row["path"], detail, structure)
                truth = cast("Truth", json.loads((data / row["truth_path"]).read_text()))
                figures = SETS[name](truth, document, Path(row["path"]).name)
                for figure, share in figures.items():
                    sums[figure] = sums[figure].plus(share)
                if verbose:
                    print(row["id"], {figure: round(_value(figure, share), 3) for figure, share in figures.items()}, file=sys.stderr)
            seconds = (time.perf_counter() - begun) / max(1, len(rows))
            measured[name] = {figure: _value(figure, share) for figure, share in sorted(sums.items())}
            measured[name] |= {"documents": len(rows), "seconds a document": seconds}
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
    names = given.sets or [name for name in SETS if (given.data / name / "manifest.jsonl").is_file()]
    missing = [name for name in names if not (given.data / name / "manifest.jsonl").is_file()]
    if missing or not names:
        parser.error(f"{given.data} has no manifest.jsonl of {', '.join(missing or SETS)}")
    measured = asyncio.run(measure(given.data, names, given.limit, detail=given.detail, structure=given.structure, verbose=given.verbose))
    print("| set | figure | value |\n|---|---|---|")
    for name, figures in measured.items():
        for figure, value in figures.items():
            print(f"| {name} | {figure} | {value:g} |" if figure == "documents" else f"| {name} | {figure} | {value:.3f} |")
    if given.json:
        given.json.write_text(json.dumps(measured, indent=1) + "\n")


if __name__ == "__main__":
    main()
