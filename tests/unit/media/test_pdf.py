from pathlib import Path

import pytest

from heliograph.errors import CorruptMedia, EmptyMedia, EncryptedMedia
from heliograph.media.content import Limits, PageContent
from heliograph.media.pdf import PdfFile
from tests.unit.media.paper import Pdf, ink_of, pixels, say

TEXT = "Invoice 2024 for the delivery of seven chairs and one table to the house by the river"


@pytest.fixture
def opened(tmp_path: Path):
    files: list[PdfFile] = []

    def open_(data: bytes, limits: Limits | None = None) -> PdfFile:
        path = tmp_path / f"{len(files)}.bin"
        path.write_bytes(data)
        files.append(PdfFile(path, limits or Limits()))
        return files[-1]

    yield open_
    for file in files:
        file.close()


def one(opened, content: bytes, *, dpi: float | None = None, **page: object) -> PageContent:
    pdf = Pdf()
    pdf.page(content, **page)
    return opened(pdf.bytes()).open_page(0, dpi, True)


def texts(content: PageContent) -> list[str]:
    return [word.text for word in content.page.words]


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize(
    ("media", "crop"), [("0 0 612 792", ""), ("-50 20 700 900", "100 120 560 820"), ("0 0 612 792", "-100 -100 9999 9999")]
)
def test_boxes_lie_tight_around_the_drawn_ink_however_the_page_is_turned_or_cropped(opened, rotate: int, media: str, crop: str) -> None:
    content = (
        say("Grand", 150, 700, 24) + say("Total:", 240, 700, 24) + say("Apple", 300, 300, 11) + say("17.50", 200, 200, matrix="0 1 -1 0")
    )
    page = one(opened, content, dpi=144, media=media, crop=crop, rotate=rotate)
    assert sorted(texts(page)) == ["17.50", "Apple", "Grand", "Total:"]
    assert page.image is not None
    turned = rotate % 180 != 0
    assert (page.image.width > page.image.height) == (page.page.width > page.page.height)
    assert (page.page.width > page.page.height) == turned
    for word in page.page.words:
        ink = ink_of(page.image, word.box)
        assert ink is not None, word
        found = word.box.to_xyxy(page.image.width, page.image.height)
        assert max(abs(a - b) for a, b in zip(ink, found, strict=True)) <= 2, (word, ink, found)


