"""Draws the examples of the preinstalled skills: documents with their right answers, into `src/heliograph/skills/preinstalled/`.

`make skills` runs this. `examples/` are what `heliograph skills test` asks; `resources/` are what a skill learns from. Firms, people,
numbers and addresses are invented; telephone numbers are from ranges kept free for fiction, IBANs are the examples of the SWIFT
registry, NPIs do not pass their check digit, and domains end in `.example`. Scans are drawn with a seed, so a second run gives the same.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from reportlab.lib.pagesizes import A4, LETTER
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas

SKILLS = Path(__file__).resolve().parents[1] / "src" / "heliograph" / "skills" / "preinstalled"
MONO = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"  # Debian: fonts-dejavu-core
Answer = dict[str, Any]


class Paper:
    """Pages on which text is put by its distance from the upper left corner, in points."""

    def __init__(self, size: tuple[float, float] = A4) -> None:
        self.size = size
        self._bytes = io.BytesIO()
        self._canvas = Canvas(self._bytes, pagesize=size, invariant=1)

    def put(self, x: float, y: float, text: str, size: float = 10, *, bold: bool = False, right: bool = False) -> None:
        """One line; `right`: ends at `x`."""
        self._canvas.setFont("Helvetica-Bold" if bold else "Helvetica", size)
        (self._canvas.drawRightString if right else self._canvas.drawString)(x, self.size[1] - y, text)

    def lines(self, x: float, y: float, texts: Iterable[str], size: float = 10, leading: float = 14) -> float:
        """Lines one below the other; where the next would stand."""
        for text in texts:
            self.put(x, y, text, size)
            y += leading
        return y

    def paragraph(self, x: float, y: float, text: str, width: float, size: float = 10) -> float:
        """Text broken at `width`; where the next line would stand."""
        return self.lines(x, y, simpleSplit(text, "Helvetica", size, width), size)

    def facts(self, x: float, y: float, pairs: Sequence[tuple[str, str]], *, gap: float = 110, leading: float = 16) -> float:
        """Labels in bold with their values `gap` points to the right; where the next would stand."""
        for label, value in pairs:
            self.put(x, y, label, 9.5, bold=True)
            self.put(x + gap, y, value)
            y += leading
        return y

    def rule(self, y: float, x0: float = 50, x1: float | None = None) -> None:
        """A thin line across."""
        self._canvas.setLineWidth(0.6)
        self._canvas.line(x0, self.size[1] - y, x1 or self.size[0] - 50, self.size[1] - y)

    def table(self, y: float, columns: Sequence[float], heads: Sequence[str], rows: Iterable[Sequence[str]], leading: float = 18) -> float:
        """A table with a rule under its heads; negative columns are right-aligned. Where the next row would stand."""
        for number, row in enumerate((heads, *rows)):
            for x, text in zip(columns, row, strict=True):
                self.put(abs(x), y, text, 9.5, bold=number == 0, right=x < 0)
            if number == 0:
                self.rule(y + 6)
            y += leading
        return y

    def turn(self) -> None:
        """A new page."""
        self._canvas.showPage()

    def pdf(self) -> bytes:
        """The pages as a PDF with a text layer."""
        if not self._bytes.tell():
            self._canvas.save()
        return self._bytes.getvalue()

    def scans(self, dpi: int, seed: int) -> list[Image.Image]:
        """The pages in grey as a scanner gives them: a little askew, a little soft, with grain."""
        grain = np.random.default_rng(seed)
        scanned: list[Image.Image] = []
        with pypdfium2.PdfDocument(self.pdf()) as document:
            for page in document:
                drawn = page.render(scale=dpi / 72).to_pil().convert("L").filter(ImageFilter.GaussianBlur(0.5))
                turned = drawn.rotate(float(grain.uniform(-0.5, 0.5)), resample=Image.Resampling.BICUBIC, fillcolor=255)
                noisy = np.asarray(turned, dtype=np.float32) * 0.93 + 10 + grain.normal(0, 3, (turned.height, turned.width))
                scanned.append(Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)))
        return scanned


def png(image: Image.Image) -> bytes:
    """The picture in few greys, which keeps it small."""
    out = io.BytesIO()
    few = image.point(lambda level: min(255, (level + 26) // 51 * 51))
    few.quantize(6, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def fax(images: Sequence[Image.Image]) -> bytes:
    """Pages without a text layer in black and white, as a fax server files them."""
    bare = [image.point(lambda level: 255 * (level > 150)).convert("1") for image in images]
    out = io.BytesIO()
    bare[0].save(out, "PDF", save_all=True, append_images=bare[1:], resolution=150, creationDate=_NEVER, modDate=_NEVER)
    return out.getvalue()


_NEVER = time.gmtime(1_795_219_200)  # a fixed moment, so that a second run gives the same bytes


# --- invoices ------------------------------------------------------------------------------------------------------


def harbour() -> tuple[bytes, Answer]:
    """From an accounting program: A4, a text layer, British."""
    paper = Paper()
    paper.put(50, 62, "Harbour & Lane Chandlers Ltd", 15, bold=True)
    paper.lines(50, 80, ["18 Quay Street, Porthmere PM2 6LD, United Kingdom", "VAT number: GB 123 4567 82"], 8.5, 12)
    paper.put(545, 62, "INVOICE", 20, bold=True, right=True)
    paper.put(50, 130, "Bill to", 9.5, bold=True)
    paper.lines(50, 145, ["Skerry Sailing School", "2 Lighthouse Road", "Brackness BN4 1TT", "United Kingdom"])
    paper.facts(
        330,
        130,
        [
            ("Invoice number", "HL-20418"),
            ("Invoice date", "17 April 2026"),
            ("Due date", "17 May 2026"),
            ("Customer number", "C-0933"),
            ("Your order", "SSS/26/031"),
        ],
    )
    rows = [
        ("Mooring line, 12 mm, 20 m coil", "6", "38.50", "231.00"),
        ("Bronze snap shackle, size 2", "14", "12.25", "171.50"),
        ("Marine varnish, gloss, 2.5 l", "3", "61.00", "183.00"),
        ("Life jacket, 150 N, adult, with light", "8", "74.90", "599.20"),
        ("Delivery to boatyard", "1", "25.00", "25.00"),
    ]
    y = paper.table(240, (50, -370, -460, -545), ("Description", "Quantity", "Unit price", "Amount"), rows)
    for label, value in (("Subtotal", "£1,209.70"), ("VAT 20%", "£241.94"), ("Total due", "£1,451.64")):
        paper.put(400, y + 10, label, 10, bold=label == "Total due")
        paper.put(545, y + 10, value, 10, bold=label == "Total due", right=True)
        y += 18
    paper.facts(50, y + 40, [("Payment terms", "30 days net"), ("IBAN", "GB29 NWBK 6016 1331 9268 19"), ("BIC", "NWBKGB2L")])
    return paper.pdf(), {
        "invoice_id": "HL-20418",
        "invoice_issue_date": "2026-04-17",
        "invoice_due_date": "2026-05-17",
        "order_id": "SSS/26/031",
        "customer_id": "C-0933",
        "issuer": "Harbour & Lane Chandlers Ltd",
        "issuer_vat_id": "GB 123 4567 82",
        "customer": "Skerry Sailing School",
        "customer_billing_address": {
            "street": "2 Lighthouse Road", "city": "Brackness", "state": None, "postal_code": "BN4 1TT", "country": "United Kingdom",
        },
        "items": [
            {"description": text, "quantity": float(quantity), "unit_price": float(price), "total_price": float(amount)}
            for text, quantity, price, amount in rows
        ],
        "subtotal": 1209.70,
        "tax": 241.94,
        "total": 1451.64,
        "currency": "GBP",
        "payment_terms": "30 days net",
        "iban": "GB29NWBK60161331926819",
        "bic": "NWBKGB2L",
    }  # fmt: skip


def cascade() -> tuple[bytes, Answer]:
    """Typed in an office, printed and scanned: Letter, American."""
    paper = Paper(LETTER)
    paper.put(50, 64, "CASCADE TOOL RENTAL INC.", 16, bold=True)
    paper.lines(50, 82, ["4410 Mill Avenue", "Spokane, WA 99201", "(509) 555-0117"], 9.5, 13)
    paper.put(560, 64, "Invoice", 18, bold=True, right=True)
    paper.facts(370, 92, [("Invoice #", "88-10452"), ("Date", "06/09/2026"), ("P.O. No.", "33-7731"), ("Due date", "07/09/2026")], gap=80)
    paper.put(50, 168, "Bill To:", 10, bold=True)
    paper.lines(50, 184, ["Fairlane Landscaping LLC", "902 Orchard Drive", "Cheney, WA 99004"])
    rows = [
        ("Mini excavator, daily rate", "3", "285.00", "855.00"),
        ("Plate compactor, daily rate", "2", "64.50", "129.00"),
        ("Trailer, tandem axle", "3", "48.00", "144.00"),
        ("Fuel surcharge", "1", "37.80", "37.80"),
    ]
    y = paper.table(260, (50, -360, -460, -560), ("Description", "Qty", "Rate", "Amount"), rows, 20)
    for label, value in (("Subtotal", "$1,165.80"), ("Sales tax 8.9%", "$103.76"), ("Total", "$1,269.56")):
        paper.put(400, y + 14, label, 10.5, bold=label == "Total")
        paper.put(560, y + 14, value, 10.5, bold=label == "Total", right=True)
        y += 20
    paper.put(50, y + 40, "Terms: Net 30")
    return png(paper.scans(130, 20260609)[0]), {
        "invoice_id": "88-10452",
        "invoice_issue_date": "2026-06-09",
        "invoice_due_date": "2026-07-09",
        "order_id": "33-7731",
        "customer_id": None,
        "issuer": "CASCADE TOOL RENTAL INC.",
        "issuer_address": {"street": "4410 Mill Avenue", "city": "Spokane", "state": "WA", "postal_code": "99201", "country": None},
        "customer": "Fairlane Landscaping LLC",
        "customer_billing_address": {
            "street": "902 Orchard Drive", "city": "Cheney", "state": "WA", "postal_code": "99004", "country": None,
        },
        "items": [
            {"description": text, "quantity": float(quantity), "unit_price": float(price), "total_price": float(amount)}
            for text, quantity, price, amount in rows
        ],
        "subtotal": 1165.80,
        "tax": 103.76,
        "total": 1269.56,
        "currency": "USD",
        "payment_terms": "Net 30",
        "iban": None,
    }  # fmt: skip


def joinery() -> tuple[bytes, Answer]:
    """German, with a text layer."""
    paper = Paper()
    paper.put(50, 60, "Tischlerei Ahlgrimm GmbH", 14, bold=True)
    paper.lines(50, 76, ["Werkstraße 9, 24937 Flensburg", "USt-IdNr.: DE123456788"], 8.5, 12)
    paper.lines(50, 130, ["Pension Dünenblick", "Strandweg 41", "25980 Sylt"])
    paper.put(50, 215, "Rechnung", 16, bold=True)
    paper.facts(
        330,
        130,
        [
            ("Rechnungsnummer", "2026-0287"),
            ("Rechnungsdatum", "11.05.2026"),
            ("Kundennummer", "10344"),
            ("Zahlbar bis", "25.05.2026"),
        ],
    )
    rows = [
        ("Einbauschrank Eiche, nach Maß", "2", "1.480,00", "2.960,00"),
        ("Fensterbank, geölt", "6", "89,50", "537,00"),
        ("Montage vor Ort, Stunden", "9,5", "62,00", "589,00"),
    ]
    y = paper.table(245, (50, -360, -450, -545), ("Bezeichnung", "Menge", "Einzelpreis", "Gesamtpreis"), rows)
    for label, value in (("Nettobetrag", "4.086,00 €"), ("USt. 19 %", "776,34 €"), ("Rechnungsbetrag", "4.862,34 €")):
        paper.put(380, y + 10, label, 10, bold=label == "Rechnungsbetrag")
        paper.put(545, y + 10, value, 10, bold=label == "Rechnungsbetrag", right=True)
        y += 18
    paper.facts(50, y + 40, [("IBAN", "DE89 3704 0044 0532 0130 00"), ("BIC", "COBADEFFXXX")])
    return paper.pdf(), {
        "invoice_id": "2026-0287",
        "invoice_issue_date": "2026-05-11",
        "invoice_due_date": "2026-05-25",
        "customer_id": "10344",
        "issuer": "Tischlerei Ahlgrimm GmbH",
        "issuer_vat_id": "DE123456788",
        "customer": "Pension Dünenblick",
        "items": [
            {"description": "Einbauschrank Eiche, nach Maß", "quantity": 2, "unit_price": 1480.0, "total_price": 2960.0},
            {"description": "Fensterbank, geölt", "quantity": 6, "unit_price": 89.5, "total_price": 537.0},
            {"description": "Montage vor Ort, Stunden", "quantity": 9.5, "unit_price": 62.0, "total_price": 589.0},
        ],
        "subtotal": 4086.00,
        "tax": 776.34,
        "total": 4862.34,
        "currency": "EUR",
        "iban": "DE89370400440532013000",
        "bic": "COBADEFFXXX",
    }


def slate(number: str, dates: tuple[str, str], order: str, total: str) -> list[tuple[str, str]]:
    """The head of an invoice of a firm with words of its own, which the skill learns from `resources/`."""
    return [("Folio", number), ("Drawn", dates[0]), ("Settle before", dates[1]), ("Against", order), ("Reckoning", total)]


def slate_learned() -> tuple[bytes, Answer]:
    """Text, so that it also serves where only text is learned from."""
    head = slate("SQ-5510", ("3 February 2026", "5 March 2026"), "ORD-118", "£1,104.00")
    text = "Cwm Slate Quarries Ltd\nPenrallt Works, Bethesda LL57 3AA\n\nInvoice\n\n" + "".join(f"{a}: {b}\n" for a, b in head)
    return text.encode(), {
        "invoice_id": "SQ-5510",
        "invoice_issue_date": "2026-02-03",
        "invoice_due_date": "2026-03-05",
        "order_id": "ORD-118",
        "issuer": "Cwm Slate Quarries Ltd",
        "total": 1104.00,
    }


def slate_asked() -> tuple[bytes, Answer]:
    """A later invoice of the same firm."""
    paper = Paper()
    paper.put(50, 62, "Cwm Slate Quarries Ltd", 15, bold=True)
    paper.put(50, 80, "Penrallt Works, Bethesda LL57 3AA", 9)
    paper.put(50, 130, "Invoice", 16, bold=True)
    paper.facts(50, 160, slate("SQ-5627", ("14 September 2026", "14 October 2026"), "ORD-164", "£2,310.40"))
    paper.put(50, 270, "Heather blue roofing slate, 500 x 250 mm, delivered to site.", 10)
    return paper.pdf(), {
        "invoice_id": "SQ-5627",
        "invoice_issue_date": "2026-09-14",
        "invoice_due_date": "2026-10-14",
        "order_id": "ORD-164",
        "issuer": "Cwm Slate Quarries Ltd",
        "total": 2310.40,
        "currency": "GBP",
    }


# --- receipts ------------------------------------------------------------------------------------------------------


def till(rows: Sequence[str], seed: int, columns: int = 38) -> bytes:
    """A strip of till paper as a scanner gives it."""
    font = ImageFont.truetype(MONO, 22)
    width = int(font.getlength("0" * columns)) + 72
    paper = Image.new("L", (width, 34 * len(rows) + 72), 252)
    draw = ImageDraw.Draw(paper)
    for number, row in enumerate(rows):
        draw.text((36, 36 + 34 * number), row, font=font, fill=40)
    grain = np.random.default_rng(seed)
    turned = paper.filter(ImageFilter.GaussianBlur(0.5)).rotate(float(grain.uniform(-0.6, 0.6)), Image.Resampling.BICUBIC, fillcolor=252)
    noisy = np.asarray(turned, dtype=np.float32) - 6 + grain.normal(0, 3, (turned.height, turned.width))
    return png(Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)))


def grocer() -> tuple[bytes, Answer]:
    """A grocer's till receipt."""
    items = [
        ("WHOLE MILK 2L", 1, 2.15),
        ("SOURDOUGH LOAF", 1, 4.60),
        ("BANANAS KG", 2, 1.35),
        ("CHEDDAR MATURE", 1, 5.25),
        ("DISH SOAP LEMON", 2, 2.05),
    ]
    both = lambda left, right: f"{left}{right:>{38 - len(left)}}"  # noqa: E731
    rows = [
        "BIRCHWOOD GROCERS".center(38),
        "57 Elm Street, Dover, NH 03820".center(38),
        "Tel (603) 555-0164".center(38),
        "-" * 38,
        both("Date 08/21/2026", "Time 17:26"),
        both("Receipt No 3-00918", "Cashier Ines"),
        "-" * 38,
        f"{'ITEM':<18}{'QTY':>4}{'PRICE':>7}{'AMOUNT':>9}",
        *(f"{text:<18}{quantity:>4}{price:>7.2f}{quantity * price:>9.2f}" for text, quantity, price in items),
        "-" * 38,
        both("SUBTOTAL", "18.80"),
        both("TAX", "0.41"),
        both("TOTAL", "$19.21"),
        both("VISA ************7730", "19.21"),
        "-" * 38,
        "THANK YOU".center(38),
    ]
    return till(rows, 20260821), {
        "merchant_name": "BIRCHWOOD GROCERS",
        "merchant_phone": "(603) 555-0164",
        "receipt_id": "3-00918",
        "transaction_date": "2026-08-21",
        "transaction_time": "17:26",
        "cashier_name": "Ines",
        "items": [
            {"description": text, "quantity": quantity, "unit_price": price, "total_price": round(quantity * price, 2)}
            for text, quantity, price in items
        ],
        "subtotal": 18.80,
        "tax": 0.41,
        "tip": None,
        "total": 19.21,
        "currency": "USD",
        "card_last_4": "7730",
    }


