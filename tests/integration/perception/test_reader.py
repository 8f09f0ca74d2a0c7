from __future__ import annotations

import asyncio
import io
import json
import os
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image
from tests.unit.perception.drawing import Drawing, f1, receipt, write_pdf

from heliograph.config import Settings
from heliograph.errors import CorruptMedia, InvalidRequest, MediaLimitExceeded
from heliograph.media.content import PageContent
from heliograph.media.document import Page
from heliograph.perception.reader import Reader

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXT = [(72.0, 72.0 + 20 * n, 12.0, f"Line number {n} of the text layer on page") for n in range(12)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Reader]:
    async with Reader(Settings(data_dir=tmp_path_factory.mktemp("data"))) as reader:
        yield reader


def picture(text: str) -> Image.Image:
    page = Drawing(1200, 400)
    page.text(60, 150, text, 52)
    return page.image


def words(page: Page) -> list[str]:
    return [word.text for word in page.words]


async def test_a_photo_of_a_receipt_becomes_words_lines_and_blocks(reader: Reader, tmp_path: Path) -> None:
    drawn = receipt()
    drawn.image.save(tmp_path / "receipt.png")
    document = await reader.read(tmp_path / "receipt.png")
    page = document.pages[0]
    assert (document.kind, document.media_type, page.source, page.language) == ("image", "image/png", "ocr", "en")
    assert f1([word for word, _ in drawn.words], words(page)) >= 0.97
    assert "Total amount due 25.92" in page.text.splitlines()
    assert "Butter croissant 3.80" in page.text.splitlines()


async def test_a_text_layer_is_taken_as_it_is(reader: Reader, tmp_path: Path) -> None:
    document = await reader.read(write_pdf(tmp_path / "text.pdf", [TEXT]))
    page = document.pages[0]
    assert (document.kind, page.source) == ("document", "text")
    assert page.text.splitlines() == [text for *_, text in TEXT]
    assert all(word.score == 1.0 for word in page.words)


async def test_a_scan_in_a_pdf_is_read_from_its_pixels(reader: Reader, tmp_path: Path) -> None:
    drawn = receipt()
    drawn.image.save(tmp_path / "scan.pdf", resolution=100)
    page = (await reader.read(tmp_path / "scan.pdf")).pages[0]
    assert page.source == "ocr"
    assert f1([word for word, _ in drawn.words], words(page)) >= 0.95


async def test_a_picture_on_a_page_of_text_adds_its_words_where_it_stands(reader: Reader, tmp_path: Path) -> None:
    stamp = picture("RECEIVED 14 March 2024")
    path = write_pdf(tmp_path / "mixed.pdf", [TEXT], {0: (stamp, (150, 450, 450, 550))})
    page = (await reader.read(path)).pages[0]
    assert page.source == "mixed"
    (received,) = [word for word in page.words if word.text == "RECEIVED"]
    assert 450 / 792 < received.box.cy < 550 / 792
    assert received.box.x > 150 / 612
    assert [text for *_, text in TEXT] == page.text.splitlines()[:12]


async def test_a_hidden_layer_that_lies_is_read_again(reader: Reader, tmp_path: Path) -> None:
    drawn = receipt()
    lies = [(60.0, 100.0 + 20 * n, 14.0, "wholly other words that nobody sees") for n in range(20)]
    path = write_pdf(tmp_path / "hidden.pdf", [lies], {0: (drawn.image, (0, 0, 612, 792))}, invisible=True)
    page = (await reader.read(path)).pages[0]
    assert "nobody" not in words(page)
    assert f1([word for word, _ in drawn.words], words(page)) >= 0.9


async def test_a_scan_on_its_side_is_upright_with_its_picture(reader: Reader, tmp_path: Path) -> None:
    drawn = receipt()
    drawn.image.rotate(90, expand=True).save(tmp_path / "side.png")
    page = (await reader.read(tmp_path / "side.png")).pages[0]
    assert page.rotation == 90
    assert page.height > page.width
    assert "Total amount due 25.92" in page.text.splitlines()
    image = await reader.image(tmp_path / "side.png", 0, 300, rotation=page.rotation)
    assert (image.width, image.height) == (drawn.width, drawn.height)
    pixels = np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, 3)
    assert (pixels == drawn.pixels).all()


