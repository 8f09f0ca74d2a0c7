"""Whatever the bytes: a definite answer, no hang, bounded memory, and the child fit for the next file."""

import io
import json
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from heliograph.children import ChildPool
from heliograph.errors import HeliographError, MediaError, NotConfigured
from heliograph.media.content import Inspection, Limits, PageContent
from heliograph.media.sniff import HEAD, sniff
from tests.unit.media.paper import Pdf, say

MiB = 1 << 20
MEMORY = 1024 * MiB
CONVERSIONS = 2
"""Files of a set that go through LibreOffice, at two seconds each; the robustness test of the server takes them all."""
LIMITS = Limits(max_pages=20, max_pixels=50_000_000)
SETS = [
    "robust_formats_openpreserve", "robust_fuzz_gofuzz", "robust_images_pillow", "robust_pdf_pypdf", "robust_pdf_verapdf", "robust_tika",
    "image_formats_pillow", "office_docling",
]  # fmt: skip


def needs_libreoffice(path: Path) -> bool:
    return path.stat().st_size > 0 and sniff(path.read_bytes()[:HEAD]).reader == "libreoffice"


async def look(pool: ChildPool, path: Path) -> str:
    """What became of a file: `read`, or the type of its error."""
    try:
        inspection = await pool.call("inspect", path, LIMITS, timeout=20.0, returns=Inspection)
        assert len(inspection.sizes) == inspection.page_count > 0
        for index in range(min(inspection.page_count, 2)):
            content = await pool.call("open_page", path, index, 72.0, True, LIMITS, timeout=20.0, returns=PageContent)
            assert content.image is not None
            assert len(content.image.data) == content.image.width * content.image.height * 3
            for word in content.page.words:
                assert word.text
                assert 0 <= word.box.x <= word.box.x1 <= 1.0001, word
                assert 0 <= word.box.y <= word.box.y1 <= 1.0001, word
    except (MediaError, NotConfigured) as error:
        return error.type if error.message.endswith(".") else f"no sentence: {error.message}"
    return "read"


@pytest.mark.parametrize("name", SETS)
async def test_files_nobody_here_wrote(name: str, shared_data: Path) -> None:
    items = [json.loads(line) for line in (shared_data / name / "manifest.jsonl").read_text().splitlines()]
    outcomes: Counter[str] = Counter()
    async with ChildPool("heliograph.media.opening", memory=MEMORY) as pool:
        converted = 0
        for item in items:
            converted += needs_libreoffice(shared_data / item["path"])
            if converted <= CONVERSIONS or not needs_libreoffice(shared_data / item["path"]):
                outcomes[await look(pool, shared_data / item["path"])] += 1
    print(name, dict(outcomes))
    assert outcomes["read"], outcomes
    if name in ("image_formats_pillow", "office_docling", "robust_pdf_pypdf"):
        assert outcomes["read"] >= 0.8 * len(items)
    assert outcomes["media_limit_exceeded"] <= 1, outcomes
    assert not [outcome for outcome in outcomes if outcome.startswith("no sentence")], outcomes


async def test_pdf_bytes_flipped_and_cut_anywhere(tmp_path: Path) -> None:
    pdf = Pdf()
    for number in range(3):
        pdf.page(say(f"page {number} of a small file", 50, 700))
    whole = pdf.bytes()
    path = tmp_path / "x"
    async with ChildPool("heliograph.media.opening", memory=MEMORY) as pool:
        for at in range(0, len(whole), 41):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
            await look(pool, path)
            path.write_bytes(whole[: at + 1])
            await look(pool, path)


async def test_a_page_that_is_not_there_is_an_invalid_request(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"hello")
    async with ChildPool("heliograph.media.opening", memory=MEMORY) as pool:
        with pytest.raises(HeliographError, match="no page 7"):
            await pool.call("open_page", path, 7)


async def test_a_file_replaced_under_the_same_name_is_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "x"
    async with ChildPool("heliograph.media.opening", memory=MEMORY) as pool:
        for text in ("first", "second one"):
            path.write_text(text)
            content = await pool.call("open_page", path, 0, returns=PageContent)
            assert " ".join(word.text for word in content.page.words) == text


async def test_deeply_nested_and_enormous_text_stays_within_bounds(tmp_path: Path) -> None:
    path = tmp_path / "x"
    async with ChildPool("heliograph.media.opening", memory=MEMORY) as pool:
        for data in (
            b"<html>" + b"<table><tr><td>" * 3000 + b"deep",
            b"<html><ul>" + b"<ul><li>" * 3000 + b"deep",
            b"a" * (4 * MiB),
            b"x " * (2 * MiB),
            b"\n" * (4 * MiB),
            b"a,b\n" * (500_000),
            b"<table><tr><td colspan=1000 rowspan=1000>x</table>" * 200,
        ):
            path.write_bytes(data)
            assert await look(pool, path) in ("read", "media_limit_exceeded", "corrupt_media")


async def test_no_message_names_a_path_of_the_server(tmp_path: Path) -> None:
    async with ChildPool("heliograph.media.opening", memory=MEMORY) as pool:
        for number, data in enumerate(
            (
                b"%PDF-1.7 nothing",
                b"\x89PNG\r\n\x1a\nnothing",
                office(b"word/document.xml"),
                office(b"xl/workbook.xml"),
                office(b"ppt/p.xml"),
            )
        ):
            path = tmp_path / f"secret{number}"
            path.write_bytes(data)
            with pytest.raises(MediaError) as caught:
                await pool.call("inspect", path, LIMITS)
            assert "secret" not in caught.value.message


def office(part: bytes) -> bytes:
    """A ZIP archive with one part that is not XML."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(part.decode(), "<broken")
    return buffer.getvalue()