def diner() -> tuple[bytes, Answer]:
    """A restaurant's check with a tip."""
    items = [
        ("Tomato soup", 2, 7.50),
        ("Grilled trout", 1, 21.00),
        ("Mushroom risotto", 1, 18.50),
        ("House lemonade", 3, 4.25),
        ("Apple crumble", 1, 8.00),
    ]
    both = lambda left, right: f"{left}{right:>{38 - len(left)}}"  # noqa: E731
    rows = [
        "The Copper Kettle".center(38),
        "12 Station Road, Hexley".center(38),
        "",
        both("Check # 4471", "Table 9"),
        both("Server Dale", "02/05/2026 20:14"),
        "",
        *(f"{quantity} {text:<26}{quantity * price:>10.2f}" for text, quantity, price in items),
        "",
        both("Subtotal", "75.25"),
        both("Tax", "6.02"),
        both("Gratuity", "15.00"),
        both("Total", "$96.27"),
        "",
        both("Mastercard", "xxxx 2046"),
    ]
    return till(rows, 20260205), {
        "merchant_name": "The Copper Kettle",
        "receipt_id": "4471",
        "transaction_time": "20:14",
        "cashier_name": "Dale",
        "items": [{"description": text, "quantity": quantity, "total_price": quantity * price} for text, quantity, price in items],
        "subtotal": 75.25,
        "tax": 6.02,
        "tip": 15.00,
        "total": 96.27,
        "currency": "USD",
        "card_last_4": "2046",
    }