async def test_only_the_pages_asked_for_are_read_and_known_ones_are_not(reader: Reader, tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "five.pdf", [[(72, 72, 12, f"This is page {n}")] for n in range(5)])
    asked: list[int] = []
    told: list[int] = []

    async def known(index: int) -> Page | None:
        asked.append(index)
        return Page(index, 1, 1, language="xx") if index == 3 else None

    async def on_page(page: Page) -> None:
        told.append(page.index)

    document = await reader.read(path, pages=[4, 1, 3], known=known, on_page=on_page)
    assert asked == told == [1, 3, 4]
    assert document.page_count == 5
    assert [page.text for page in document.pages] == ["This is page 1", "", "This is page 4"]


async def test_a_page_that_the_file_has_not_is_refused(reader: Reader, tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "one.pdf", [TEXT])
    with pytest.raises(InvalidRequest, match="no page 1; the file has 1"):
        await reader.read(path, pages=[0, 1])


async def test_more_pages_than_allowed_are_said_to_be_left_out(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "four.pdf", [[(72, 72, 12, "A page")]] * 4)
    async with Reader(Settings(data_dir=tmp_path, max_pages=2)) as reader:
        document = await reader.read(path)
    assert [page.index for page in document.pages] == [0, 1]
    assert "Only the first 2 of 4 pages" in document.warnings[0]


class FailingReader(Reader):
    """A reader whose engine child dies at every page that it is given pixels of."""

    async def _page(self, content: PageContent, options: object) -> Page:
        call = self._engine.call

        async def dying(*_: object, **__: object) -> object:
            raise MediaLimitExceeded("Reading the file took longer than 1 seconds.")

        self._engine.call = dying  # pyright: ignore
        try:
            return await super()._page(content, options)  # pyright: ignore
        finally:
            self._engine.call = call


async def test_a_page_whose_engine_fails_is_a_page_with_a_warning(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "two.pdf", [TEXT, TEXT], {1: (picture("stamped"), (150, 450, 450, 550))})
    async with FailingReader(Settings(data_dir=tmp_path)) as reader:
        document = await reader.read(path)
    first, second = document.pages
    assert first.warnings == []
    assert second.warnings == ["Page 2 could not be read in full: Reading the file took longer than 1 seconds."]
    assert second.text.splitlines() == [text for *_, text in TEXT]