def test_size_and_bold_are_those_drawn(opened) -> None:
    pdf = Pdf()
    bold = pdf.add(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold >>")
    big = say("Title", 50, 700, 1, matrix="30 0 0 30").replace(b"/F1", b"/F2")
    pdf.objects[2] = pdf.objects[2] + b""
    stream = pdf.stream(big + say("body", 50, 600, 10))
    pdf.pages.append(
        pdf.add(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R /F2 %d 0 R >> >> >>" % (stream, bold)
        )
    )
    words = opened(pdf.bytes()).open_page(0, None, True).page.words
    assert [(word.text, round(word.size), word.bold) for word in words] == [("Title", 30, True), ("body", 10, False)]


def test_words_end_at_spaces_columns_and_lines(opened) -> None:
    content = say("one two", 50, 700) + say("far", 300, 700) + say("below", 50, 685) + b"BT /F1 12 Tf 50 600 Td [(To) -30 (gether)] TJ ET\n"
    assert texts(one(opened, content)) == ["one", "two", "far", "below", "Together"]


def test_what_is_not_seen_is_not_in_the_words(opened) -> None:
    pdf = Pdf()
    to_unicode(pdf, {0xAD: 0xAD, 0xAE: 0xFB01, 0xAF: 0x200B})
    pdf.page(say("soft\xadhyphen", 50, 700) + say("outside", 5000, 700) + say("\xaene\xaf", 50, 650))
    assert texts(opened(pdf.bytes()).open_page(0, None, True)) == ["softhyphen", "fine"]


def test_a_page_without_anything_is_blank_and_needs_no_ocr(opened) -> None:
    page = one(opened, b"")
    assert (page.text, page.page.words, page.regions) == ("good", [], [])


def test_a_scan_has_no_text_layer(opened) -> None:
    pdf = Pdf()
    image = pdf.image()
    pdf.page(b"q 612 0 0 792 0 0 cm /Im Do Q", resources=b"/XObject << /Im %d 0 R >>" % image)
    assert opened(pdf.bytes()).open_page(0, None, True).text == "missing"


def test_text_drawn_as_outlines_needs_ocr(opened) -> None:
    curves = b"".join(b"%d 700 m %d 712 l %d 706 l f\n" % (x, x + 4, x + 8) for x in range(50, 500, 10))
    assert one(opened, curves).text == "missing"


def test_invisible_text_over_a_scan_is_somebodys_ocr(opened) -> None:
    pdf = Pdf()
    image = pdf.image()
    content = b"q 612 0 0 792 0 0 cm /Im Do Q\n" + say(TEXT, 50, 700, mode=3)
    pdf.page(content, resources=b"/XObject << /Im %d 0 R >>" % image)
    page = opened(pdf.bytes()).open_page(0, None, True)
    assert page.text == "hidden"
    assert texts(page)[:2] == ["Invoice", "2024"]


@pytest.mark.parametrize(("picture_last", "verdict"), [(True, "hidden"), (False, "good")])
def test_text_under_a_picture_is_not_seen_and_text_on_one_is(opened, picture_last: bool, verdict: str) -> None:
    pdf = Pdf()
    image = pdf.image(grey=250)
    picture, text = b"q 612 0 0 792 0 0 cm /Im Do Q\n", say(TEXT, 50, 700)
    pdf.page(text + picture if picture_last else picture + text, resources=b"/XObject << /Im %d 0 R >>" % image)
    assert opened(pdf.bytes()).open_page(0, None, True).text == verdict


def test_a_picture_beside_good_text_is_a_region_to_read(opened) -> None:
    pdf = Pdf()
    image = pdf.image()
    content = b"q 300 0 0 200 100 100 cm /Im Do Q\n" + say(TEXT, 50, 700, 9) + say(TEXT, 50, 680, 9)
    pdf.page(content, resources=b"/XObject << /Im %d 0 R >>" % image)
    page = opened(pdf.bytes()).open_page(0, None, True)
    assert page.text == "good"
    assert len(page.regions) == 1
    left, bottom, right, top = 100, 100, 400, 300
    assert page.regions[0].to_xyxy(612, 792) == pytest.approx((left, 792 - top, right, 792 - bottom), abs=0.5)


def test_strips_of_one_picture_are_one_region(opened) -> None:
    pdf = Pdf()
    image = pdf.image()
    strips = b"".join(b"q 300 0 0 20 100 %d cm /Im Do Q\n" % (100 + 20 * number) for number in range(10))
    pdf.page(strips + say(TEXT, 50, 700, 9), resources=b"/XObject << /Im %d 0 R >>" % image)
    assert len(opened(pdf.bytes()).open_page(0, None, True).regions) == 1


def to_unicode(pdf: Pdf, mapping: dict[int, int]) -> int:
    lines = b"".join(b"<%02X> <%04X>\n" % pair for pair in mapping.items())
    cmap = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapType 2 def 1 begincodespacerange <00> <FF> endcodespacerange\n"
        + b"%d beginbfchar\n%sendbfchar endcmap end end" % (len(mapping), lines)
    )
    number = pdf.stream(cmap)
    pdf.objects[2] = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode %d 0 R >>" % number
    return number


PROSE = (
    "the quick reading of a long document shows that letters in real sentences follow the habits of their language and nobody can hide "
    "that from a count of them because common letters stay common wherever people write about their work and their lives in plain words"
)


@pytest.mark.parametrize(
    ("mapping", "verdict"),
    [
        ({}, "good"),
        ({code: 0xE000 + code for code in range(97, 123)}, "garbled"),
        (dict.fromkeys(range(97, 123), 65533), "garbled"),
        ({code: 97 + (code - 97 + 13) % 26 for code in range(97, 123)}, "garbled"),
    ],
    ids=["right", "private", "replaced", "shifted"],
)
def test_a_text_layer_that_says_other_letters_than_it_shows_is_garbled(opened, mapping: dict[int, int], verdict: str) -> None:
    pdf = Pdf()
    if mapping:
        to_unicode(pdf, mapping)
    pdf.page(b"".join(say(PROSE[at : at + 60], 50, 700 - at / 4, 11) for at in range(0, len(PROSE), 60)))
    assert opened(pdf.bytes()).open_page(0, None, True).text == verdict


