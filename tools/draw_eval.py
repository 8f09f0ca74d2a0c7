"""Draws the small evaluation set that the tests hold a bar to: documents with their true values and exact boxes, in `tests/data/eval`.

`python tools/draw_eval.py` writes it anew. Firms, people, numbers and addresses are invented; domains end in `.example`.
The drawn documents are simple on purpose: the bar says that nothing broke, not how good the engine is on documents of the world.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

TARGET = Path(__file__).resolve().parents[1] / "tests" / "data" / "eval"
MONO = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"  # Debian: fonts-dejavu-core


class Truth:
    """The true values of a document, with the boxes they were drawn in."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}

    def mark(self, name: str, value: Any, box: tuple[float, float, float, float], page: int = 1) -> None:
        """`box`: left, top, right, bottom, as fractions of the page. A name marked again grows by another line."""
        x0, y0, x1, y1 = (round(part, 5) for part in box)
        marked = self.fields.setdefault(name, {"text": value, "pages": [page], "boxes": []})
        marked["boxes"].append([x0, y0, x1, y0, x1, y1, x0, y1])


class Sheet:
    """A PDF page on which text is put by its distance from the upper left corner, in points."""

    def __init__(self, path: Path) -> None:
        self.canvas = Canvas(str(path), pagesize=A4, invariant=1)
        self.truth = Truth()

    def put(self, x: float, y: float, text: str, size: float = 10, *, bold: bool = False, right: bool = False, **field: Any) -> None:
        """`field`: at most one, `name=value`, of which the text is the whole drawn form."""
        font = "Helvetica-Bold" if bold else "Helvetica"
        width = stringWidth(text, font, size)
        x = x - width if right else x
        self.canvas.setFont(font, size)
        self.canvas.drawString(x, A4[1] - y, text)
        for name, value in field.items():
            self.truth.mark(name, value, (x / A4[0], (y - 0.74 * size) / A4[1], (x + width) / A4[0], (y + 0.02 * size) / A4[1]))

    def rule(self, y: float, x0: float = 50, x1: float = 545) -> None:
        """A thin line across."""
        self.canvas.setLineWidth(0.6)
        self.canvas.line(x0, A4[1] - y, x1, A4[1] - y)


def invoice(path: Path, words: dict[str, str], values: dict[str, Any], lines: list[tuple[str, str, str, str]]) -> Truth:
    """An invoice with a table of items. `words` are what it is printed with; of `values` the `_shown` are the printed forms."""
    sheet = Sheet(path)
    sheet.put(50, 60, values["seller_name"], 15, bold=True, seller_name=values["seller_name"])
    sheet.put(50, 76, values["seller_address"], 9)
    sheet.put(400, 110, words["title"], 18, bold=True)
    for row, name in enumerate(("invoice_number", "issue_date", "due_date")):
        y = 140 + 16 * row
        sheet.put(400, y, words[name], 9)
        sheet.put(545, y, values.get(f"{name}_shown", values[name]), 9, right=True, **{name: values[name]})
    sheet.put(50, 140, words["buyer"], 9)
    sheet.put(50, 156, values["buyer_name"], 10, buyer_name=values["buyer_name"])
    for row, line in enumerate(values["buyer_address"]):
        sheet.put(50, 170 + 13 * row, line, 10)
    columns = (50, 370, 460, 545)
    for x, name in zip(columns, ("item", "quantity", "price", "amount"), strict=True):
        sheet.put(x, 250, words[name], 9, bold=True, right=x > 50)
    sheet.rule(256)
    y = 274.0
    for line in lines:
        for x, text in zip(columns, line, strict=True):
            sheet.put(x, y, text, 10, right=x > 50)
        y += 18
    sheet.rule(y - 6)
    for name in ("net_total", "tax_total", "grand_total"):
        y += 16
        sheet.put(380, y, words[name], 10, bold=name == "grand_total")
        sheet.put(545, y, values[f"{name}_shown"], 10, right=True, bold=name == "grand_total", **{name: values[name]})
    sheet.put(50, 760, values["footer"], 8)
    sheet.canvas.save()
    return sheet.truth


