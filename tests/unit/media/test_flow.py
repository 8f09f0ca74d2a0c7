import datetime
import io
import zipfile
from email.message import EmailMessage
from itertools import pairwise
from pathlib import Path

import openpyxl
import pptx
import pytest
from openpyxl.styles import Font
from PIL import Image
from pptx.util import Pt

from heliograph.errors import CorruptMedia, EncryptedMedia, MediaLimitExceeded, NotConfigured
from heliograph.extraction.embedded import extract
from heliograph.extraction.schema import compile_schema
from heliograph.media import libreoffice, opening
from heliograph.media.content import Limits, PageContent
from heliograph.media.document import Document
from heliograph.media.flow import Flow, FlowFile, Grid, GridCell, PageBreak, Paragraph, Run
from heliograph.media.html import flow_html
from heliograph.media.plaintext import grid_of
from heliograph.media.xlsx import shown
from tests.unit.media.paper import encoded, ink_of

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'


def laid(*elements, limits: Limits | None = None, **flow: object) -> FlowFile:
    return FlowFile(Flow(list(elements), **flow), limits or Limits())


def page(path: Path, data: bytes, index: int = 0, dpi: float | None = None) -> PageContent:
    path.write_bytes(data)
    return opening.open_page(path, index, dpi)


def cells(content: PageContent) -> list[list[str]]:
    table = content.page.tables[0]
    rows = [["" for _ in range(table.columns)] for _ in range(table.rows)]
    for cell in table.cells:
        rows[cell.row][cell.column] = cell.text
    return rows


# the layout itself


def test_every_words_box_lies_tight_around_its_ink() -> None:
    text = "Größe Ωμέγα Привет 12,50 fjord (Ag)"
    file = laid(Paragraph([Run("Heading of it")], "title", 1), Paragraph([Run(text)]), grid_of([["Item", "Price"], ["Chair", "9.50"]], 1))
    content = file.open_page(0, 200, True)
    assert [word.text for word in content.page.words][3:9] == text.split()
    assert content.image is not None
    for word in content.page.words:
        ink = ink_of(content.image, word.box, margin=2)
        assert ink is not None, word
        found = word.box.to_xyxy(content.image.width, content.image.height)
        assert max(abs(a - b) for a, b in zip(ink, found, strict=True)) <= 2.5, (word.text, ink, found)


def test_long_text_flows_over_pages_and_loses_no_word() -> None:
    words = [f"word{number}" for number in range(3000)]
    file = laid(Paragraph([Run(" ".join(words))]))
    assert file.page_count > 2
    read = [word for index in range(file.page_count) for word in file.open_page(index, None, True).page.words]
    assert [word.text for word in read] == words
    assert all(word.box.x >= 0 and word.box.x1 <= 1 and word.box.y >= 0 and word.box.y1 <= 1 for word in read)


def test_lines_blocks_and_cells_point_at_each_other() -> None:
    content = laid(Paragraph([Run("Hello world")]), grid_of([["a", "b"], ["c", "d e"]], 1)).open_page(0, None, True).page
    for number, line in enumerate(content.lines):
        assert line.text == " ".join(content.words[i].text for i in line.words)
        assert all(content.words[i].line == number for i in line.words)
        assert number in content.blocks[line.block].lines
    table = content.tables[content.blocks[1].table or 0]
    assert [" ".join(content.words[i].text for i in cell.words) for cell in table.cells] == ["a", "b", "c", "d e"]
    assert table.header_rows == 1


