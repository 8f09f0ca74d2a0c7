from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from heliograph.config import settings
from heliograph.evaluation.kept import Kept
from heliograph.evaluation.reading import SETS, measure, sets_in, sheaves
from heliograph.media.document import Barcode, Block, Cell, Document, Line, Page, Table, Word
from heliograph.media.geometry import Box
from heliograph.perception.reader import Reader
from tests.unit.perception.drawing import write_pdf

BOX = Box(0, 0, 1, 1)


def read(*lines: str, codes: tuple[str, ...] = (), header: int | None = None) -> Document:
    blocks = [Block("page-header" if n == header else "text", BOX, [n]) for n in range(len(lines))]
    page = Page(
        0, 100, 100, lines=[Line(text, BOX, []) for text in lines], blocks=blocks, barcodes=[Barcode(c, "QRCode", BOX) for c in codes]
    )
    return Document("image/png", 1, [page])


def test_a_code_counts_only_with_its_very_text_and_none_where_there_is_none() -> None:
    judge = SETS["barcodes_zxing"]
    assert judge({"format": "qrcode", "text": "abc"}, read(codes=("abc",)), "a.png")["decoded"].recall == 1
    assert judge({"format": "qrcode", "text": "abc"}, read(codes=("abd",)), "a.png")["decoded, qrcode"].recall == 0
    assert judge({"format": "none", "text": None}, read(codes=("x", "y")), "a.png")["false positives"].right == 2


def test_running_headers_are_no_text_of_the_page() -> None:
    truth = {"tests": [{"type": "absent", "text": "Annual report", "page": 1}, {"type": "math", "math": "x", "page": 1}]}
    judge = SETS["pages_olmocr_unit_tests"]
    figures = judge(truth, read("Annual report", "text", header=0), "a.pdf")
    assert (figures["absent"].recall, figures["tests passed"].recall, figures["tests passed, formulas failing"].recall) == (1, 1, 0.5)
    assert judge(truth, read("Annual report", "text"), "a.pdf")["absent"].recall == 0


def test_keywords_count_only_on_their_own_page() -> None:
    figures = SETS["pages_zerox"]({"expected_keywords_per_page": [["alpha", "beta"], ["gamma"]]}, read("alpha gamma"), "a.pdf")
    assert figures["keyword recall"].recall == pytest.approx(1 / 3)


async def read_set(data: Path, state: Path | None) -> dict[str, dict[str, float]]:
    async with Reader(settings()) as reader:
        return await measure(reader, sheaves(data, ["pages_zerox"]), kept=Kept(state))


def test_a_set_on_disk_is_read_and_summed(tmp_path: Path) -> None:
    folder = tmp_path / "pages_zerox"
    folder.mkdir()
    rows = []
    for number, wanted in enumerate((["harbour"], ["harbour", "castle"])):
        write_pdf(folder / f"{number}.pdf", [[(72, 72, 12, "The harbour of Leith")]])
        (folder / f"{number}.json").write_text(json.dumps({"expected_keywords_per_page": [wanted]}))
        rows.append(json.dumps({"id": str(number), "path": f"pages_zerox/{number}.pdf", "truth_path": f"pages_zerox/{number}.json"}))
    (folder / "broken.pdf").write_bytes(b"no PDF")
    (folder / "manifest.jsonl").write_text("\n".join(rows))
    assert sets_in(tmp_path) == ["pages_zerox"]
    figures = asyncio.run(read_set(tmp_path, None))["pages_zerox"]
    assert (figures["documents"], figures["keyword recall"]) == (2, pytest.approx(2 / 3))

    # what was read is kept: the file may change its truth, and nothing is read again
    kept = tmp_path / "kept"
    assert asyncio.run(read_set(tmp_path, kept)) == {"pages_zerox": figures}
    assert len(list(kept.iterdir())) == 2
    (folder / "1.json").write_text(json.dumps({"expected_keywords_per_page": [["harbour"]]}))
    assert asyncio.run(read_set(tmp_path, kept))["pages_zerox"]["keyword recall"] == 1


def test_a_cell_hits_by_the_words_in_it_and_not_by_its_frame() -> None:
    words = [Word("Leith", Box(0.12, 0.1, 0.1, 0.02), 1.0)]
    table = Table(Box(0.1, 0.08, 0.4, 0.06), 1, 1, [Cell("Leith", Box(0.1, 0.08, 0.4, 0.06), 0, 0, words=[0])])
    document = Document("application/pdf", 1, [Page(0, 100, 100, words=words, tables=[table])])
    cell = {"row": 1, "col": 1, "row_end": 1, "col_end": 1, "text": "Leith ", "bbox_pdf_points_bottom_left": [12, 88, 22, 90]}
    judge = SETS["tables_icdar2013"]
    assert judge({"tables": [{"page": 1, "cells": [cell]}]}, document, "a.pdf")["cell boxes hit"].recall == 1
    moved = cell | {"bbox_pdf_points_bottom_left": [30, 88, 40, 90]}
    assert judge({"tables": [{"page": 1, "cells": [moved]}]}, document, "a.pdf")["cell boxes hit"].recall == 0


def test_what_photos_lose_is_told_beside_what_clean_pages_give(tmp_path: Path) -> None:
    folder = tmp_path / "photographed_docs_mdpbench"
    folder.mkdir()
    truth = {"page_info": {"page_attribute": {"language": "French"}}}
    rows = []
    for name, text in (("page.pdf", "The harbour of Leith"), ("page_indoor_1.pdf", "The harbour of")):
        write_pdf(folder / name, [[(72, 72, 12, text)]])
        block = {"category_type": "text_block", "text": "The harbour of Leith"}
        (folder / f"{name}.json").write_text(json.dumps(truth | {"layout_dets": [block]}))
        rows.append(json.dumps({"id": name, "path": f"{folder.name}/{name}", "truth_path": f"{folder.name}/{name}.json"}))
    (folder / "manifest.jsonl").write_text("\n".join(rows))

    async def figures() -> dict[str, float]:
        async with Reader(settings()) as reader:
            return (await measure(reader, sheaves(tmp_path, [folder.name])))[folder.name]

    read = asyncio.run(figures())
    assert read["likeness of blocks, clean, French"] == 1
    assert read["likeness of blocks, lost on photos, French"] == pytest.approx(1 - read["likeness of blocks, photo, French"])
    assert read["likeness of blocks, lost on photos, French"] > 0.1
