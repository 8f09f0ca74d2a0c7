from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from heliograph.evaluation.reading import SETS, measure
from heliograph.media.document import Barcode, Block, Document, Line, Page
from heliograph.media.geometry import Box
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
    figures = asyncio.run(measure(tmp_path, ["pages_zerox"], None))["pages_zerox"]
    assert (figures["documents"], figures["keyword recall"]) == (2, pytest.approx(2 / 3))