def test_spans_cover_what_they_say() -> None:
    def cell(text: str, down: int = 1, right: int = 1) -> GridCell:
        return GridCell([Paragraph([Run(text)])], down, right)

    grid = Grid([[cell("wide", right=2), cell("x")], [cell("tall", down=2), cell("a"), cell("b")], [cell("c"), cell("d")]])
    table = laid(grid).open_page(0, None, True).page.tables[0]
    at = {one.text: one for one in table.cells}
    assert (at["wide"].column_span, at["tall"].row_span) == (2, 2)
    assert [(at[name].row, at[name].column) for name in "xabcd"] == [(0, 2), (1, 1), (1, 2), (2, 1), (2, 2)]
    assert at["wide"].box.w == pytest.approx(at["tall"].box.w + at["a"].box.w)
    assert at["tall"].box.y1 == pytest.approx(at["d"].box.y1)


def test_a_long_table_becomes_one_table_a_page_and_keeps_its_rows() -> None:
    file = laid(grid_of([["n", "square"]] + [[str(n), str(n * n)] for n in range(200)], 1))
    tables = [table for index in range(file.page_count) for table in file.open_page(index, None, True).page.tables]
    assert file.page_count == len(tables) > 2
    assert sum(table.rows for table in tables) == 201
    assert [table.header_rows for table in tables] == [1] + [0] * (len(tables) - 1)


def test_a_wide_table_widens_the_page_instead_of_squeezing_words() -> None:
    file = laid(grid_of([[f"column{n}" for n in range(40)]], 1))
    content = file.open_page(0, None, True)
    assert content.page.width > 1000
    assert [word.text for word in content.page.words] == [f"column{n}" for n in range(40)]


def test_pages_beyond_the_cap_are_not_laid_out_and_that_is_said() -> None:
    file = laid(*[element for n in range(50) for element in (Paragraph([Run(str(n))]), PageBreak())], limits=Limits(max_pages=3))
    assert file.page_count == 3
    assert "first 3 pages" in file.inspect("text/plain").warnings[0]


def test_pictures_are_drawn_and_are_regions_to_read() -> None:
    data = encoded(Image.new("RGB", (400, 200), "black"), "PNG")
    content = FlowFile(Flow(flow_html('<p>See</p><img src="cid:1">', {"cid:1": data})), Limits()).open_page(0, 100, True)
    assert len(content.regions) == 1
    assert content.image is not None
    left, top, right, bottom = ink_of(content.image, content.regions[0]) or (0, 0, 0, 0)
    assert (right - left) / (bottom - top) == pytest.approx(2, rel=0.02)


def test_a_page_of_nothing_but_a_picture_is_a_scan() -> None:
    data = encoded(Image.new("RGB", (400, 200), "black"), "PNG")
    content = FlowFile(Flow(flow_html('<img src="cid:1">', {"cid:1": data})), Limits()).open_page(0, None, True)
    assert (content.text, content.structured) == ("missing", False)


# text


def test_columns_of_spaces_stay_columns(tmp_path: Path) -> None:
    text = "ITEM            QTY   PRICE\nChair             7   17.50\nTABLE WWWWWWWW    1  100.00\n"
    words = page(tmp_path / "x", text.encode()).page.words
    right = [word.box.x for word in words if word.text in ("17.50", "100.00")]
    assert right[0] > right[1]
    assert abs(next(w.box.x for w in words if w.text == "7") - next(w.box.x for w in words if w.text == "1")) < 0.002
    ordered = [w for w in words if w.text in ("TABLE", "WWWWWWWW", "1", "100.00")]
    assert all(a.box.x1 < b.box.x for a, b in pairwise(ordered))


def test_words_of_a_text_file_stand_a_space_apart_and_columns_further(tmp_path: Path) -> None:
    text = "Customer: Peter Amundsen\nlittle I will WWWW    12.50\n"
    content = page(tmp_path / "x", text.encode(), dpi=200)
    words = content.page.words
    gaps = [(b.box.x - a.box.x1) * content.page.width for a, b in pairwise(words) if a.box.cy == pytest.approx(b.box.cy, abs=0.004)]
    assert max(gaps[:-1]) < 0.8 * words[0].size, "a space is less than an em"
    assert gaps[-1] > 1.8 * words[0].size, "four are much more"
    assert content.image is not None
    for word in words:
        ink = ink_of(content.image, word.box, margin=2)
        assert ink is not None, word
        found = word.box.to_xyxy(content.image.width, content.image.height)
        assert max(abs(a - b) for a, b in zip(ink, found, strict=True)) <= 3, (word.text, ink, found)


