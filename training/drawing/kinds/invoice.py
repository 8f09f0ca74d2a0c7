"""Invoices of twelve countries in seven languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from training.drawing.content import (
    Column,
    Content,
    Entries,
    Entry,
    Grid,
    Heading,
    Json,
    Letterhead,
    Line,
    Lines,
    Part,
    Piece,
    Side,
    Stamp,
    Title,
    Totals,
    entry,
    line,
    piece,
)
from training.drawing.kinds.schema import asked, day, number, rows, text
from training.drawing.world import Place, World, address_lines

SCHEMAS: dict[str, Json] = {
    "plain": asked(
        "Invoice",
        invoice_number=text("Number of the invoice"),
        issue_date=day("Date of issue"),
        due_date=day("Date by which to pay"),
        seller_name=text("Name of the seller"),
        buyer_name=text("Name of the buyer"),
        currency=text("Currency, ISO 4217"),
        tax_basis_total=number("Total without tax"),
        tax_total=number("Tax amount"),
        grand_total=number("Total with tax"),
        due_payable=number("Amount to pay"),
        lines=rows(
            "Items of the invoice", name=text("Name of the item"), quantity=number("Quantity"), line_total=number("Net amount of the line")
        ),
    ),
    "wide": asked(
        "Invoice",
        id=text("Invoice ID"),
        date=day("Invoice date"),
        delivery_date=day("Date of delivery"),
        purchase_order=text("Order number of the buyer"),
        customer_number=text("The customer's number"),
        vendor=text("Company that sends the invoice"),
        vendor_tax_id=text("VAT identification number of the vendor"),
        vendor_address=text("Address of the vendor"),
        vendor_phone=text("Telephone number of the vendor"),
        vendor_email=text("E-mail address of the vendor"),
        customer=text("Company or person the invoice is for"),
        customer_address=text("Address of the customer"),
        iban=text("IBAN to pay to"),
        payment_terms=text("Payment terms"),
        subtotal=number("Sum before tax"),
        shipping=number("Shipping costs"),
        tax=number("Tax"),
        total=number("Total of the invoice"),
        paid=number("Amount already paid"),
        absent=("passport_number", "blood_type", "flight_number"),
        items=rows(
            "Line items",
            description=text("What was sold"),
            quantity=number("How many"),
            unit_price=number("Price of one"),
            amount=number("Amount of the line"),
        ),
    ),
}
SAME = {
    "number": ("invoice_number", "id", "invoice_id"),
    "date": ("issue_date", "date", "invoice_issue_date"),
    "due": ("due_date", "invoice_due_date"),
    "delivered": ("delivery_date",),
    "order": ("purchase_order", "order_id"),
    "customer_number": ("customer_number", "customer_id"),
    "seller": ("seller_name", "vendor", "issuer", "issuer_name"),
    "buyer": ("buyer_name", "customer", "customer_name"),
    "net": ("tax_basis_total", "subtotal"),
    "tax": ("tax_total", "tax", "tax_amount"),
    "gross": ("grand_total", "total", "total_amount"),
    "paid": ("paid", "amount_paid"),
    "payable": ("due_payable", "balance_due"),
    "shipping": ("shipping", "shipping_cost"),
}
"""What the schemas, and that of the domain `document.invoice`, call the same thing."""

UNSCORED = (
    "notes",
    "terms_and_conditions",
    "footer_text",
    "page_information",
    "payment_instructions",
    "overall_tax_notes",
    "tax_percentage",
    "tax_description",
    "shipping_description",
    "discount_description",
    "issuer_website",
    "payment_link",
    "bank_details.account_holder_name",
    "balance_due",
)
"""Fields of the domain that say of the small print, or twice, what is a matter of taste."""


class Bill:
    """An invoice being invented: the sums agree."""

    def __init__(self, world: World, count: int) -> None:
        self.world = world
        self.rate = world.tax_rate()
        self.rows: list[tuple[str, Decimal, Decimal, Decimal]] = []
        for _ in range(count):
            quantity = Decimal(world.random.choice((1, 1, 1, 2, 3, 4, 5, 8, 10, 12, 25))) if world.chance(0.9) else Decimal("1.5")
            price = world.amount(0.8, 640)
            self.rows.append((world.goods(), quantity, price, (quantity * price).quantize(Decimal("0.01"))))
        self.shipping = world.amount(4, 40) if world.chance(0.2) else None
        self.net = sum((row[3] for row in self.rows), Decimal(0)) + (self.shipping or 0)
        self.tax = (self.net * self.rate / 100).quantize(Decimal("0.01"))
        self.gross = self.net + self.tax
        self.signed = world.chance(0.6)
        self.paid = (self.gross * Decimal("0.3")).quantize(Decimal("0.01")) if world.chance(0.15) else None


def content(random: Random) -> Content:
    """An invoice; some of its parts are left out by chance."""
    world = World.of(random)
    bill = Bill(world, random.choice((1, 2, 2, 3, 4, 5, 7, 10)))
    seller, buyer = world.firm(), world.firm() if world.chance(0.7) else world.person()
    home, away = world.place(), world.place()
    sent = world.day()
    labelled = world.chance(0.25)
    parts: list[Part] = []
    head = [line(seller, *SAME["seller"])] if not labelled else [line(seller.split(" ")[0])]
    if not labelled:
        head += _contact(world, seller, home)
    parts.append(Letterhead(head, mark=world.chance(0.3)))
    parts.append(Title(line(world.label("invoice"))))
    to = [line(buyer, *SAME["buyer"]), *address_lines(away, "customer_billing_address", whole="customer_address")]
    about = Entries(_about(world, sent))
    buyer_part = _under(world.label("bill_to"), to)
    if labelled:
        seller_part = _under(
            world.label("from"), [line(seller, *SAME["seller"]), *address_lines(home, "issuer_address", whole="vendor_address")]
        )
        parts += [Side([*seller_part], [*buyer_part]), about]
    else:
        left: list[Part] = [*buyer_part] if world.chance(0.7) else [Lines(to)]
        if world.chance(0.2):
            left += _under(world.label("ship_to"), [line(buyer), *address_lines(world.place(), "customer_shipping_address")])
        parts.append(Side(left, [about]) if world.chance(0.8) else Side([about], left))
    parts += [_table(world, bill), _totals(world, bill)]
    if world.chance(0.12):
        parts.append(Stamp(world.pick("PAID", "COPY", "DUPLICATE")))
    parts += _payment(world, seller)
    if world.chance(0.5):
        parts.append(Lines([line(world.note())], small=True))
    footer = [line(world.label("page").format(n=1, m=1))] if world.chance(0.3) else []
    given: dict[str, Json] = {"currency": world.currency} if bill.signed else {}
    return Content(parts, "letter" if world.code in {"US", "CA"} else "a4", world.pick(*SCHEMAS), footer, given, UNSCORED)


def of_the_domain(random: Random) -> Content:
    """An invoice to be asked with the schema of `document.invoice`."""
    return replace(content(random), schema="")


def _under(heading: str, lines: list[Line]) -> list[Part]:
    return [Entries([Entry(heading, lines)], way="above", columns=1)]


def _contact(world: World, firm: str, place: Place) -> list[Line]:
    made = address_lines(place, "issuer_address", whole="vendor_address", joined=world.chance(0.4))
    reach: list[Piece] = []
    if world.chance(0.7):
        reach += [piece(world.label("phone") + " "), piece(world.phone(), "vendor_phone", "issuer_phone")]
    if world.chance(0.5):
        reach += [
            piece("  " if reach else ""),
            piece(f"{world.pick('info', 'office', 'sales', 'hello')}@{world.domain(firm)}", "vendor_email"),
        ]
    if reach:
        made.append(tuple(reach))
    if world.chance(0.6):
        made.append((piece(world.label("vat") + " "), piece(world.tax_number(), "vendor_tax_id", "issuer_vat_id")))
    return made


def _about(world: World, sent: date) -> list[Entry]:
    made = [entry(world.label("number"), shown := world.reference(), *SAME["number"], value=shown)]
    made.append(entry(world.label("date"), world.shown_day(sent), *SAME["date"], value=sent.isoformat()))
    if world.chance(0.5):
        due = sent + timedelta(days=world.random.choice((8, 14, 30, 45)))
        made.append(entry(world.label("due"), world.shown_day(due), *SAME["due"], value=due.isoformat()))
    if world.chance(0.35):
        gone = sent - timedelta(days=world.random.randint(1, 9))
        made.append(entry(world.label("delivered"), world.shown_day(gone), *SAME["delivered"], value=gone.isoformat()))
    if world.chance(0.4):
        made.append(entry(world.label("order"), world.reference(), *SAME["order"]))
    if world.chance(0.4):
        made.append(entry(world.label("customer_number"), world.code_like("4####"), *SAME["customer_number"]))
    if world.chance(0.25):
        made.append(entry(world.label("contact"), world.person()))
    if world.chance(0.3):
        made.append(entry(world.label("terms"), world.label("terms_text"), "payment_terms"))
    if world.chance(0.4):
        world.random.shuffle(made)
    return made


def _table(world: World, bill: Bill) -> Grid:
    numbered, coded, united, taxed = world.chance(0.4), world.chance(0.3), world.chance(0.25), world.chance(0.25)
    priced, early = world.chance(0.85), world.chance(0.25)
    unit, code = world.pick("pc", "h", "kg", "m"), "@@-####"
    sign = bill.signed and world.chance(0.5)
    columns: list[tuple[str, Column]] = [("item", Column(world.label("item"), 3.2))]
    quantity = [("quantity", Column(world.label("quantity"), 0.9, right=True))]
    columns = quantity + columns if early else columns + quantity
    if united:
        columns.append(("unit", Column(world.label("unit"), 0.7)))
    if priced:
        columns.append(("price", Column(world.label("price"), 1.2, right=True)))
    if taxed:
        columns.append(("rate", Column(world.label("rate"), 0.8, right=True)))
    columns.append(("amount", Column(world.label("amount"), 1.3, right=True)))
    if coded:
        columns.insert(0, ("code", Column(world.label("code"), 1.1)))
    if numbered:
        columns.insert(0, ("position", Column(world.label("position"), 0.5)))
    made: list[list[Piece]] = []
    for number_, (name, count, price, amount) in enumerate(bill.rows):
        at = (f"lines.{number_}", f"items.{number_}")
        shown = f"{count.normalize():f}".replace(".", world.places["numbers"][5])
        cells = {
            "position": piece(str(number_ + 1)),
            "code": piece(world.code_like(code)),
            "item": piece(name, f"{at[0]}.name", f"{at[1]}.description"),
            "quantity": piece(shown, f"{at[0]}.quantity", f"{at[1]}.quantity", value=float(count)),
            "unit": piece(unit),
            "price": piece(world.shown_amount(price, sign=sign), f"{at[1]}.unit_price", value=float(price)),
            "rate": piece(f"{bill.rate.normalize():f}%"),
            "amount": piece(
                world.shown_amount(amount, sign=sign), f"{at[0]}.line_total", f"{at[1]}.amount", f"{at[1]}.total_price", value=float(amount)
            ),
        }
        made.append([cells[key] for key, _ in columns])
    return Grid([column for _, column in columns], made)


def _totals(world: World, bill: Bill) -> Totals:
    def shown(name: str, value: Decimal, *more: str) -> Entry:
        rate = f"{bill.rate.normalize():f}".replace(".", world.places["numbers"][5])
        return entry(world.label(name).format(r=rate), world.shown_amount(value, sign=bill.signed), *SAME[name], *more, value=float(value))

    made = [shown("shipping", bill.shipping)] if bill.shipping is not None else []
    made += [
        shown("net", bill.net),
        shown("tax", bill.tax),
        shown("gross", bill.gross, *(() if bill.paid is not None else SAME["payable"])),
    ]
    strong = len(made) - 1
    if bill.paid is not None:
        made += [shown("paid", bill.paid), shown("payable", bill.gross - bill.paid)]
    return Totals(made, strong)


def _payment(world: World, seller: str) -> list[Part]:
    if world.chance(0.45):
        return []
    bank = [
        entry(world.label("bank"), world.label("bank_name")),
        entry("IBAN", world.iban(), "iban"),
        entry("BIC", world.code_like("@@@@DEFFXXX")),
    ]
    made: list[Part] = [Heading(world.label("bank"))] if world.chance(0.3) else []
    return [*made, Entries(bank if world.chance(0.8) else [*bank, entry(world.label("from"), seller)], columns=world.random.choice((1, 3)))]