def widget(pdf: Pdf, entries: bytes, rect: str) -> int:
    return pdf.add(b"<< /Type /Annot /Subtype /Widget /F 4 /Rect [%s] %s >>" % (rect.encode(), entries))


def test_form_values_are_words_with_boxes_and_are_drawn(opened) -> None:
    pdf = Pdf()
    fields = [
        widget(pdf, b"/FT /Tx /T (name) /V (Ada Lovelace) /DA (/Helv 12 Tf 0 g)", "100 600 300 620"),
        widget(pdf, b"/FT /Btn /T (yes) /V /On /AS /On /AP << /N << /On 3 0 R >> >>", "100 560 112 572"),
        widget(pdf, b"/FT /Tx /T (pin) /Ff 8192 /V (secret) /DA (/Helv 12 Tf 0 g)", "100 500 300 520"),
    ]
    listed = b" ".join(b"%d 0 R" % field for field in fields)
    pdf.catalog = b"/AcroForm << /NeedAppearances true /DR << /Font << /Helv 3 0 R >> >> /DA (/Helv 12 Tf 0 g) /Fields [%s] >>" % listed
    pdf.page(say("Name:", 50, 605), annotations=fields)
    page = opened(pdf.bytes()).open_page(0, 144, True)
    words = {word.text: word for word in page.page.words}
    assert {"Name:", "Ada", "Lovelace"} <= set(words)
    assert "secret" not in words
    assert 100 / 612 <= words["Ada"].box.x < words["Lovelace"].box.x < 300 / 612
    assert page.image is not None
    assert ink_of(page.image, words["Ada"].box) is not None


def test_an_empty_password_opens_and_a_set_one_is_said(opened) -> None:
    pdf = Pdf()
    pdf.page(say("Hello", 50, 700))
    assert texts(opened(pdf.bytes(password=b"")).open_page(0, None, True)) == ["Hello"]
    with pytest.raises(EncryptedMedia):
        opened(pdf.bytes(password=b"sesame"))


def test_junk_before_and_after_is_borne(opened) -> None:
    pdf = Pdf()
    pdf.page(say("Hello", 50, 700))
    file = opened(b"From the mail server\r\n" * 10 + pdf.bytes() + b"\0" * 3000)
    assert texts(file.open_page(0, None, True)) == ["Hello"]


def test_one_damaged_page_does_not_cost_the_others(opened) -> None:
    pdf = Pdf()
    pdf.page(say("first", 50, 700))
    pdf.page(say("second", 50, 700))
    pdf.objects[pdf.pages[0] - 1] = b"<< /broken"
    file = opened(pdf.bytes())
    assert file.page_count == 2
    damaged = file.open_page(0, None, True)
    assert damaged.page.words == []
    assert damaged.page.warnings or damaged.text == "good"
    assert texts(file.open_page(1, None, True)) == ["second"]


@pytest.mark.parametrize("data", [b"%PDF-1.7\n", b"%PDF-1.4\n1 0 obj\n<<", b"%PDF-1.7\n" + b"\xff" * 5000])
def test_a_file_that_is_no_pdf_after_all_is_corrupt(opened, data: bytes) -> None:
    with pytest.raises(CorruptMedia):
        opened(data)


def test_a_pdf_without_pages_is_empty(opened) -> None:
    with pytest.raises((EmptyMedia, CorruptMedia)):
        opened(Pdf().bytes())


def test_pixels_are_capped_by_the_limit_not_by_the_request(opened) -> None:
    pdf = Pdf()
    pdf.page(b"", media="0 0 14000 14000")
    image = opened(pdf.bytes(), Limits(max_pixels=1_000_000)).render(0, 300)
    assert image.width * image.height <= 1_010_000
    assert image.dpi == pytest.approx(image.width / 14000 * 72, rel=0.01)
    assert pixels(image).min() == 255


def test_the_same_page_opened_twice_says_the_same(opened) -> None:
    pdf = Pdf()
    field = widget(pdf, b"/FT /Tx /T (name) /V (Ada) /DA (/F1 12 Tf 0 g)", "100 600 300 620")
    pdf.catalog = b"/AcroForm << /Fields [%d 0 R] >>" % field
    pdf.page(say("Name:", 50, 605), annotations=[field])
    file = opened(pdf.bytes())
    first, second = file.open_page(0, None, True), file.open_page(0, None, True)
    assert first == second
    assert "Ada" in texts(first)