def membership(path: Path, rows: list[tuple[str, str, str, Any]]) -> Truth:
    """A form of ruled boxes with the label small above the value."""
    sheet = Sheet(path)
    sheet.put(50, 70, "Membership Application", 18, bold=True)
    sheet.put(50, 88, "Harbour Rowing Club, Quay Street 4, Northport", 9)
    for row, (label, shown, name, value) in enumerate(rows):
        y = 120 + 44 * row
        sheet.canvas.rect(50, A4[1] - y - 34, 495, 34)
        sheet.put(56, y + 11, label, 7)
        sheet.put(56, y + 27, shown, 11, **{name: value})
    sheet.canvas.save()
    return sheet.truth


def receipt(path: Path, lines: list[tuple[str, str, str | None, Any]]) -> Truth:
    """A till receipt as a picture: text at the left, text at the right, and the field that the right (else the left) text answers."""
    font = ImageFont.truetype(MONO, 26)
    image = Image.new("L", (640, 80 + 40 * len(lines)), 250)
    draw, truth = ImageDraw.Draw(image), Truth()
    for row, (left, right, name, value) in enumerate(lines):
        y = 40 + 40 * row
        x = 40.0 if right or not left else (640 - font.getlength(left)) / 2
        draw.text((x, y), left, fill=30, font=font)
        at = 600 - font.getlength(right)
        if right:
            draw.text((at, y), right, fill=30, font=font)
        if name:
            box = draw.textbbox((at, y), right, font=font) if right else draw.textbbox((x, y), left, font=font)
            truth.mark(name, value, (box[0] / image.width, box[1] / image.height, box[2] / image.width, box[3] / image.height))
    image.save(path, optimize=True)
    return truth


def text(description: str, **more: Any) -> dict[str, Any]:
    """A text that may be missing."""
    return {"type": ["string", "null"], "description": description, **more}


def number(description: str) -> dict[str, Any]:
    """A number that may be missing."""
    return {"type": ["number", "null"], "description": description}


def schema(properties: dict[str, Any], absent: list[str]) -> dict[str, Any]:
    """An object of these; the documents do not hold what is `absent`."""
    return {"type": "object", "properties": properties, "x-absent": absent}


SCHEMAS = {
    "drawn_invoices": schema(
        {
            "invoice_number": text("Number of the invoice"),
            "issue_date": text("Date of the invoice", format="date"),
            "due_date": text("Date by which to pay", format="date"),
            "seller_name": text("Name of the seller"),
            "buyer_name": text("Name of the buyer"),
            "net_total": number("Total without tax"),
            "tax_total": number("Tax"),
            "grand_total": number("Total with tax"),
            "lines": {
                "type": "array",
                "items": {"type": "object", "properties": {"description": text("What was sold"), "amount": number("Amount of the line")}},
            },
            "vessel_name": text("Name of the ship"),
        },
        ["vessel_name"],
    ),
    "drawn_receipts": schema(
        {
            "company": text("Name of the shop"),
            "date": text("Date of the purchase", format="date"),
            "total": number("Amount paid"),
            "iban": text("IBAN of the shop"),
        },
        ["iban"],
    ),
    "drawn_forms": schema(
        {
            "full_name": text("Name of the applicant"),
            "date_of_birth": text("Date of birth", format="date"),
            "email": text("E-mail address"),
            "phone": text("Telephone number"),
            "member_since": text("Date of joining", format="date"),
            "passport_number": text("Number of the passport"),
        },
        ["passport_number"],
    ),
}


