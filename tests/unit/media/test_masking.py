"""Pages drawn anew with parts painted over, and the PDFs that are made of them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from PIL import Image

from heliograph.media import opening
from heliograph.media.document import Word
from heliograph.media.geometry import Box
from heliograph.media.mask import Mask, Masked, Patch
from heliograph.media.pdfwriting import PdfWriter
from tests.unit.media.paper import Pdf, say

LETTER = (612.0, 792.0)


def written(tmp_path: Path, pdf: Pdf) -> Path:
    path = tmp_path / "in.pdf"
    path.write_bytes(pdf.bytes())
    return path


def words_of(path: Path) -> list[Word]:
    return opening.open_page(path, 0).page.words


def masked(path: Path, words: list[Word], *hidden: str, **how: Any) -> Masked:
    boxes = [Patch(word.box) for word in words if word.text in hidden]
    return opening.mask(path, 0, Mask(**{"patches": boxes, "words": [word.box for word in words], "size": LETTER, **how}))


def copied(tmp_path: Path, page: Masked, words: list[Word], size: tuple[float, float] = LETTER) -> Path:
    path = tmp_path / "out.pdf"
    writer = PdfWriter(path)
    writer.page(page.data, page.encoding, (page.width, page.height), size, words)
    writer.close()
    return path


def text_of(path: Path) -> str:
    with pypdfium2.PdfDocument(path) as pdf:
        return " ".join(pdf[0].get_textpage().get_text_range().split())


def picture_of(path: Path, scale: float = 2) -> Image.Image:
    with pypdfium2.PdfDocument(path) as pdf:
        return pdf[0].render(scale=scale).to_pil().convert("RGB")


def test_what_is_painted_over_is_black_and_the_rest_is_as_it_was(tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.page(say("Keep", 100, 700) + say("Secret", 200, 700))
    path = written(tmp_path, pdf)
    words = words_of(path)
    page = masked(path, words, "Secret")
    out = copied(tmp_path, page, [word for word in words if word.text == "Keep"])
    assert text_of(out) == "Keep"
    after, before = picture_of(out), picture_of(path)
    secret = next(word.box for word in words if word.text == "Secret")
    area = tuple(round(edge) for edge in secret.to_xyxy(*after.size))
    assert after.crop((area[0] + 1, area[1] + 1, area[2] - 1, area[3] - 1)).getextrema() == ((0, 0),) * 3
    keep = next(word.box for word in words if word.text == "Keep")
    area = tuple(round(edge) for edge in keep.to_xyxy(*after.size))
    assert before.crop(area).convert("L").getextrema()[0] < 90 > after.crop(area).convert("L").getextrema()[0]


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_the_words_of_a_copy_stand_where_they_stood_however_the_page_is_turned(tmp_path: Path, rotate: int) -> None:
    pdf = Pdf()
    pdf.page(say("One", 150, 500) + say("tall", 200, 400, matrix="0 1 -1 0") + say("last", 300, 300), rotate=rotate, crop="100 120 560 620")
    path = written(tmp_path, pdf)
    content = opening.open_page(path, 0).page
    size = (content.width, content.height)
    page = masked(path, content.words, size=size)
    read = opening.open_page(copied(tmp_path, page, content.words, size), 0).page
    assert (round(read.width), round(read.height)) == (round(size[0]), round(size[1]))
    for before, after in zip(content.words, read.words, strict=True):
        assert before.text == after.text
        assert before.box.iou(after.box) > 0.7


def test_a_word_is_seen_only_where_leaving_out_the_text_changes_the_picture(tmp_path: Path) -> None:
    pdf = Pdf()
    image = pdf.image()
    content = (
        b"1 g " + say("white", 100, 700) + b"0 g " + say("under", 300, 500) + b"q 60 0 0 40 290 490 cm /I1 Do Q\n"
        + say("clear", 100, 300) + say("plain", 200, 300) + say("words", 300, 300) + say("ghost", 400, 300, mode=3)
    )  # fmt: skip
    pdf.page(content, resources=b"/XObject << /I1 %d 0 R >>" % image)
    path = written(tmp_path, pdf)
    words = words_of(path)
    page = masked(path, words)
    seen = {word.text: shown for word, shown in zip(words, page.seen, strict=True)}
    assert seen == {"white": False, "under": False, "clear": True, "plain": True, "words": True, "ghost": False}


def test_pictures_on_a_page_are_painted_over_and_told_of_but_a_scan_is_the_page(tmp_path: Path) -> None:
    pdf = Pdf()
    image = pdf.image()
    pdf.page(b"q 150 0 0 150 300 500 cm /I1 Do Q\n" + say("Portrait of someone", 72, 700), resources=b"/XObject << /I1 %d 0 R >>" % image)
    path = written(tmp_path, pdf)
    page = masked(path, [])
    assert [[round(edge, 2) for edge in box.xywh()] for box in page.pictures] == [[0.49, 0.18, 0.25, 0.19]]
    assert picture_of(copied(tmp_path, page, []), 1).getpixel((375, 217)) == (0, 0, 0)
    pdf = Pdf()
    pdf.page(b"q 612 0 0 792 0 0 cm /I1 Do Q\n", resources=b"/XObject << /I1 %d 0 R >>" % pdf.image())
    page = masked(written(tmp_path, pdf), [])
    assert page.pictures == []
    assert picture_of(copied(tmp_path, page, []), 1).getpixel((375, 217)) != (0, 0, 0)


def test_notes_and_highlights_that_are_not_part_of_the_page_are_not_drawn(tmp_path: Path) -> None:
    pdf = Pdf()
    form = pdf.stream(say("NOTE", 0, 5, 20), b"/Type /XObject /Subtype /Form /BBox [0 0 100 30] /Resources << /Font << /F1 3 0 R >> >>")
    note = pdf.add(b"<< /Type /Annot /Subtype /Highlight /Rect [300 300 400 330] /AP << /N %d 0 R >> >>" % form)
    pdf.page(say("Visible", 100, 700), annotations=[note])
    path = written(tmp_path, pdf)
    page = masked(path, words_of(path))
    grey = picture_of(copied(tmp_path, page, []), 1).convert("L")
    assert grey.crop((290, 450, 410, 500)).getextrema() == (255, 255)
    assert "NOTE" not in [word.text for word in words_of(path)]


def test_text_is_written_in_place_on_the_colour_of_its_background(tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.page(b"0 0 0.6 rg 0 600 612 192 re f 1 g " + say("Old value", 100, 700, 20))
    path = written(tmp_path, pdf)
    words = words_of(path)
    page = masked(path, words, patches=[Patch(word.box, "ABC", 20) for word in words if word.text == "Old"])
    old = next(word.box for word in words if word.text == "Old")
    after = picture_of(copied(tmp_path, page, []))
    part = after.crop(tuple(round(edge) for edge in old.to_xyxy(*after.size)))
    colors = sorted(part.getcolors(10_000) or [], reverse=True)
    assert colors[0][1][2] > 140
    assert colors[0][1][0] < 15
    assert part.convert("L").getextrema()[1] > 200


def test_a_whole_page_can_be_blackened_and_a_blank_one_is_told(tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.page(say("All of it", 100, 700))
    page = masked(written(tmp_path, pdf), [], whole=True)
    assert not page.blank
    assert picture_of(copied(tmp_path, page, [])).getextrema() == ((0, 0),) * 3
    empty = Pdf()
    empty.page(b"")
    assert masked(written(tmp_path, empty), []).blank


@pytest.mark.parametrize(
    ("name", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("TIFF", "image/tiff"), ("WEBP", "image/webp")]
)
def test_an_image_keeps_its_format_and_size_and_loses_what_its_file_says(tmp_path: Path, name: str, media_type: str) -> None:
    path = tmp_path / "in"
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "Patient Quibble", 6
    picture = Image.new("RGB", (300, 200), (200, 220, 240))
    picture.save(path, name, exif=exif, **({"comment": b"Patient Quibble"} if name == "JPEG" else {}))
    assert b"Quibble" in path.read_bytes()
    page = opening.mask(path, 0, Mask(patches=[Patch(Box(0, 0, 0.5, 0.5))], words=[], size=(528, 792), media_type=media_type))
    assert b"Quibble" not in page.data
    assert page.media_type == media_type
    made = Image.open(io.BytesIO(page.data))
    assert made.format == name
    assert made.size == (200, 300)
    assert not dict(made.getexif()).get(0x0112)
    assert max(made.convert("RGB").getpixel((20, 20))) < 12
    assert min(made.convert("RGB").getpixel((180, 280))) > 180


def test_a_copy_holds_nothing_of_its_source_but_pixels_and_words(tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.catalog = (
        b"/OpenAction << /S /JavaScript /JS (app.alert\\(Quibble\\)) >> /Metadata %d 0 R "
        b"/Outlines << /Title (Quibble) >> /Names << /EmbeddedFiles << /Names [(Quibble) %d 0 R] >> >>"
        % (pdf.stream(b"<x:xmpmeta>Quibble</x:xmpmeta>"), pdf.stream(b"Quibble"))
    )
    pdf.page(say("Kept", 100, 700))
    path = written(tmp_path, pdf)
    path.write_bytes(path.read_bytes() + b"\n% Quibble\n")
    words = words_of(path)
    out = copied(tmp_path, masked(path, words), words).read_bytes()
    assert b"Quibble" not in out
    for name in (b"/JavaScript", b"/Metadata", b"/EmbeddedFile", b"/Outlines", b"/Annots", b"/AcroForm", b"/OCG", b"/Prev"):
        assert name not in out


def test_words_of_every_script_are_found_again_in_a_copy(tmp_path: Path) -> None:
    blank = opening.mask(written(tmp_path, _blank()), 0, Mask(patches=[], words=[], size=LETTER))
    texts = ["Größe", "Ω", "Иван", "(x)\\", "東京", "<b>"]
    words = [Word(text, Box(0.1, 0.1 * (1 + number), 0.2, 0.02)) for number, text in enumerate(texts)]
    assert text_of(copied(tmp_path, blank, words)).split() == texts


def _blank() -> Pdf:
    pdf = Pdf()
    pdf.page(b"")
    return pdf