def ticket() -> tuple[bytes, Answer]:
    """A receipt by e-mail, printed to a PDF."""
    paper = Paper(LETTER)
    paper.put(60, 70, "Northline Ferries", 16, bold=True)
    paper.put(60, 88, "Pier 2, Anacortes, WA 98221", 9)
    paper.put(60, 100, "Tel (360) 555-0139", 9)
    paper.put(60, 126, "Receipt", 14, bold=True)
    y = paper.facts(60, 152, [("Receipt number", "NF-7720431"), ("Date", "July 3, 2026"), ("Time", "9:05 AM")])
    rows = [("Vehicle under 22 ft", "1", "52.40", "52.40"), ("Adult passenger", "2", "16.85", "33.70"), ("Bicycle", "2", "4.00", "8.00")]
    y = paper.table(y + 20, (60, -350, -450, -550), ("Item", "Qty", "Price", "Amount"), rows)
    for label, value in (("Subtotal", "94.10"), ("Tax", "0.00"), ("Total paid", "USD 94.10")):
        paper.put(380, y + 8, label, 10, bold=label == "Total paid")
        paper.put(550, y + 8, value, 10, bold=label == "Total paid", right=True)
        y += 17
    paper.put(60, y + 30, "Paid with Visa ending in 5518")
    return paper.pdf(), {
        "merchant_name": "Northline Ferries",
        "merchant_phone": "(360) 555-0139",
        "receipt_id": "NF-7720431",
        "transaction_date": "2026-07-03",
        "transaction_time": "9:05 AM",
        "items": [
            {"description": text, "quantity": float(quantity), "unit_price": float(price), "total_price": float(amount)}
            for text, quantity, price, amount in rows
        ],
        "subtotal": 94.10,
        "tax": 0.00,
        "total": 94.10,
        "currency": "USD",
        "card_last_4": "5518",
    }