async def test_pictures_in_mail_are_read_where_they_stand(reader: Reader, tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["Subject"] = "Your order"
    mail.set_content("in HTML")
    mail.add_alternative("<p>Before the slip</p><img src='cid:slip'><p>After the slip</p>", subtype="html")
    slip = io.BytesIO()
    picture("RECEIVED 14 March 2024").save(slip, "PNG")
    mail.get_payload()[1].add_related(slip.getvalue(), "image", "png", cid="<slip>")  # type: ignore[union-attr,index]
    (tmp_path / "order.eml").write_bytes(mail.as_bytes())
    page = (await reader.read(tmp_path / "order.eml")).pages[0]
    assert page.source == "mixed"
    texts = [" ".join(page.lines[i].text for i in block.lines) for block in page.blocks]
    assert [text for text in texts if "slip" in text or "RECEIVED" in text] == [
        "Before the slip",
        "RECEIVED 14 March 2024",
        "After the slip",
    ]
    (received,) = [word for word in page.words if word.text == "RECEIVED"]
    shown = next(block.box for block in page.blocks if block.kind == "picture")
    assert received.box.intersection(shown) > 0.95 * received.box.area
    assert page.lines[received.line].text == "RECEIVED 14 March 2024"
    lo = (await reader.read(tmp_path / "order.eml", detail="lo")).pages[0]
    assert lo.source == "text"


async def test_an_engine_killed_in_the_middle_of_a_page_costs_that_page_and_no_more(tmp_path: Path) -> None:
    dense = Drawing(2400, 3000)
    for line in range(100):
        dense.text(60, 20 + 29 * line, f"line {line} of a page that takes the engine a while to read to its end", 24)
    dense.image.save(tmp_path / "scan.pdf", resolution=300, save_all=True, append_images=[picture("RECEIVED")])
    async with Reader(Settings(data_dir=tmp_path)) as reader:
        await reader.warm()
        (engine,) = reader._engine.pids
        reading = asyncio.create_task(reader.read(tmp_path / "scan.pdf"))
        used = processor_seconds(engine)
        while processor_seconds(engine) < used + 0.2:
            await asyncio.sleep(0.005)
        os.kill(engine, signal.SIGKILL)
        document = await reading
        first, second = document.pages
        assert first.warnings[0].startswith("Page 1 could not be read in full")
        assert (first.words, first.width) == ([], 576)
        assert words(second) == ["RECEIVED"]
        assert engine not in reader.pids


def processor_seconds(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


async def test_a_file_that_is_none_raises_what_is_wrong(reader: Reader, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7\nthis is no PDF")
    with pytest.raises(CorruptMedia):
        await reader.read(broken)


async def test_reading_ends_with_its_caller(reader: Reader, tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "many.pdf", [TEXT] * 30)
    seen: list[int] = []

    async def on_page(page: Page) -> None:
        seen.append(page.index)
        if len(seen) == 3:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await reader.read(path, on_page=on_page)
    assert (await reader.read(path, pages=[29])).pages[0].source == "text"


async def test_full_structure_names_tables_and_pictures(reader: Reader, tmp_path: Path) -> None:
    rows = [
        ("Description", "Qty", "Unit", "Amount"),
        ("Garden hose", "2", "14.00", "28.00"),
        ("Clay pot", "10", "3.50", "35.00"),
        ("Seeds", "4", "2.25", "9.00"),
    ]
    runs = [(x, 400.0 + 18 * r, 11.0, text) for r, row in enumerate(rows) for x, text in zip((72, 300, 380, 460), row, strict=True)]
    shade = Image.fromarray(np.random.default_rng(5).integers(0, 255, (200, 400, 3), dtype=np.uint8))
    path = write_pdf(tmp_path / "full.pdf", [TEXT + runs], {0: (shade, (100, 520, 500, 700))})
    page = (await reader.read(path, structure="full")).pages[0]
    kinds = [block.kind for block in page.blocks]
    assert kinds.index("table") < kinds.index("picture")
    assert [(table.rows, table.columns) for table in page.tables] == [(4, 4)]
    block = page.blocks[kinds.index("table")]
    assert block.table == 0
    assert [page.lines[i].text for i in block.lines] == [" ".join(row) for row in rows]


def tokens(text: str) -> Counter[str]:
    return Counter(re.findall(r"[^\W_]+", text.casefold()))


async def test_real_receipts_keep_their_words(reader: Reader, shared_data: Path) -> None:
    items = sorted((shared_data / "receipts_sroie/items").iterdir())[::12]
    shared = want = got = 0
    for item in items:
        truth = json.loads((shared_data / f"receipts_sroie/truth/{item.name}.json").read_text())
        a = tokens(" ".join(line["text"] for line in truth["text_lines"]))
        b = tokens((await reader.read(item)).pages[0].text)
        shared, want, got = shared + (a & b).total(), want + a.total(), got + b.total()
    assert 2 * shared / (want + got) >= 0.93


async def test_codes_are_read_and_none_are_seen_where_there_are_none(reader: Reader, shared_data: Path) -> None:
    right = total = 0
    for line in (shared_data / "barcodes_zxing/manifest.jsonl").read_text().splitlines():
        item = json.loads(line)
        codes = [code.text for code in (await reader.read(shared_data / item["path"])).pages[0].barcodes]
        if "falsepositives" in item["id"]:
            assert codes == [], item["id"]
            continue
        truth = json.loads((shared_data / item["truth_path"]).read_text())
        total += 1
        right += truth["text"] in codes if "text" in truth else bool(codes)
    assert right >= 0.7 * total


async def test_twins_that_differ_in_rotation_read_alike(reader: Reader, shared_data: Path) -> None:
    upright = (await reader.read(shared_data / "ocr_tesseract/items/phototest.tif")).pages[0]
    turned = (await reader.read(shared_data / "ocr_tesseract/items/phototest-rotated-180.png")).pages[0]
    assert (upright.rotation, turned.rotation) == (0, 180)
    assert f1(words(upright), words(turned)) >= 0.98