def test_labels_of_a_text_file_carry_their_values(tmp_path: Path) -> None:
    text = "Ticket no.: CC-88213\nCustomer: Peter Amundsen\nOrder number: SO-55102\nDate: 9 September 2026\n"
    read = page(tmp_path / "x", text.encode()).page
    fields = {name: {"type": "string"} for name in ("ticket_number", "customer", "order_number")}
    schema = compile_schema({"type": "object", "properties": fields | {"date": {"type": "string", "format": "date"}}})
    assert extract(Document(media_type="text/plain", page_count=1, pages=[read]), schema).values == {
        "ticket_number": "CC-88213", "customer": "Peter Amundsen", "order_number": "SO-55102", "date": "2026-09-09",
    }  # fmt: skip


def test_csv_is_one_table(tmp_path: Path) -> None:
    assert cells(page(tmp_path / "x", b'name;city\n"Ada; L";London\nAlan;Wilmslow\n')) == [
        ["name", "city"],
        ["Ada; L", "London"],
        ["Alan", "Wilmslow"],
    ]


# HTML


def test_html_keeps_structure_and_leaves_out_what_is_not_shown(tmp_path: Path) -> None:
    html = """<!doctype html><html><head><title>no</title><style>p{}</style></head><body><script>bad()</script><h1>Main <i>title</i></h1>
    <p>One<br>two &amp; <b>bold</b></p><p style="display: none">hidden</p><ol><li>first<li>second<ul><li>inner</ul></ol>
    <table><caption>Cap</caption><thead><tr><th>A<th>B</thead><tr><td rowspan=2>x<td>y<tr><td>z</table>
    <input type=checkbox checked> yes <input value="typed">
    <input type=hidden value=no><img src="http://x/y.png" alt="a logo"></body></html>"""
    content = page(tmp_path / "x", html.encode())
    text = content.page.text
    assert "bad" not in text
    assert "hidden" not in text
    assert " no" not in text
    assert [block.kind for block in content.page.blocks] == [
        "title", "text", "list-item", "list-item", "list-item", "caption", "table", "text",
    ]  # fmt: skip
    assert text.startswith("Main title\nOne\ntwo & bold\n1. first\n2. second\n• inner\nCap")
    assert text.endswith("☑ yes typed a logo")
    assert cells(content) == [["A", "B"], ["x", "y"], ["", "z"]]
    assert [word.text for word in content.page.words if word.bold] == ["Main", "title", "bold", "A", "B"]


def test_html_nested_without_end_is_borne(tmp_path: Path) -> None:
    content = page(tmp_path / "x", b"<html>" + b"<div>" * 20_000 + b"deep")
    assert content.page.text == "deep"


def test_html_in_a_declared_charset(tmp_path: Path) -> None:
    content = page(tmp_path / "x", "<html><meta charset='koi8-r'><p>Привет".encode("koi8-r"))
    assert content.page.text == "Привет"


# mail


def message() -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Ada <ada@example.org>"
    mail["To"] = "Büro <office@example.org>"
    mail["Subject"] = "Rechnung für März"
    mail["Date"] = "Fri, 21 Nov 2025 10:00:00 +0000"
    mail["X-Spam"] = "no"
    mail.set_content("plain text body")
    return mail