# --- referrals -----------------------------------------------------------------------------------------------------

REFERRAL = {
    "referral_date": "2026-10-06",
    "priority": "Urgent",
    "authorization_number": "AUTH-660182",
    "patient": {
        "name": "Rosalind Ekberg",
        "date_of_birth": "1961-03-18",
        "sex": "Female",
        "mrn": "MR-448120",
        "phone": "(207) 555-0188",
        "address": {"street": "31 Wharf Lane", "city": "Camden", "state": "ME", "postal_code": "04843"},
    },
    "insurance": {"payer": "Pine State Health Plan", "member_id": "PSH 9920 4417", "group_number": "G-2051"},
    "referring_provider": {
        "name": "Owen Tallis, MD",
        "npi": "1234567890",
        "practice": "Harbor Family Medicine",
        "phone": "(207) 555-0121",
        "fax": "(207) 555-0122",
    },
    "receiving_provider": {
        "name": "Mira Castellan, MD",
        "npi": "1987654320",
        "practice": "Penobscot Cardiology Associates",
        "phone": "(207) 555-0170",
        "fax": "(207) 555-0171",
    },
    "reason_for_referral": "Exertional chest tightness for six weeks, abnormal stress test",
    "services_requested": "Consultation and treatment",
    "diagnoses": [
        {"code": "I20.9", "description": "Angina pectoris, unspecified"},
        {"code": "I10", "description": "Essential hypertension"},
        {"code": "E78.5", "description": "Hyperlipidemia, unspecified"},
    ],
    "medications": [
        {"medication": "Lisinopril", "dose": "20 mg", "frequency": "once daily"},
        {"medication": "Atorvastatin", "dose": "40 mg", "frequency": "at bedtime"},
        {"medication": "Aspirin", "dose": "81 mg", "frequency": "once daily"},
    ],
    "allergies": "Penicillin",
}  # fmt: skip


