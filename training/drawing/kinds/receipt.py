"""Till receipts on narrow thermal paper."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from random import Random

from training.drawing.content import (
    Column,
    Content,
    Entries,
    Entry,
    Grid,
    Json,
    Letterhead,
    Line,
    Lines,
    Part,
    Piece,
    Title,
    Totals,
    entry,
    line,
    piece,
)
from training.drawing.kinds.schema import asked, day, number, rows, text
from training.drawing.world import World, address_lines

SCHEMAS: dict[str, Json] = {
    "plain": asked(
        "Receipt",
        company=text("Name of the business that issued the receipt"),
        date=day("Date of the receipt"),
        address=text("Address of the business"),
        total=number("Total amount of the receipt"),
        absent=("iban", "passport_number", "blood_type", "vehicle_vin"),
    ),
    "wide": asked(
        "Purchase",
        merchant=text("Shop"),
        merchant_phone=text("Telephone of the shop"),
        receipt_number=text("Number of the receipt"),
        purchase_date=day("Day of the purchase"),
        cashier=text("Who served"),
        subtotal=number("Sum before tax"),
        tax=number("Tax"),
        total_amount=number("Amount to pay"),
        cash_given=number("Cash given"),
        change=number("Change given back"),
        items=rows(
            "What was bought", description=text("Name of the item"), quantity=number("How many"), amount=number("Price of the line")
        ),
        absent=("iban", "flight_number", "isbn"),
    ),
}
UNSCORED = ("notes", "others", "return_policy", "payment_method", "additional_charges", "currency", "barcode")
"""Fields of the domain `document.receipt` of which it would be a matter of taste what is true."""
TOTAL = ("total", "total_amount")


def content(random: Random) -> Content:
    """A receipt: shop, day, what was bought, what was paid."""
    world = World.of(random)
    shop, place, day_ = world.firm(bare=world.chance(0.3)), world.place(), world.day()
    upper = world.chance(0.6)

    def cased(text_: str) -> str:
        return text_.upper() if upper else text_

    shop = cased(shop)
    address: list[Line] = address_lines(place, "merchant_address", whole="address", joined=world.chance(0.4))
    address = [
        tuple(Piece(cased(part.text), {path: cased(value) for path, value in part.answers.items()}) for part in row) for row in address
    ]
    head = [line(shop, "company", "merchant", "merchant_name"), *address]
    if world.chance(0.6):
        head.append((piece(f"{world.label('phone')}: "), piece(world.phone(), "merchant_phone")))
    if world.chance(0.5):
        head.append(line(f"{world.label('vat')}: {world.tax_number()}"))
    parts: list[Part] = [Letterhead(head)]
    if title := world.label("receipt"):
        parts.append(Title(line(title)))
    about = [_when(world, day_.isoformat(), world.shown_day(day_))]
    if world.chance(0.7):
        about.append(entry(world.label("receipt_number"), world.reference(), "receipt_number", "receipt_id"))
    if world.chance(0.4):
        about.append(entry(world.label("cashier"), world.names()[0], "cashier", "cashier_name"))
    if world.chance(0.3):
        about.append(entry(world.label("register"), f"0{random.randint(1, 9)}", "register_number"))
    random.shuffle(about)
    late = world.chance(0.2)
    if not late:
        parts.append(Entries(about))
    goods = [
        (cased(world.goods()), random.choice((1, 1, 1, 2, 3)), world.amount(0.6, 60)) for _ in range(random.choice((1, 2, 3, 4, 6, 9)))
    ]
    parts.append(_goods(world, goods))
    parts.append(_sums(world, goods))
    if late:
        parts.append(Entries(about))
    thanks = world.label("thanks")
    parts.append(Lines([line(cased(thanks))]))
    paper = "thermal" if world.chance(0.9) else "a4"
    return Content(parts, paper, world.pick(*SCHEMAS), unscored=UNSCORED)


def of_the_domain(random: Random) -> Content:
    """A receipt to be asked with the schema of `document.receipt`."""
    return replace(content(random), schema="")


def _when(world: World, iso: str, shown: str) -> Entry:
    hour = f"{world.random.randint(8, 21):02}:{world.random.randint(0, 59):02}"
    hour += f":{world.random.randint(0, 59):02}" if world.chance(0.3) else ""
    timed = world.random.randrange(4)
    full = f"{iso}T{(hour if len(hour) > 5 else hour + ':00') if timed < 3 else '00:00:00'}Z"
    day_ = Piece(shown, {"date": iso, "purchase_date": iso, "transaction_date": full})
    if timed == 0:
        return Entry(world.label("date"), [(day_, piece(" "), Piece(hour, {"transaction_date": full}))])
    if timed < 3:
        return Entry(world.label("date"), [(day_, piece(f"   {world.label('time')}: "), Piece(hour, {"transaction_date": full}))])
    return Entry(world.label("date"), [(day_,)])


def _goods(world: World, goods: list[tuple[str, int, Decimal]]) -> Grid:
    made: list[list[Piece]] = []
    doubled = world.chance(0.35)
    headed = not doubled and world.chance(0.5)
    for number_, (name, count, price) in enumerate(goods):
        at, total = f"items.{number_}", price * count
        amount = piece(world.shown_amount(total, sign=False), f"{at}.amount", f"{at}.total_price", value=float(total))
        named = piece(name, f"{at}.description")
        if doubled:
            counted = piece(f"{count} x {world.shown_amount(price, sign=False)}")
            made += [[named, piece("")], [counted, amount]]
        elif headed:
            made.append(
                [
                    named,
                    piece(str(count), f"{at}.quantity", value=count),
                    piece(world.shown_amount(price, sign=False), f"{at}.unit_price", value=float(price)),
                    amount,
                ]
            )
        else:
            made.append([named, amount])
    if headed:
        labels = [world.label(name) for name in ("item", "quantity", "price", "amount")]
        return Grid(
            [Column(labels[0], 2.4), Column(labels[1], 0.9, True), Column(labels[2], 1.3, True), Column(labels[3], 1.4, True)], made
        )
    return Grid([Column("", 2.6), Column("", 1, True)], made)


def _sums(world: World, goods: list[tuple[str, int, Decimal]]) -> Totals:
    gross = sum((price * count for _, count, price in goods), Decimal(0))
    rate = world.tax_rate()
    tax = (gross * rate / (100 + rate)).quantize(Decimal("0.01"))
    signed = world.chance(0.3)

    def shown(label: str, value: Decimal, *paths: str) -> Entry:
        shown_rate = f"{rate.normalize():f}"
        return entry(world.label(label).format(r=shown_rate), world.shown_amount(value, sign=signed), *paths, value=float(value))

    made: list[Entry] = []
    if world.chance(0.5):
        made.append(shown("subtotal", gross - tax, "subtotal"))
    taxed = world.chance(0.6)
    if taxed and made:
        made.append(shown("receipt_tax", tax, "tax"))
    if world.chance(0.2):
        made.append(shown("rounding", Decimal("0.00")))
    made.append(shown("receipt_total", gross, *TOTAL))
    strong = len(made) - 1
    if world.chance(0.5):
        given = (gross // 10 + 1) * 10
        made += [
            shown("cash", given.quantize(Decimal("0.01")), "cash_given"),
            shown("change", (given - gross).quantize(Decimal("0.01")), "change"),
        ]
    if taxed and len(made) and not any("tax" in part.answers for item in made for row in item.lines for part in row):
        made.append(shown("receipt_tax", tax, "tax"))
    if world.chance(0.3):
        made.append(entry(world.label("count"), str(sum(count for _, count, _ in goods))))
    return Totals(made, strong)