def test_a_mail_shows_headers_html_body_pictures_and_attachments(tmp_path: Path) -> None:
    mail = message()
    mail.add_alternative("<p>Betrag: <b>12,50 €</b></p><img src='cid:logo'>", subtype="html")
    picture = encoded(Image.new("RGB", (300, 200), "black"), "PNG")
    mail.get_payload()[1].add_related(picture, "image", "png", cid="<logo>")  # type: ignore[union-attr,index]
    mail.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="März.pdf")
    content = page(tmp_path / "x", mail.as_bytes())
    lines = content.page.text.splitlines()
    assert lines[:3] == ["Rechnung für März", "From: Ada <ada@example.org>", "To: Büro <office@example.org>"]
    assert "Betrag: 12,50 €" in lines
    assert "plain text body" not in lines
    assert not any("Spam" in line for line in lines)
    assert lines[-1] == "• März.pdf (application/pdf, 8 bytes)"
    assert len(content.regions) == 1


def test_a_mail_without_html_shows_its_text(tmp_path: Path) -> None:
    assert "plain text body" in page(tmp_path / "x", message().as_bytes()).page.text


# DOCX


def docx(body: str, **parts: str) -> bytes:
    relations = "".join(
        f'<Relationship Id="r{n}" Type="http://x/{name.rstrip("0123456789")}" Target="{name}.xml"/>' for n, name in enumerate(parts)
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(
            "_rels/.rels", '<Relationships><Relationship Id="a" Type="http://x/officeDocument" Target="word/document.xml"/></Relationships>'
        )
        archive.writestr("word/document.xml", f"<w:document {W}><w:body>{body}</w:body></w:document>")
        archive.writestr("word/_rels/document.xml.rels", f"<Relationships>{relations}</Relationships>")
        for name, content in parts.items():
            archive.writestr(f"word/{name}.xml", content)
    return buffer.getvalue()


def para(text: str, properties: str = "", run: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:rPr>{run}</w:rPr><w:t>{text}</w:t></w:r></w:p>"


NUMBERING = f"""<w:numbering {W}><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="1"/>
<w:numFmt w:val="decimal"/><w:lvlText
w:val="%1."/></w:lvl>
<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%1.%2)"/></w:lvl></w:abstractNum>
<w:num w:numId="7"><w:abstractNumId w:val="0"/></w:num></w:numbering>"""
STYLES = f"""<w:styles {W}>
<w:style w:styleId="H1"><w:name w:val="heading 1"/></w:style>
<w:style w:styleId="Own"><w:name w:val="Mine"/><w:basedOn w:val="H1"/></w:style></w:styles>"""


def test_docx_headings_lists_tables_boxes_and_margins(tmp_path: Path) -> None:
    def item(level: int) -> str:
        return f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="7"/></w:numPr>'

    table = (
        "<w:tbl><w:tr><w:trPr><w:tblHeader/></w:trPr><w:tc><w:tcPr><w:gridSpan w:val='2'/></w:tcPr>" + para("Head") + "</w:tc></w:tr>"
        "<w:tr><w:tc><w:tcPr><w:vMerge w:val='restart'/></w:tcPr>" + para("tall") + "</w:tc><w:tc>" + para("a") + "</w:tc></w:tr>"
        "<w:tr><w:tc><w:tcPr><w:vMerge/></w:tcPr>" + para("") + "</w:tc><w:tc>" + para("b") + "</w:tc></w:tr></w:tbl>"
    )
    box = (
        '<w:p><w:r><mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:Choice><w:drawing>'
        "<w:txbxContent>" + para("in a box") + "</w:txbxContent></w:drawing></mc:Choice><mc:Fallback><w:pict><w:txbxContent>"
        + para("in a box") + "</w:txbxContent></w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>"
    )  # fmt: skip
    revised = "<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:ins><w:r><w:t>kept</w:t></w:r></w:ins></w:p>"
    body = (
        para("Chapter", '<w:pStyle w:val="Own"/>') + para("one", item(0)) + para("sub", item(1)) + para("two", item(0)) + table + box
        + revised + para("secret", run="<w:vanish/>") + para("strong", run="<w:b/>") + "<w:p><w:r><w:br w:type='page'/></w:r></w:p>"
        + para("next page")
    )  # fmt: skip
    header = f"<w:hdr {W}>{para('Running head')}</w:hdr>"
    data = docx(body, styles=STYLES, numbering=NUMBERING, header1=header)
    content = page(tmp_path / "x", data)
    found = content.page.text.splitlines()
    assert found == ["Running head", "Chapter", "1. one", "1.a) sub", "2. two", "Head", "tall", "a", "b", "in a box", "kept", "strong"]
    assert [block.kind for block in content.page.blocks][:3] == ["page-header", "section-header", "list-item"]
    table_read = content.page.tables[0]
    assert (table_read.rows, table_read.columns, table_read.header_rows) == (3, 2, 1)
    assert {cell.text: (cell.row_span, cell.column_span) for cell in table_read.cells} == {
        "Head": (1, 2),
        "tall": (2, 1),
        "a": (1, 1),
        "b": (1, 1),
    }
    assert opening.inspect(tmp_path / "x").page_count == 2
    assert "next page" in opening.open_page(tmp_path / "x", 1).page.text


def test_docx_formulas_stand_on_one_line(tmp_path: Path) -> None:
    def math(text: str) -> str:
        return f"<m:r><m:t>{text}</m:t></m:r>"

    square = f"<m:sSup><m:e>{math('b')}</m:e><m:sup>{math('2')}</m:sup></m:sSup>"
    root = f"<m:rad><m:deg/><m:e>{square}{math('-4ac')}</m:e></m:rad>"
    fraction = f"<m:f><m:num>{math('-b±')}{root}</m:num><m:den>{math('2a')}</m:den></m:f>"
    namespace = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
    content = page(tmp_path / "x", docx(f"<w:p><m:oMath {namespace}>{math('x=')}{fraction}</m:oMath></w:p>"))
    assert content.page.text == "x=(-b±√(b^2-4ac))/2a"


def test_an_xml_bomb_does_not_expand(tmp_path: Path) -> None:
    lols = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    body = "<w:body><w:p><w:r><w:t>&l11;</w:t></w:r></w:p></w:body>"
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{lols}]><w:document {W}>{body}</w:document>'
    buffer = io.BytesIO(docx("<w:p/>"))
    with zipfile.ZipFile(buffer) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    parts["word/document.xml"] = bomb.encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    content = page(tmp_path / "x", out.getvalue())
    assert len(content.page.text) < 1000


def test_a_zip_bomb_is_refused_by_its_directory(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(docx("<w:p/>", styles=" " * (8 << 20)))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(MediaLimitExceeded, match="unpacks"):
        opening.inspect(path, Limits(max_unpacked=4 << 20))


def test_a_damaged_office_file_is_corrupt_not_a_crash(tmp_path: Path) -> None:
    data = docx(para("hello"))
    with pytest.raises((CorruptMedia, EncryptedMedia)):
        page(tmp_path / "x", data.replace(b"word/document.xml", b"word/documint.xml"))


# PPTX


def test_pptx_shapes_stand_where_they_stand(tmp_path: Path) -> None:
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[1])
    slide.shapes.title.text = "The title"
    slide.placeholders[1].text = "first point"
    box = slide.shapes.add_textbox(Pt(500), Pt(400), Pt(150), Pt(40))
    box.text_frame.text = "corner\vbelow"
    table = slide.shapes.add_table(2, 2, Pt(50), Pt(300), Pt(300), Pt(60)).table
    for row, column, text in ((0, 0, "a"), (0, 1, "b"), (1, 0, "c"), (1, 1, "d")):
        table.cell(row, column).text = text
    buffer = io.BytesIO()
    presentation.save(buffer)
    content = page(tmp_path / "x", buffer.getvalue())
    assert (content.page.width, content.page.height) == (720, 540)
    words = {word.text: word for word in content.page.words}
    assert 500 / 720 <= words["corner"].box.x < 510 / 720
    assert 400 / 540 <= words["corner"].box.y < words["below"].box.y < 440 / 540
    assert cells(content) == [["a", "b"], ["c", "d"]]
    kinds = {block.kind for block in content.page.blocks}
    assert {"title", "list-item", "table", "text"} <= kinds


# XLSX


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (1234.5, "#,##0.00", "1,234.50"),
        (0.256, "0.0%", "25.6%"),
        (-5, "0.00;(0.00)", "(5.00)"),
        (1234.5, '"€" #,##0.00', "€ 1,234.50"),
        (1234.5, "[$$-409]#,##0.00", "$1,234.50"),
        (1234.5, "#,##0.00 [$€-407]", "1,234.50 €"),
        (5, "000", "005"),
        (0.1 + 0.2, "General", "0.3"),
        (12345678, "General", "12345678"),
        (1.5, "0.0##", "1.5"),
        (1234567, '#,##0.0,"k"', "1,234.6k"),
        (1234, '_-* #,##0.00_-;-* #,##0.00_-;_-* "-"??_-', "1,234.00"),
        (True, "General", "TRUE"),
        (datetime.datetime(2025, 3, 7), "yyyy-mm-dd", "2025-03-07"),
        (datetime.datetime(2025, 3, 7), "dd.mm.yyyy", "07.03.2025"),
        (datetime.datetime(2025, 3, 7), "d mmm yy", "7 Mar 25"),
        (datetime.datetime(2025, 3, 7), "mm-dd-yy", "2025-03-07"),
        (datetime.datetime(2025, 3, 7, 14, 5), "dd/mm/yyyy hh:mm", "07/03/2025 14:05"),
        (datetime.time(14, 5), "h:mm AM/PM", "2:05 PM"),
        (datetime.datetime(2025, 3, 7, 14, 5, 9), "hh:mm:ss", "14:05:09"),
        ("text", "0.00", "text"),
    ],
)
def test_values_are_written_as_excel_shows_them(value: object, code: str, text: str) -> None:
    assert shown(value, code).strip() == text


