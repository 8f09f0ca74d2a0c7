"""Draws the two samples that ship in the package: a thermal receipt as it comes from a phone, and a two-page invoice.

`make samples` runs this. Shops, people, numbers and addresses are invented; telephone numbers are from ranges kept free
for fiction, the IBAN is the example of the SWIFT registry, and domains end in `.example`. The drawing is seeded, so a
second run gives the same receipt.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas

SAMPLES = Path(__file__).resolve().parents[1] / "src" / "heliograph" / "samples"
MONO = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"  # Debian: fonts-dejavu-core
MONO_BOLD = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf"


@dataclass(frozen=True)
class Item:
    """One line: what, how many, at what price."""

    text: str
    quantity: int
    price: Decimal

    @property
    def total(self) -> Decimal:
        """Quantity times price."""
        return self.quantity * self.price


def item(text: str, quantity: int, price: str) -> Item:
    """Shorthand for the lists below."""
    return Item(text, quantity, Decimal(price))


# --- the receipt ---------------------------------------------------------------------------------------------------

GROCERIES = [
    item("OAT MILK 1L", 2, "2.49"),
    item("RYE BREAD SLICED", 1, "4.25"),
    item("FREE RANGE EGGS 12", 1, "5.80"),
    item("TOMATOES ON VINE", 3, "1.15"),
    item("GOAT CHEESE 150G", 1, "6.40"),
    item("OLIVE OIL 500ML", 1, "11.95"),
    item("SPINACH BABY 200G", 2, "3.10"),
    item("LEMONS LOOSE", 4, "0.65"),
    item("SEA SALT CRACKERS", 2, "2.75"),
    item("GROUND COFFEE 250G", 1, "8.90"),
    item("DARK CHOCOLATE 70%", 3, "2.20"),
    item("SPARKLING WATER 6PK", 1, "4.99"),
]
SALES_TAX = Decimal("0.0625")
COLUMNS = 40


def receipt() -> Image.Image:
    """A till receipt, printed on warm paper, a little crooked, a little faded, on a dark table."""
    subtotal = sum((line.total for line in GROCERIES), Decimal(0))
    tax = (subtotal * SALES_TAX).quantize(Decimal("0.01"))
    total = subtotal + tax
    wide = lambda left, right: f"{left}{right:>{COLUMNS - len(left)}}"  # noqa: E731
    rows: list[tuple[str, str]] = [
        ("title", "MARLOW & FINCH MARKET"),
        ("centre", "214 Harbor Street"),
        ("centre", "Astoria, OR 97103"),
        ("centre", "Tel (503) 555-0142"),
        ("rule", ""),
        ("row", wide("Date: 03/14/2026", "Time: 16:42")),
        ("row", wide("Receipt No: 0047-118263", "Register: 04")),
        ("row", "Cashier: Noor"),
        ("rule", ""),
        ("bold", f"{'DESCRIPTION':<20}{'QTY':>4}{'PRICE':>7}{'AMOUNT':>9}"),
        *(("row", f"{line.text:<20}{line.quantity:>4}{line.price:>7}{line.total:>9}") for line in GROCERIES),
        ("rule", ""),
        ("row", wide("SUBTOTAL", f"{subtotal}")),
        ("row", wide("TAX 6.25%", f"{tax}")),
        ("total", f"TOTAL|USD {total}"),
        ("rule", ""),
        ("row", wide("VISA **** **** **** 4821", f"{total}")),
        ("row", wide("Approval code", "R7K204")),
        ("row", wide("Items sold", f"{sum(line.quantity for line in GROCERIES)}")),
        ("gap", ""),
        ("centre", "Returns within 30 days with receipt"),
        ("centre", "THANK YOU - SEE YOU SOON"),
        ("barcode", ""),
    ]
    size, leading, margin = 25, 36, 54
    fonts = {
        "row": ImageFont.truetype(MONO, size),
        "bold": ImageFont.truetype(MONO_BOLD, size),
        "title": ImageFont.truetype(MONO_BOLD, 36),
        "total": ImageFont.truetype(MONO_BOLD, 34),
    }
    width = int(fonts["row"].getlength("0" * COLUMNS)) + 2 * margin
    paper = Image.new("L", (width, 2000), 250)
    draw = ImageDraw.Draw(paper)
    y = margin
    rng = np.random.default_rng(20260314)
    for kind, text in rows:
        if kind == "rule":
            draw.text((margin, y - 4), "-" * COLUMNS, font=fonts["row"], fill=90)
        elif kind == "barcode":
            x = margin + 60
            while x < width - margin - 60:
                bar, space = int(rng.integers(2, 7)), int(rng.integers(2, 6))
                draw.rectangle((x, y + 14, x + bar - 1, y + 90), fill=45)
                x += bar + space
            y += 84
        elif kind in {"title", "centre"}:
            font = fonts["title" if kind == "title" else "row"]
            draw.text(((width - font.getlength(text)) / 2, y), text, font=font, fill=38)
        elif kind == "total":
            left, right = text.split("|")
            draw.text((margin, y), left, font=fonts[kind], fill=38)
            draw.text((width - margin - fonts[kind].getlength(right), y), right, font=fonts[kind], fill=38)
        elif text:
            draw.text((margin, y), text, font=fonts[kind], fill=42)
        y += {"title": 52, "total": 50, "gap": 18}.get(kind, leading)
    paper = paper.crop((0, 0, width, y + margin))

    # Thermal heads fade in bands and phones add grain; both stay mild, as on a receipt that was kept.
    pixels = np.asarray(paper.filter(ImageFilter.GaussianBlur(0.6)), dtype=np.float32)
    bands = 10 * np.sin(np.linspace(0, 9, pixels.shape[0]))[:, None] + 7 * np.sin(np.linspace(0.5, 4, pixels.shape[1]))[None, :]
    ink = (250 - pixels) / 250
    pixels = pixels + ink * (14 + bands) - np.linspace(0, 9, pixels.shape[0])[:, None]
    pixels += rng.normal(0, 2.2, pixels.shape)
    tinted = np.clip(pixels[..., None] * np.array([1.0, 0.985, 0.95]), 0, 255).astype(np.uint8)

    sheet = Image.fromarray(tinted)
    edge = 46
    table = Image.new("RGB", (sheet.width + 2 * edge, sheet.height + 2 * edge), (74, 66, 58))
    shadow = Image.new("L", table.size, 0)
    ImageDraw.Draw(shadow).rectangle((edge + 6, edge + 10, edge + sheet.width + 8, edge + sheet.height + 12), fill=150)
    table.paste((40, 34, 29), mask=shadow.filter(ImageFilter.GaussianBlur(9)))
    table.paste(sheet, (edge, edge))
    return table.rotate(0.8, resample=Image.Resampling.BICUBIC, fillcolor=(74, 66, 58))


# --- the invoice ---------------------------------------------------------------------------------------------------

OPTICS = [
    item("Heliostat mirror, 300 mm, silvered, flatness 1/8 wave, with mounting ring", 4, "318.00"),
    item("Two-axis drive, stepper, 0.02 degree repeatability, weatherproof housing, grey", 4, "452.50"),
    item("Shutter assembly, louvre type, 12 blades, hand lever and bracket for 300 mm mirrors", 2, "186.00"),
    item("Sighting telescope, 20 x 50, with crosshair reticle", 2, "241.75"),
    item("Tripod, ash wood, brass fittings, adjustable 90 to 160 cm, with levelling head", 6, "164.20"),
    item("Signal lamp, LED, 40 W, 5 degree beam, IP66, with dimmer and remote switch", 3, "129.90"),
    item("Carrying case, waxed canvas, felt lined, for heliostat mirror and mounting ring", 4, "58.60"),
    item("Power supply, 24 V, 5 A, DIN rail", 4, "47.35"),
    item("Cable set, shielded, 10 m, with M12 connectors", 8, "22.15"),
    item("Spare louvre blades, pack of 12", 2, "38.00"),
    item("Cleaning kit for silvered optics", 5, "17.80"),
    item("Calibration on site, per station, including travel and a signed report", 2, "375.00"),
    item("Operator training, half day, up to eight persons, with printed manual", 1, "490.00"),
    item("Insured delivery to site", 1, "145.00"),
]
VAT = Decimal("0.20")
INK, SOFT, LINE, BRAND = HexColor("#1d2733"), HexColor("#5c6877"), HexColor("#c9d2dc"), HexColor("#b4541a")
LEFT, RIGHT = 56.0, A4[0] - 56.0
QUANTITY, UNIT = RIGHT - 178, RIGHT - 84


def pounds(amount: Decimal) -> str:
    """`1,234.50`."""
    return f"{amount:,.2f}"


def _logo(pdf: Canvas, x: float, y: float) -> None:
    """A sun over a mirror, 40 points wide."""
    pdf.saveState()
    pdf.setFillColor(BRAND)
    pdf.circle(x + 20, y + 26, 8, stroke=0, fill=1)
    pdf.setStrokeColor(BRAND)
    pdf.setLineWidth(2)
    for angle in range(0, 181, 30):
        dx, dy = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        pdf.line(x + 20 + 11 * dx, y + 26 + 11 * dy, x + 20 + 16 * dx, y + 26 + 16 * dy)
    pdf.setFillColor(INK)
    mirror = pdf.beginPath()
    mirror.moveTo(x, y + 6)
    mirror.lineTo(x + 40, y + 14)
    mirror.lineTo(x + 40, y + 9)
    mirror.lineTo(x, y + 1)
    mirror.close()
    pdf.drawPath(mirror, stroke=0, fill=1)
    pdf.restoreState()


def _text(
    pdf: Canvas, x: float, y: float, text: str, *, font: str = "Helvetica", size: float = 9.5, colour: HexColor = INK, right: bool = False
) -> None:
    pdf.setFont(font, size)
    pdf.setFillColor(colour)
    (pdf.drawRightString if right else pdf.drawString)(x, y, text)


def _lines(pdf: Canvas, x: float, y: float, lines: list[str], *, first_bold: bool = False, **how: object) -> None:
    for number, text in enumerate(lines):
        _text(pdf, x, y - 13 * number, text, font="Helvetica-Bold" if first_bold and number == 0 else "Helvetica", **how)  # type: ignore[arg-type]


def _header_row(pdf: Canvas, y: float) -> float:
    pdf.setFillColor(HexColor("#eef1f5"))
    pdf.rect(LEFT - 6, y - 6, RIGHT - LEFT + 12, 20, stroke=0, fill=1)
    for x, text, right in ((LEFT, "Description", False), (QUANTITY, "Quantity", True), (UNIT, "Unit price", True), (RIGHT, "Amount", True)):
        _text(pdf, x, y, text, font="Helvetica-Bold", size=9, right=right)
    return y - 22


def _footer(pdf: Canvas, page: int, pages: int) -> None:
    pdf.setStrokeColor(LINE)
    pdf.line(LEFT, 58, RIGHT, 58)
    _text(pdf, LEFT, 44, "Brightwater Instruments Ltd - Registered in England", size=7.5, colour=SOFT)
    _text(pdf, RIGHT, 44, f"Page {page} of {pages}", size=7.5, colour=SOFT, right=True)


def invoice(path: Path) -> None:
    """A two-page A4 invoice with fourteen items, as an accounting program would print it: a text layer, no scan."""
    pdf = Canvas(str(path), pagesize=A4, invariant=1)
    pdf.setTitle("Invoice BW-2026-0318")
    pdf.setAuthor("Brightwater Instruments Ltd")
    top = A4[1] - 62

    _logo(pdf, LEFT, top - 22)
    _text(pdf, LEFT + 52, top, "Brightwater Instruments Ltd", font="Helvetica-Bold", size=15)
    _lines(
        pdf,
        LEFT + 52,
        top - 16,
        ["7 Signal Hill, Whitcombe Bay WB4 2LT, United Kingdom", "accounts@brightwater.example   +44 1632 960142"],
        size=8.5,
        colour=SOFT,
    )
    _text(pdf, RIGHT, top, "INVOICE", font="Helvetica-Bold", size=20, colour=BRAND, right=True)

    y = top - 74
    _lines(
        pdf,
        LEFT,
        y,
        ["Bill to", "Northgate Observatory Trust", "Accounts Payable", "31 Meridian Road", "Oakhaven OH1 7QS", "United Kingdom"],
        first_bold=True,
    )
    _lines(
        pdf, LEFT + 168, y, ["Ship to", "Northgate Observatory", "Ridge Station", "Upper Fell Lane", "Oakhaven OH9 3BD"], first_bold=True
    )
    facts = [
        ("Invoice number", "BW-2026-0318"),
        ("Invoice date", "9 March 2026"),
        ("Due date", "8 April 2026"),
        ("Customer number", "NOT-4471"),
        ("Your order", "PO 88-2041"),
        ("VAT number", "GB 123 4567 82"),
    ]
    for number, (label, value) in enumerate(facts):
        _text(pdf, RIGHT - 172, y - 13 * number, label, colour=SOFT)
        _text(pdf, RIGHT, y - 13 * number, value, font="Helvetica-Bold", right=True)

    y = _header_row(pdf, y - 108)
    page = 1
    for line in OPTICS:
        wrapped = simpleSplit(line.text, "Helvetica", 9.5, QUANTITY - LEFT - 62)
        if y - 13 * len(wrapped) < 120:
            _text(pdf, RIGHT, y, "Continued on page 2", size=8.5, colour=SOFT, right=True)
            _footer(pdf, page, 2)
            pdf.showPage()
            page += 1
            _text(pdf, LEFT, top, "Brightwater Instruments Ltd", font="Helvetica-Bold", size=11)
            _text(pdf, RIGHT, top, "Invoice BW-2026-0318", size=9.5, colour=SOFT, right=True)
            y = _header_row(pdf, top - 34)
        _lines(pdf, LEFT, y, wrapped)
        for x, text in ((QUANTITY, str(line.quantity)), (UNIT, pounds(line.price)), (RIGHT, pounds(line.total))):
            _text(pdf, x, y, text, right=True)
        y -= 13 * len(wrapped) + 6
        pdf.setStrokeColor(LINE)
        pdf.setLineWidth(0.5)
        pdf.line(LEFT - 6, y + 4, RIGHT + 6, y + 4)
        y -= 14

    subtotal = sum((line.total for line in OPTICS), Decimal(0))
    vat = (subtotal * VAT).quantize(Decimal("0.01"))
    y -= 12
    for label, amount in (("Subtotal", subtotal), ("VAT 20%", vat)):
        _text(pdf, UNIT - 70, y, label, colour=SOFT)
        _text(pdf, RIGHT, y, f"£{pounds(amount)}", right=True)
        y -= 17
    pdf.setStrokeColor(INK)
    pdf.setLineWidth(1)
    pdf.line(UNIT - 70, y + 9, RIGHT, y + 9)
    _text(pdf, UNIT - 70, y - 8, "Total due", font="Helvetica-Bold", size=12)
    _text(pdf, RIGHT, y - 8, f"£{pounds(subtotal + vat)}", font="Helvetica-Bold", size=12, right=True)

    y -= 72
    _text(pdf, LEFT, y, "Payment", font="Helvetica-Bold", size=10.5)
    for number, (label, value) in enumerate(
        [
            ("Terms", "30 days net"),
            ("Account name", "Brightwater Instruments Ltd"),
            ("IBAN", "GB29 NWBK 6016 1331 9268 19"),
            ("BIC", "NWBKGB2L"),
            ("Reference", "BW-2026-0318"),
        ]
    ):
        _text(pdf, LEFT, y - 18 - 14 * number, label, colour=SOFT)
        _text(pdf, LEFT + 90, y - 18 - 14 * number, value)
    _text(pdf, LEFT, y - 112, "Thank you for your order. Goods remain our property until paid in full.", size=9, colour=SOFT)
    _footer(pdf, page, 2)
    pdf.save()


def main() -> None:
    """Write both samples."""
    SAMPLES.mkdir(parents=True, exist_ok=True)
    receipt().quantize(32, dither=Image.Dither.NONE).save(SAMPLES / "receipt.png", optimize=True)
    invoice(SAMPLES / "invoice.pdf")
    for path in sorted(SAMPLES.iterdir()):
        print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