def referral_form() -> tuple[bytes, Answer]:
    """A form of two pages from a practice's program, with a text layer."""
    paper = Paper(LETTER)
    paper.put(50, 60, "PATIENT REFERRAL FORM", 16, bold=True)
    paper.facts(50, 90, [("Date of referral", "10/06/2026"), ("Priority", "Urgent")])
    paper.facts(330, 90, [("Authorization number", "AUTH-660182")], gap=120)
    paper.put(50, 142, "Patient", 12, bold=True)
    paper.rule(147)
    patient = REFERRAL["patient"]
    paper.facts(50, 166, [("Patient name", patient["name"]), ("Date of birth", "03/18/1961"), ("Sex", "Female")])
    paper.facts(330, 166, [("MRN", patient["mrn"]), ("Phone", patient["phone"])], gap=60)
    paper.facts(50, 214, [("Address", "31 Wharf Lane, Camden, ME 04843")])
    paper.put(50, 252, "Referring provider", 12, bold=True)
    paper.rule(257)
    _provider(paper, 276, REFERRAL["referring_provider"])
    paper.put(50, 372, "Receiving provider", 12, bold=True)
    paper.rule(377)
    _provider(paper, 396, REFERRAL["receiving_provider"])
    paper.put(50, 492, "Diagnoses", 12, bold=True)
    paper.rule(497)
    rows = [(row["code"], row["description"]) for row in REFERRAL["diagnoses"]]
    paper.table(516, (50, 170), ("ICD-10 code", "Description"), rows)
    paper.put(50, 614, "Referral", 12, bold=True)
    paper.rule(619)
    paper.facts(
        50, 638, [("Reason for referral", REFERRAL["reason_for_referral"]), ("Services requested", REFERRAL["services_requested"])], gap=120
    )
    paper.put(560, 760, "Page 1 of 2", 8, right=True)
    paper.turn()
    paper.put(50, 60, "PATIENT REFERRAL FORM, continued", 12, bold=True)
    paper.put(50, 82, "Patient: Rosalind Ekberg   DOB 03/18/1961", 9)
    paper.put(50, 120, "Insurance", 12, bold=True)
    paper.rule(125)
    insurance = REFERRAL["insurance"]
    paper.facts(
        50,
        144,
        [("Insurance company", insurance["payer"]), ("Member ID", insurance["member_id"]), ("Group number", insurance["group_number"])],
    )
    paper.put(50, 216, "History", 12, bold=True)
    paper.rule(221)
    paper.facts(50, 240, [("Allergies", REFERRAL["allergies"])])
    paper.put(50, 284, "Current medications", 12, bold=True)
    rows = [(row["medication"], row["dose"], row["frequency"]) for row in REFERRAL["medications"]]
    y = paper.table(306, (50, 240, 350), ("Medication", "Dose", "Frequency"), rows)
    paper.put(50, y + 70, "Signed electronically by Owen Tallis, MD", 9)
    paper.put(560, 760, "Page 2 of 2", 8, right=True)
    return paper.pdf(), REFERRAL


def _provider(paper: Paper, y: float, who: dict[str, str]) -> None:
    paper.facts(50, y, [("Provider name", who["name"]), ("NPI", who["npi"]), ("Practice", who["practice"])])
    paper.facts(50, y + 48, [("Phone", who["phone"]), ("Fax", who["fax"])])