def test_xlsx_sheets_are_tables_with_merges_headers_and_hidden_parts_left_out(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Sales"
    sheet.append(["Item", "Price", "internal"])
    sheet.append(["Chair", 17.5, "x"])
    sheet.append(["Total", None, "y"])
    sheet["A1"].font = sheet["B1"].font = sheet["C1"].font = Font(bold=True)
    sheet["B2"].number_format = '#,##0.00 "EUR"'
    sheet.merge_cells("A3:B3")
    sheet.column_dimensions["C"].hidden = True
    sheet["A1048576"] = None
    book.create_sheet("Secret")["A1"] = "hidden"
    book["Secret"].sheet_state = "hidden"
    buffer = io.BytesIO()
    book.save(buffer)
    content = page(tmp_path / "x", buffer.getvalue())
    assert content.page.text.splitlines()[0] == "Sales"
    assert cells(content) == [["Item", "Price"], ["Chair", "17.50 EUR"], ["Total", ""]]
    assert content.page.tables[0].header_rows == 1
    assert content.page.tables[0].cells[-1].column_span == 2
    assert opening.inspect(tmp_path / "x").warnings == ["1 hidden sheets were left out."]


# LibreOffice


def test_old_formats_say_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libreoffice, "program", lambda: None)
    path = tmp_path / "x"
    path.write_bytes(b"{\\rtf1 hello}")
    with pytest.raises(NotConfigured, match=r"Rich Text.*LibreOffice"):
        opening.inspect(path)


@pytest.mark.skipif(libreoffice.program() is None, reason="needs LibreOffice")
def test_libreoffice_reads_old_formats(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"{\\rtf1\\ansi Hello from long ago}")
    assert opening.open_page(path, 0).page.words[0].text == "Hello"