def main() -> None:
    """Write files, truth, schemas and the manifest."""
    for folder in ("items", "truth", "schemas"):
        (TARGET / folder).mkdir(parents=True, exist_ok=True)
    items = TARGET / "items"
    made: list[tuple[str, str, Truth]] = []
    truth = invoice(
        items / "a.pdf",
        {
            "title": "INVOICE", "invoice_number": "Invoice no.", "issue_date": "Invoice date", "due_date": "Due date", "buyer": "Bill to",
            "item": "Description", "quantity": "Qty", "price": "Unit price", "amount": "Amount",
            "net_total": "Subtotal", "tax_total": "VAT 20%", "grand_total": "Total due",
        },
        {
            "seller_name": "Lantern & Wick Ltd", "seller_address": "12 Chandler Row, Bristol BS1 4XX", "buyer_name": "Seaview Hotel",
            "buyer_address": ["3 Promenade", "Bournemouth BH2 5AA"], "invoice_number": "LW-20458", "issue_date": "2025-03-04",
            "issue_date_shown": "4 March 2025", "due_date": "2025-04-03", "due_date_shown": "3 April 2025", "net_total": 356.5,
            "net_total_shown": "356.50", "tax_total": 71.3, "tax_total_shown": "71.30", "grand_total": 427.8, "grand_total_shown": "427.80",
            "footer": "Thank you for your custom. lantern-wick.example",
        },
        [("Brass lantern", "3", "80.00", "240.00"), ("Lamp oil, 5 l", "4", "22.25", "89.00"), ("Cotton wick", "11", "2.50", "27.50")],
    )  # fmt: skip
    truth.fields["lines"] = [
        {"description": "Brass lantern", "amount": 240},
        {"description": "Lamp oil, 5 l", "amount": 89},
        {"description": "Cotton wick", "amount": 27.5},
    ]
    made.append(("drawn_invoices", "a.pdf", truth))
    truth = invoice(
        items / "b.pdf",
        {
            "title": "Rechnung", "invoice_number": "Rechnungsnummer", "issue_date": "Rechnungsdatum", "due_date": "Zahlbar bis",
            "buyer": "Rechnungsempfänger", "item": "Bezeichnung", "quantity": "Menge", "price": "Einzelpreis", "amount": "Betrag",
            "net_total": "Nettobetrag", "tax_total": "MwSt. 19 %", "grand_total": "Gesamtbetrag",
        },
        {
            "seller_name": "Holzwerk Brandt GmbH", "seller_address": "Sägeweg 7, 79100 Freiburg", "buyer_name": "Möbelhaus Krüger KG",
            "buyer_address": ["Marktplatz 2", "70173 Stuttgart"], "invoice_number": "2025-0771", "issue_date": "2025-06-17",
            "issue_date_shown": "17.06.2025", "due_date": "2025-07-17", "due_date_shown": "17.07.2025", "net_total": 1850.0,
            "net_total_shown": "1.850,00 €", "tax_total": 351.5, "tax_total_shown": "351,50 €", "grand_total": 2201.5,
            "grand_total_shown": "2.201,50 €", "footer": "holzwerk-brandt.example",
        },
        [("Eichenbohle 50 mm", "10", "125,00", "1.250,00"), ("Leimholzplatte Buche", "8", "75,00", "600,00")],
    )  # fmt: skip
    truth.fields["lines"] = [{"description": "Eichenbohle 50 mm", "amount": 1250}, {"description": "Leimholzplatte Buche", "amount": 600}]
    made.append(("drawn_invoices", "b.pdf", truth))
    made.append(
        (
            "drawn_forms",
            "c.pdf",
            membership(
                items / "c.pdf",
                [
                    ("Full name", "Ottilie Marsh", "full_name", "Ottilie Marsh"),
                    ("Date of birth", "19 November 1988", "date_of_birth", "1988-11-19"),
                    ("E-mail", "ottilie.marsh@post.example", "email", "ottilie.marsh@post.example"),
                    ("Telephone", "020 7946 0812", "phone", "020 7946 0812"),
                    ("Member since", "2 May 2021", "member_since", "2021-05-02"),
                ],
            ),
        )
    )
    made.append(
        (
            "drawn_receipts",
            "d.png",
            receipt(
                items / "d.png",
                [
                    ("CORNER BAKERY LTD", "", "company", "CORNER BAKERY LTD"),
                    ("8 MILL LANE, NORTHPORT", "", None, None),
                    ("Date:", "23/08/2025", "date", "2025-08-23"),
                    ("RYE LOAF", "4.20", None, None),
                    ("CINNAMON BUN x2", "5.00", None, None),
                    ("FILTER COFFEE", "2.60", None, None),
                    ("TOTAL", "11.80", "total", 11.8),
                    ("CASH", "20.00", None, None),
                    ("CHANGE", "8.20", None, None),
                ],
            ),
        )
    )
    rows = []
    for name, file, truth in made:
        path = items / file
        kept = {"fields": truth.fields}
        (TARGET / "truth" / f"{file}.json").write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")
        rows.append(
            {
                "id": f"{name}/{file}", "set": name, "path": f"items/{file}", "truth_path": f"truth/{file}.json",
                "truth_quality": "self", "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
        )  # fmt: skip
    (TARGET / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    for name, asked in SCHEMAS.items():
        (TARGET / "schemas" / f"{name}.json").write_text(json.dumps(asked, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
