"""Copies of whole files: what was found is neither seen nor read in them, what was hidden in the file does not come along."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pypdfium2
import pytest
from PIL import Image, ImageDraw, ImageFont

from heliograph.config import Settings
from heliograph.extraction.answer import Answer, answer
from heliograph.extraction.plan import resolve
from heliograph.media.flow import FONTS
from heliograph.models.errors import ModelUnavailable
from heliograph.models.routes import Route
from heliograph.perception.reader import Reader
from tests.unit.extraction.prompted.talking import Talking
from tests.unit.extraction.redaction.papers import KINDS, write
from tests.unit.media.paper import Pdf, say

pytestmark = pytest.mark.asyncio(loop_scope="package")
REDACT, REPLACE = "healthcare.phi-redaction", "healthcare.phi-edit-replace"
SECRET = "Zelmira Quoth"


async def made(reader: Reader, path: Path, domain: str = REDACT, **config: Any) -> Answer:
    return await answer(reader, [path], resolve("document", "generate", domain, config))


@contextmanager
def kept(got: Answer) -> Iterator[Path]:
    """The copy, until the block ends."""
    assert got.made is not None
    try:
        yield got.made.path
    finally:
        got.made.close()
    assert not got.made.path.exists()


def text_of(path: Path) -> str:
    with pypdfium2.PdfDocument(path) as pdf:
        return "\n".join(page.get_textpage().get_text_range() for page in pdf)


def plain(text: str) -> str:
    return re.sub(r"[\W_]", "", text).casefold()


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_that_identifies_someone_is_left_in_the_text_of_a_copy(reader: Reader, tmp_path: Path, kind: str) -> None:
    path, paper = write(tmp_path, kind, 1)
    got = await made(reader, path)
    with kept(got) as copy:
        left, data = text_of(copy), copy.read_bytes()
    words = {plain(word) for word in re.split(r"[\s,]+", left)}
    for category, secret in paper.secrets:
        assert plain(secret) not in words, (category, secret)
        assert len(plain(secret)) < 5 or plain(secret) not in plain(left), (category, secret)
        assert secret.encode() not in data
    assert all(word in left for text in paper.stays for word in text.split())
    assert set(got.response["counts"]) == {finding["category"] for finding in got.response["findings"]}
    assert {category for category, _ in paper.secrets} - set(got.response["counts"]) <= {"other", "fax", "ip_address"}
    assert not any(secret in str(got.response) for _, secret in paper.secrets)


async def test_what_is_blacked_out_cannot_be_read_from_the_picture_either(reader: Reader, tmp_path: Path) -> None:
    path, paper = write(tmp_path, "face", 2)
    with kept(await made(reader, path)) as copy, pypdfium2.PdfDocument(copy) as pdf:
        pdf[0].render(scale=200 / 72).to_pil().save(tmp_path / "seen.png")
    read = await reader.read(tmp_path / "seen.png")
    seen = plain(read.text)
    assert "diabetes" in seen
    assert [secret for _, secret in paper.secrets if len(plain(secret)) > 4 and plain(secret) in seen] == []


async def test_a_scan_is_read_blacked_out_and_stays_searchable(reader: Reader, tmp_path: Path) -> None:
    path, paper = write(tmp_path, "lab", 3)
    with pypdfium2.PdfDocument(path) as pdf:
        pdf[0].render(scale=200 / 72).to_pil().convert("L").save(tmp_path / "scan.pdf", "PDF", resolution=200)
    got = await made(reader, tmp_path / "scan.pdf")
    with kept(got) as copy:
        left = text_of(copy)
    assert "Glucose" in left
    assert [secret for _, secret in paper.secrets if len(plain(secret)) > 4 and plain(secret) in plain(left)] == []
    assert got.elements == 1


async def test_what_a_file_hides_does_not_come_along(reader: Reader, tmp_path: Path) -> None:
    pdf = Pdf()
    image, layer = pdf.image(), pdf.add(b"<< /Type /OCG /Name (Quoth) >>")
    attached = pdf.stream(b"Zelmira Quoth", b"/Type /EmbeddedFile")
    metadata = pdf.stream(b"<x:xmpmeta>Zelmira Quoth</x:xmpmeta>", b"/Type /Metadata /Subtype /XML")
    pdf.catalog = (
        b"/Metadata %d 0 R /OpenAction << /S /JavaScript /JS (Zelmira Quoth) >> "
        b"/Names << /EmbeddedFiles << /Names [(Quoth) << /Type /Filespec /F (Quoth) /EF << /F %d 0 R >> >>] >> >> "
        b"/OCProperties << /OCGs [%d 0 R] /D << /OFF [%d 0 R] /BaseState /ON >> >> /AcroForm << /Fields [] >>"
        % (metadata, attached, layer, layer)
    )
    note = pdf.add(b"<< /Type /Annot /Subtype /Text /Rect [500 700 520 720] /Contents (Zelmira Quoth) /T (Quoth) >>")
    look = pdf.stream(
        say("Zelmira Quoth", 2, 4), b"/Type /XObject /Subtype /Form /BBox [0 0 200 20] /Resources << /Font << /F1 3 0 R >> >>"
    )
    stamp = pdf.add(b"<< /Type /Annot /Subtype /FreeText /Rect [72 100 272 120] /Contents (Zelmira Quoth) /AP << /N %d 0 R >> >>" % look)
    field = pdf.add(
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (who) /V (Zelmira Quoth) /Rect [300 100 500 120] /AP << /N %d 0 R >> >>" % look
    )
    content = (
        say("Patient: Zelmira Quoth", 72, 700) + say("Findings are normal today", 72, 680) + say("in the left knee after rest", 72, 660)
        + b"1 g " + say("Varnholm Pellbrook whispers", 72, 600) + b"0 g " + say("unter dem Bild Kellwick", 300, 500)
        + b"q 150 0 0 40 290 490 cm /I1 Do Q\n" + b"/OC /L1 BDC " + say("hidden layer Drosselby", 72, 400) + b"EMC "
        + say("outside the crop box Fennimore", 72, 790)
    )  # fmt: skip
    pdf.page(
        content, crop="0 0 612 780", annotations=[note, stamp, field], rotate=90,
        resources=b"/XObject << /I1 %d 0 R >> /Properties << /L1 %d 0 R >>" % (image, layer),
    )  # fmt: skip
    path = tmp_path / "hiding.pdf"
    path.write_bytes(pdf.bytes())
    got = await made(reader, path)
    with kept(got) as copy:
        left, data = text_of(copy), copy.read_bytes()
    assert "Findings are normal today" in " ".join(left.split())
    for hidden in ("Zelmira", "Quoth", "Varnholm", "Pellbrook", "Kellwick", "Drosselby", "Fennimore"):
        assert hidden not in left
        assert hidden.encode() not in data
    for name in (b"/JS", b"/EmbeddedFile", b"/Metadata", b"/Annot", b"/AcroForm", b"/OCG", b"/Outlines"):
        assert name not in data
    assert got.response["counts"]["photo"] == 1
    assert any(warning.startswith("pictures: pictures on page 1 are") for warning in got.response["warnings"])


async def test_earlier_revisions_of_a_file_are_left_behind(reader: Reader, tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.page(say("Notes on the knee", 72, 700))
    first = pdf.bytes()
    pdf.objects[pdf.pages[0] - 2] = b"<< /Length 0 >>\nstream\nOld Drosselby\nendstream"
    path = tmp_path / "revised.pdf"
    path.write_bytes(first.replace(b"%%EOF", b"%%EOF\n% Drosselby was here"))
    with kept(await made(reader, path)) as copy:
        assert b"Drosselby" not in copy.read_bytes()
        assert copy.read_bytes().count(b"%%EOF") == 1


async def test_pages_not_asked_for_are_not_in_the_copy(reader: Reader, tmp_path: Path) -> None:
    pdf = Pdf()
    for number in range(3):
        pdf.page(say(f"page number {'abc'[number]} of it", 72, 700))
    path = tmp_path / "three.pdf"
    path.write_bytes(pdf.bytes())
    got = await made(reader, path, page_indices=[0, 2])
    with kept(got) as copy:
        left = text_of(copy)
    assert ("number a" in left, "number b" in left, "number c" in left) == (True, False, True)
    assert got.response["pages"] == [0, 2]


async def test_a_page_that_could_not_be_read_is_black_and_said(reader: Reader, tmp_path: Path) -> None:
    Image.radial_gradient("L").resize((600, 800)).convert("RGB").save(tmp_path / "photo.png")
    got = await made(reader, tmp_path / "photo.png")
    with kept(got) as copy:
        assert Image.open(copy).convert("RGB").getextrema() == ((0, 0),) * 3
    assert got.response["warnings"][-1] == "page_blackened: page 1 could not be read, and all of it is black"
    assert {"category": "unreadable", "page": 0, "bbox": {"xywh": [0, 0, 1, 1]}} in [
        {name: finding[name] for name in ("category", "page", "bbox")} for finding in got.response["findings"]
    ]


async def test_an_image_comes_back_as_an_image_of_its_format_without_its_metadata(reader: Reader, tmp_path: Path) -> None:
    picture = Image.new("RGB", (1000, 1300), "white")
    font = ImageFont.truetype(str(FONTS / "DejaVuSans.ttf"), 28)
    for row, text in enumerate(("Patient Name: Zelmira Quoth", "Date of Birth: 04/12/1956", "Diagnosis: low back pain", "Plan: rest")):
        ImageDraw.Draw(picture).text((80, 100 + 70 * row), text, "black", font)
    exif = Image.Exif()
    exif[0x010E] = SECRET
    picture.save(tmp_path / "page.jpg", quality=95, exif=exif)
    got = await made(reader, tmp_path / "page.jpg")
    with kept(got) as copy:
        data = copy.read_bytes()
    assert got.made is not None
    assert (got.made.media_type, got.element_type) == ("image/jpeg", "image")
    assert b"Quoth" not in data
    (tmp_path / "again.jpg").write_bytes(data)
    seen = plain((await reader.read(tmp_path / "again.jpg")).text)
    assert "lowbackpain" in seen
    assert not any(secret in seen for secret in ("zelmira", "quoth", "04121956"))
    assert Image.open(io.BytesIO(data)).size == (1000, 1300)


async def test_a_copy_of_office_text_and_mail_is_a_pdf(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "mail.eml").write_text(
        f"From: {SECRET} <zq@mail.example>\nTo: Ulsa Brenk <ub@mail.example>\nSubject: results\n"
        "Date: Mon, 2 Mar 2026 10:00:00 +0000\n\nThe knee is better.\n"
    )  # fmt: skip
    got = await made(reader, tmp_path / "mail.eml")
    with kept(got) as copy:
        left = text_of(copy)
    assert got.made is not None
    assert got.made.media_type == "application/pdf"
    assert "The knee is better" in " ".join(left.split())
    assert not any(secret in left for secret in ("Zelmira", "Quoth", "Ulsa", "Brenk", "zq@", "Mar"))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_replaced_copy_says_invented_values_where_the_real_ones_were(reader: Reader, tmp_path: Path, kind: str) -> None:
    path, paper = write(tmp_path, kind, 4)
    got = await made(reader, path, REPLACE)
    with kept(got) as copy:
        left = text_of(copy)
        read = await reader.read(copy)
        again = await made(reader, path, REPLACE)
        with kept(again) as second:
            assert copy.read_bytes() == second.read_bytes()
    words = {plain(word) for word in re.split(r"[\s,]+", left)}
    for category, secret in paper.secrets:
        assert plain(secret) not in words, (category, secret)
        assert len(plain(secret)) < 5 or plain(secret) not in plain(left), (category, secret)
    assert all(word in left for text in paper.stays for word in text.split())
    if kind == "face":
        assert re.search(r"SSN: 9\d\d-", left)
        assert re.search(r"Email: \S+@example\.com", left)
        assert re.search(r"Home Phone: .*555.?01\d\d", left)
    seen = plain(read.text)
    assert sum(plain(word) in seen for word in left.split()) > 0.9 * len(left.split())


@pytest.mark.parametrize("away", [False, True])
async def test_a_model_is_asked_for_what_the_rules_cannot_know(reader: Reader, tmp_path: Path, away: bool) -> None:
    answered: Any = ModelUnavailable("It is down.") if away else {"identifiers": [{"category": "name", "text": "zed"}]}
    pdf = Pdf()
    pdf.page(say("Patient: Zelmira Quoth", 72, 700) + say("the lad whom all call zed slept well", 72, 680))
    path = tmp_path / "called.pdf"
    path.write_bytes(pdf.bytes())

    class House:
        settings = Settings(data_dir=tmp_path)

        def backend(self, route: str) -> Talking:
            assert route == "house"
            return Talking(lambda _: answered)

        def ends_embedded(self, route: str) -> bool:
            return route == "house"

    plan = resolve("document", "generate", REDACT, route=Route(asked="vlm-1", name="house"))
    got = await answer(reader, [path], plan, models=cast("Any", House()))
    with kept(got) as copy:
        left = " ".join(text_of(copy).split())
    assert left == f"Patient: the lad whom all call {'zed ' if away else ''}slept well"
    assert got.response["counts"] == {"name": 1 if away else 2}
    assert any(warning.startswith("model_unavailable") for warning in got.warnings) == away
