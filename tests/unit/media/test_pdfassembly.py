"""Pages of PDFs, put together into new ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from heliograph.errors import CorruptMedia, EncryptedMedia, InvalidRequest, MediaLimitExceeded
from heliograph.media.content import Limits
from heliograph.media.pdf import PdfFile
from heliograph.media.pdfassembly import assemble
from tests.unit.media.paper import Pdf


def drawn(folder: Path, name: str, *words: str, rotate: int = 0) -> Path:
    pdf = Pdf()
    for word in words:
        pdf.page(f"BT /F1 14 Tf 72 700 Td ({word}) Tj ET".encode(), rotate=rotate)
    path = folder / name
    path.write_bytes(pdf.bytes())
    return path


def words(path: Path) -> list[list[str]]:
    file = PdfFile(path, Limits())
    try:
        return [[word.text for word in file.open_page(index, None, True).page.words] for index in range(file.page_count)]
    finally:
        file.close()


def test_pages_come_in_the_order_asked_for_and_as_often(tmp_path: Path) -> None:
    one, other = drawn(tmp_path, "a.pdf", "first", "second"), drawn(tmp_path, "b.pdf", "third", rotate=90)
    made = tmp_path / "made.pdf"
    assert assemble([(one, [1, 0, 1]), (other, None)], made, 10) == 4
    assert words(made) == [["second"], ["first"], ["second"], ["third"]]
    file = PdfFile(made, Limits())
    assert [size[0] > size[1] for size in file.inspect("application/pdf").sizes] == [False, False, False, True]
    file.close()


def test_what_is_written_into_a_form_stays_on_its_page(tmp_path: Path) -> None:
    pdf = Pdf()
    field = pdf.add(
        b"<< /Type /Annot /Subtype /Widget /F 4 /Rect [100 600 300 620] /FT /Tx /T (name) /V (Ada Lovelace) /DA (/Helv 12 Tf 0 g) >>"
    )
    pdf.catalog = b"/AcroForm << /NeedAppearances true /DR << /Font << /Helv 3 0 R >> >> /DA (/Helv 12 Tf 0 g) /Fields [%d 0 R] >>" % field
    pdf.page(b"BT /F1 14 Tf 50 605 Td (Name:) Tj ET", annotations=[field])
    (tmp_path / "form.pdf").write_bytes(pdf.bytes())
    assemble([(tmp_path / "form.pdf", None)], tmp_path / "made.pdf", 10)
    assert words(tmp_path / "made.pdf") == [["Name:", "Ada", "Lovelace"]]


def test_what_belongs_to_the_whole_file_is_left_behind(tmp_path: Path) -> None:
    pdf = Pdf()
    script = pdf.add(b"<< /S /JavaScript /JS (app.alert\\(1\\)) >>")
    pdf.catalog = b"/OpenAction %d 0 R" % script
    pdf.page(b"BT /F1 14 Tf 72 700 Td (plain) Tj ET")
    (tmp_path / "script.pdf").write_bytes(pdf.bytes())
    assemble([(tmp_path / "script.pdf", None)], tmp_path / "made.pdf", 10)
    assert b"JavaScript" not in (tmp_path / "made.pdf").read_bytes()
    assert words(tmp_path / "made.pdf") == [["plain"]]


def test_what_cannot_be_put_together_is_told(tmp_path: Path) -> None:
    good, made = drawn(tmp_path, "a.pdf", "first"), tmp_path / "made.pdf"
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.7\n")
    locked = Pdf()
    locked.page(b"")
    (tmp_path / "locked.pdf").write_bytes(locked.bytes(password=b"x"))
    with pytest.raises(InvalidRequest, match="no page 1; the file has 1"):
        assemble([(good, [1])], made, 10)
    with pytest.raises(CorruptMedia):
        assemble([(good, None), (tmp_path / "bad.pdf", None)], made, 10)
    with pytest.raises(EncryptedMedia):
        assemble([(tmp_path / "locked.pdf", None)], made, 10)
    with pytest.raises(MediaLimitExceeded, match="the 2 pages"):
        assemble([(good, [0, 0, 0])], made, 2)