def referral_fax() -> tuple[bytes, Answer]:
    """A form that came by fax: no text layer, a header of the machine, two pages."""
    paper = Paper(LETTER)
    paper.put(50, 30, "FAX  2026-05-12 08:41  FROM 2065550150  P. 1/2", 8)
    paper.put(50, 70, "Cedar Hill Pediatrics", 15, bold=True)
    paper.put(50, 100, "REFERRAL REQUEST", 13, bold=True)
    paper.facts(50, 130, [("Referral date", "05/11/2026"), ("Priority", "Routine")], leading=20)
    paper.put(50, 186, "PATIENT INFORMATION", 11, bold=True)
    paper.facts(
        50, 208, [("Patient name", "Theo Marchetti"), ("DOB", "09/02/2017"), ("Sex", "Male"), ("Patient ID", "CH-30117")], leading=20
    )
    paper.put(50, 304, "REFERRING PROVIDER", 11, bold=True)
    paper.facts(50, 326, [("Name", "Ana Whitlock, NP"), ("Phone", "(206) 555-0149"), ("Fax", "(206) 555-0150")], leading=20)
    paper.put(50, 402, "RECEIVING PROVIDER", 11, bold=True)
    paper.facts(50, 424, [("Name", "Samir Haddad, MD"), ("Clinic", "Sound Allergy Clinic"), ("Phone", "(206) 555-0163")], leading=20)
    paper.facts(50, 504, [("Reason for referral", "Recurrent hives after meals")], gap=130)
    paper.put(50, 548, "DIAGNOSES", 11, bold=True)
    paper.table(572, (50, 170), ("Code", "Description"), [("L50.0", "Allergic urticaria"), ("J45.20", "Mild intermittent asthma")], 20)
    paper.turn()
    paper.put(50, 30, "FAX  2026-05-12 08:41  FROM 2065550150  P. 2/2", 8)
    paper.put(50, 70, "INSURANCE", 11, bold=True)
    paper.facts(50, 92, [("Carrier", "Evergreen Mutual"), ("Member ID", "EM-7719-02"), ("Group number", "88104")], leading=20)
    paper.facts(50, 178, [("Allergies", "NKDA")])
    paper.put(50, 222, "MEDICATIONS", 11, bold=True)
    rows = [("Cetirizine", "5 mg", "once daily"), ("Albuterol", "90 mcg", "as needed")]
    paper.table(246, (50, 220, 340), ("Medication", "Dose", "Frequency"), rows, 20)
    return fax(paper.scans(150, 20260512)), {
        "referral_date": "2026-05-11",
        "priority": "Routine",
        "authorization_number": None,
        "patient": {"name": "Theo Marchetti", "date_of_birth": "2017-09-02", "sex": "Male", "mrn": "CH-30117"},
        "insurance": {"payer": "Evergreen Mutual", "member_id": "EM-7719-02", "group_number": "88104"},
        "referring_provider": {"name": "Ana Whitlock, NP", "npi": None, "phone": "(206) 555-0149", "fax": "(206) 555-0150"},
        "receiving_provider": {"name": "Samir Haddad, MD", "npi": None, "practice": "Sound Allergy Clinic", "phone": "(206) 555-0163"},
        "reason_for_referral": "Recurrent hives after meals",
        "diagnoses": [
            {"code": "L50.0", "description": "Allergic urticaria"},
            {"code": "J45.20", "description": "Mild intermittent asthma"},
        ],
        "medications": [
            {"medication": "Cetirizine", "dose": "5 mg", "frequency": "once daily"},
            {"medication": "Albuterol", "dose": "90 mcg", "frequency": "as needed"},
        ],
        "allergies": "NKDA",
    }


# --- three forms ---------------------------------------------------------------------------------------------------


def expense_claim() -> tuple[bytes, Answer]:
    """A claim with a table, with a text layer."""
    paper = Paper()
    paper.put(50, 62, "Expense Claim", 18, bold=True)
    paper.facts(50, 96, [("Employee name", "Marit Solheim"), ("Employee ID", "E-2207"), ("Department", "Field Service")])
    paper.facts(310, 96, [("Claim date", "2 March 2026"), ("Cost centre", "4410"), ("Purpose", "Customer visit in Ghent")], gap=80)
    rows = [
        ("23 Feb 2026", "Train Antwerp to Ghent", "18.40"),
        ("23 Feb 2026", "Lunch with customer", "46.90"),
        ("24 Feb 2026", "Hotel, one night", "112.00"),
    ]
    y = paper.table(170, (50, 160, -545), ("Date", "Description", "Amount"), rows)
    y = paper.facts(380, y + 10, [("Cash advance", "50.00"), ("Total claimed", "177.30")], gap=120)
    paper.facts(50, y + 30, [("Approved by", "Joost Peeters")])
    return paper.pdf(), _chosen(
        "expense_claim",
        {
            "employee_name": "Marit Solheim",
            "employee_id": "E-2207",
            "department": "Field Service",
            "cost_center": "4410",
            "claim_date": "2026-03-02",
            "purpose": "Customer visit in Ghent",
            "expenses": [
                {"date": "2026-02-23", "description": "Train Antwerp to Ghent", "amount": 18.40},
                {"date": "2026-02-23", "description": "Lunch with customer", "amount": 46.90},
                {"date": "2026-02-24", "description": "Hotel, one night", "amount": 112.00},
            ],
            "advance": 50.00,
            "total": 177.30,
            "approved_by": "Joost Peeters",
        },
    )


def leave_request() -> tuple[bytes, Answer]:
    """Filled in, printed and scanned."""
    paper = Paper()
    paper.put(50, 70, "REQUEST FOR LEAVE", 17, bold=True)
    paper.facts(
        50,
        112,
        [
            ("Employee name", "Callum Reyes"),
            ("Employee ID", "E-1874"),
            ("Department", "Warehouse"),
            ("Type of leave", "Annual leave"),
            ("First day", "13 July 2026"),
            ("Last day", "24 July 2026"),
            ("Working days", "10"),
            ("Substitute", "Hana Novak"),
            ("Date of request", "4 May 2026"),
            ("Approved by", "Priya Nair"),
        ],
        gap=140,
        leading=26,
    )
    return png(paper.scans(110, 20260504)[0]), _chosen(
        "leave_request",
        {
            "employee_name": "Callum Reyes",
            "employee_id": "E-1874",
            "department": "Warehouse",
            "leave_type": "Annual leave",
            "first_day": "2026-07-13",
            "last_day": "2026-07-24",
            "working_days": 10,
            "substitute": "Hana Novak",
            "request_date": "2026-05-04",
            "approved_by": "Priya Nair",
        },
    )


def job_application() -> tuple[bytes, Answer]:
    """A form with two tables, with a text layer."""
    paper = Paper(LETTER)
    paper.put(50, 62, "Application for Employment", 17, bold=True)
    paper.facts(
        50,
        96,
        [
            ("Applicant name", "Ingrid Vasquez"),
            ("Position applied for", "Optical Technician"),
            ("E-mail", "ingrid.vasquez@post.example"),
            ("Phone", "(541) 555-0126"),
            ("Available from", "September 1, 2026"),
            ("Desired salary", "$58,000"),
        ],
        gap=130,
    )
    paper.put(50, 216, "Education", 12, bold=True)
    schools = [("Lane Technical College", "Diploma in Optics", "2019"), ("Cascade High School", "Diploma", "2016")]
    paper.table(236, (50, 260, -560), ("School", "Degree", "Year"), schools)
    paper.put(50, 320, "Previous employment", 12, bold=True)
    jobs = [("Brightwater Instruments", "Lens Polisher", "2019", "2023"), ("Fernhill Labs", "Junior Technician", "2023", "2026")]
    paper.table(340, (50, 230, 400, 490), ("Employer", "Job title", "Start", "End"), jobs)
    paper.facts(50, 420, [("Date of application", "June 15, 2026")], gap=130)
    return paper.pdf(), _chosen(
        "job_application",
        {
            "applicant_name": "Ingrid Vasquez",
            "position": "Optical Technician",
            "email": "ingrid.vasquez@post.example",
            "phone": "(541) 555-0126",
            "available_from": "2026-09-01",
            "desired_salary": 58000,
            "education": [
                {"school": "Lane Technical College", "degree": "Diploma in Optics", "year": 2019},
                {"school": "Cascade High School", "degree": "Diploma", "year": 2016},
            ],
            "employment": [
                {"employer": "Brightwater Instruments", "job_title": "Lens Polisher", "start": "2019", "end": "2023"},
                {"employer": "Fernhill Labs", "job_title": "Junior Technician", "start": "2023", "end": "2026"},
            ],
            "application_date": "2026-06-15",
        },
    )


def parking_notice() -> tuple[bytes, Answer]:
    """None of the three."""
    paper = Paper()
    paper.put(50, 70, "Notice to all tenants", 16, bold=True)
    text = (
        "The car park behind the north building will be resurfaced in the week after Easter. Please use the gravel area by the river "
        "in the meantime. Bicycles can stay where they are. We thank you for your patience and will let you know when the work is done."
    )
    paper.paragraph(50, 110, text, 480, 11)
    paper.put(50, 220, "Your property management", 11)
    return paper.pdf(), {"schemaUsed": None, "data": None}


def alike() -> tuple[bytes, Answer]:
    """None of the three either, though it has dates, amounts and a total as a claim has."""
    return harbour()[0], {"schemaUsed": None, "data": None}


def _chosen(name: str, data: Answer) -> Answer:
    return {"schemaUsed": name, "data": data}


# --- meetings and calls --------------------------------------------------------------------------------------------


def minutes() -> tuple[bytes, Answer]:
    """Minutes as an office program prints them."""
    paper = Paper()
    paper.put(50, 66, "Minutes of meeting", 16, bold=True)
    paper.facts(
        50,
        100,
        [
            ("Subject", "Tower 3 commissioning"),
            ("Date", "12 August 2026"),
            ("Time", "10:00"),
            ("Location", "Room Galileo"),
            ("Chaired by", "Hanna Lindqvist"),
            ("Minutes by", "Tom Osei"),
            ("Attendees", "Hanna Lindqvist, Tom Osei, Beatriz Moura, Kenji Arai"),
            ("Next meeting", "26 August 2026"),
        ],
    )
    paper.put(50, 260, "Decisions", 13, bold=True)
    decisions = ["The mirror drive is accepted with the new firmware", "Acceptance tests start on 1 September"]
    y = paper.lines(60, 282, [f"\u2022 {decision}" for decision in decisions], leading=18)
    paper.put(50, y + 20, "Action items", 13, bold=True)
    rows = [
        ("Order spare louvre blades", "Beatriz Moura", "19 August 2026"),
        ("Write the test protocol", "Kenji Arai", "26 August 2026"),
        ("Book the crane", "Tom Osei", "21 August 2026"),
    ]
    paper.table(y + 44, (50, 250, 400), ("Task", "Owner", "Due date"), rows)
    return paper.pdf(), {
        "title": "Tower 3 commissioning",
        "date": "2026-08-12",
        "start_time": "10:00",
        "location": "Room Galileo",
        "chair": "Hanna Lindqvist",
        "note_taker": "Tom Osei",
        "attendees": ["Hanna Lindqvist", "Tom Osei", "Beatriz Moura", "Kenji Arai"],
        "decisions": decisions,
        "action_items": [
            {"task": "Order spare louvre blades", "owner": "Beatriz Moura", "due_date": "2026-08-19"},
            {"task": "Write the test protocol", "owner": "Kenji Arai", "due_date": "2026-08-26"},
            {"task": "Book the crane", "owner": "Tom Osei", "due_date": "2026-08-21"},
        ],
        "next_meeting": "2026-08-26",
    }


def notes() -> tuple[bytes, Answer]:
    """Notes in Markdown, as somebody typed them during the meeting."""
    text = """# Spring catalogue, second round

**Date:** 3 February 2026
**Time:** 9:15
**Host:** Nadia Okafor

## Participants

- Nadia Okafor
- Piet Verhoeven
- Lucia Moreno

## Decisions

- The cover shows the new signal lamp
- Prices go up by three percent

## Action items

| Task | Owner | Due date |
|------|-------|----------|
| Ask the printer for a proof | Piet Verhoeven | 10 February 2026 |
| Write the page on mirrors | Lucia Moreno | 13 February 2026 |

Next meeting: 17 February 2026
"""
    return text.encode(), {
        "title": "Spring catalogue, second round",
        "date": "2026-02-03",
        "start_time": "9:15",
        "chair": "Nadia Okafor",
        "attendees": ["Nadia Okafor", "Piet Verhoeven", "Lucia Moreno"],
        "decisions": ["The cover shows the new signal lamp", "Prices go up by three percent"],
        "action_items": [
            {"task": "Ask the printer for a proof", "owner": "Piet Verhoeven", "due_date": "2026-02-10"},
            {"task": "Write the page on mirrors", "owner": "Lucia Moreno", "due_date": "2026-02-13"},
        ],
        "next_meeting": "2026-02-17",
    }


def transcript() -> tuple[bytes, Answer]:
    """A transcript as a conferencing program files it: a head, then who said what."""
    text = """Meeting: Weekly stock review
Date: 5 June 2026
Start time: 14:30
Host: Dana Whitfield
Participants: Dana Whitfield, Luis Ferrer, Mei Tanaka

[00:00:04] Dana Whitfield: Thanks for joining. Luis, how did the count go?
[00:00:11] Luis Ferrer: Shelf B is done. We are short of forty lamp housings.
[00:00:20] Mei Tanaka: The supplier can send them by the end of the month.
[00:00:31] Dana Whitfield: Good, then we wait for them and do not buy elsewhere.
[00:00:40] Luis Ferrer: I will recount shelf C before Friday.
[00:00:46] Dana Whitfield: Then we are done for today.

Next meeting: 12 June 2026
"""
    return text.encode(), {
        "title": "Weekly stock review",
        "date": "2026-06-05",
        "start_time": "14:30",
        "chair": "Dana Whitfield",
        "attendees": ["Dana Whitfield", "Luis Ferrer", "Mei Tanaka"],
        "next_meeting": "2026-06-12",
    }


def call() -> tuple[bytes, Answer]:
    """A transcript with the head that a call centre's program gives it."""
    text = """Call transcript

Call ID: CC-88213
Date: 9 September 2026
Start time: 11:02
Duration: 4 min 18 s
Agent: Sofia Brandt
Customer: Peter Amundsen
Phone: (312) 555-0175
Account number: 7710-3346
Order number: SO-55102
Reason for call: Lamp arrived with a cracked lens
Resolution: Replacement lens is sent free of charge
Follow-up: 16 September 2026

[00:00] Sofia Brandt: Good morning, you are speaking with Sofia. How can I help?
[00:06] Peter Amundsen: Hello, my signal lamp came yesterday and the lens is cracked.
[00:15] Sofia Brandt: I am sorry to hear that. May I have the order number?
[00:20] Peter Amundsen: It is S O five five one zero two.
[00:31] Sofia Brandt: Thank you. I will send you a new lens free of charge.
[00:40] Peter Amundsen: That would be great.
[00:44] Sofia Brandt: I will call you on the sixteenth to see that it has come.
"""
    return text.encode(), {
        "call_id": "CC-88213",
        "call_date": "2026-09-09",
        "start_time": "11:02",
        "duration": "4 min 18 s",
        "agent": "Sofia Brandt",
        "customer_name": "Peter Amundsen",
        "customer_phone": "(312) 555-0175",
        "account_number": "7710-3346",
        "order_number": "SO-55102",
        "reason": "Lamp arrived with a cracked lens",
        "resolution": "Replacement lens is sent free of charge",
        "follow_up_date": "2026-09-16",
    }


def ticket_record() -> tuple[bytes, Answer]:
    """The record of a call as a help desk prints it."""
    paper = Paper()
    paper.put(50, 66, "Service call record", 16, bold=True)
    paper.facts(
        50,
        100,
        [
            ("Ticket", "HD-40077"),
            ("Call date", "22 January 2026"),
            ("Handled by", "Noel Achterberg"),
            ("Customer name", "Yara Haddad"),
            ("Callback number", "(418) 555-0192"),
            ("Reason for call", "Shutter does not close at dusk"),
            ("Resolution", "Light sensor was cleaned on the advice of the agent"),
            ("Follow-up date", "29 January 2026"),
        ],
        gap=130,
        leading=20,
    )
    return paper.pdf(), {
        "call_id": "HD-40077",
        "call_date": "2026-01-22",
        "agent": "Noel Achterberg",
        "customer_name": "Yara Haddad",
        "customer_phone": "(418) 555-0192",
        "order_number": None,
        "reason": "Shutter does not close at dusk",
        "resolution": "Light sensor was cleaned on the advice of the agent",
        "follow_up_date": "2026-01-29",
    }


DRAWN: dict[str, Callable[[], tuple[bytes, Answer]]] = {
    "invoice-extraction/examples/chandlers.pdf": harbour,
    "invoice-extraction/examples/tool-rental-scan.png": cascade,
    "invoice-extraction/examples/joinery-german.pdf": joinery,
    "invoice-extraction/examples/slate-words-of-its-own.pdf": slate_asked,
    "invoice-extraction/resources/slate.txt": slate_learned,
    "receipt-extraction/examples/grocer-scan.png": grocer,
    "receipt-extraction/examples/restaurant-scan.png": diner,
    "receipt-extraction/examples/ferry.pdf": ticket,
    "patient-referral/examples/form.pdf": referral_form,
    "patient-referral/examples/fax.pdf": referral_fax,
    "multi-form-classification/examples/expense-claim.pdf": expense_claim,
    "multi-form-classification/examples/leave-request-scan.png": leave_request,
    "multi-form-classification/examples/job-application.pdf": job_application,
    "multi-form-classification/examples/none-of-them.pdf": parking_notice,
    "multi-form-classification/examples/none-but-alike.pdf": alike,
    "meeting-notes/examples/minutes.pdf": minutes,
    "meeting-notes/examples/notes.md": notes,
    "meeting-notes/examples/transcript.txt": transcript,
    "call-summary/examples/transcript.txt": call,
    "call-summary/examples/record.pdf": ticket_record,
}


def main() -> None:
    """Write every example with its answer beside it."""
    for name, draw in DRAWN.items():
        path = SKILLS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content, answer = draw()
        path.write_bytes(content)
        path.with_suffix(".json").write_text(json.dumps(answer, indent=1, ensure_ascii=False) + "\n", "utf-8")
        print(f"{name}: {len(content) / 1024:.1f} KiB")


if __name__ == "__main__":
    main()
