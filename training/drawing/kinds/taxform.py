"""Statements of income, tax and benefits in numbered boxes, as payers and employers hand them out."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from training.drawing.content import BoxForm, Content, Entry, Json, Line, Lines, NumberedBox, Part, Tick, Ticks, Title, entry, line, piece
from training.drawing.kinds.schema import asked, flag, text
from training.drawing.world import World, address_lines

MONEY = {
    "wages": "Wages, tips, other compensation",
    "rents": "Rents",
    "royalties": "Royalties",
    "other_income": "Other income",
    "federal_tax_withheld": "Federal income tax withheld",
    "state_tax_withheld": "State tax withheld",
    "state_income": "State income",
    "interest_income": "Interest income",
    "early_withdrawal_penalty": "Early withdrawal penalty",
    "unemployment_compensation": "Unemployment compensation",
    "fishing_proceeds": "Fishing boat proceeds",
    "medical_payments": "Medical and health care payments",
    "crop_insurance": "Crop insurance proceeds",
    "gross_proceeds": "Gross proceeds paid to an attorney",
    "excess_payments": "Excess golden parachute payments",
    "dividends": "Total ordinary dividends",
    "capital_gain": "Total capital gain distr.",
    "foreign_tax": "Foreign tax paid",
    "social_security_wages": "Social security wages",
    "medicare_wages": "Medicare wages and tips",
    "benefits_paid": "Benefits paid in the year",
    "benefits_repaid": "Benefits repaid to the agency",
    "pension_distribution": "Gross distribution",
    "taxable_amount": "Taxable amount",
}
WHO = {
    "payer_name": "Payer's name",
    "payer_address": "Payer's address",
    "payer_tin": "Payer's federal identification number",
    "recipient_name": "Recipient's name",
    "recipient_address": "Recipient's street address",
    "recipient_city": "City or town, state and ZIP code of the recipient",
    "recipient_tin": "Recipient's identification number",
    "account_number": "Account number",
    "tax_year": "Year of the statement",
    "state_number": "State number",
    "direct_sale": "Direct sales of $5,000 or more (box ticked)",
    "corrected": "Corrected statement (box ticked)",
}
SCHEMAS: dict[str, Json] = {
    "boxes": asked(
        "Statement of income",
        **{name: flag(words) if "ticked" in words else text(words) for name, words in WHO.items()},
        **{name: text(words) for name, words in MONEY.items()},
        absent=("blood_type", "vehicle_vin", "isbn", "flight_number"),
    )
}
"""Amounts are asked for as text: as printed in the box."""


def content(random: Random) -> Content:
    """A form of some of the boxes, in the order of their numbers; a third of them empty."""
    world = World.of(random, "US")
    payer, recipient = world.firm(), world.person() if world.chance(0.8) else world.firm()
    at_payer, at_recipient = world.place(), world.place()
    party, other = (
        world.pick(("PAYER'S", "RECIPIENT'S")[0], "EMPLOYER'S", "FILER'S"),
        world.pick("RECIPIENT'S", "EMPLOYEE'S", "BENEFICIARY'S"),
    )
    joined = world.chance(0.3)
    payer_lines: list[Line] = [line(payer, "payer_name"), *address_lines(at_payer, whole="payer_address")]
    if not joined:
        who = [
            NumberedBox(
                "",
                Entry(
                    f"{party} name, street address, city or town, state, ZIP code, and telephone no.", [*payer_lines, line(world.phone())]
                ),
                2,
            )
        ]
    else:
        who = [
            NumberedBox("", Entry(f"{party} name", payer_lines[:1]), 2),
            NumberedBox("", Entry(f"{party} address and ZIP code", payer_lines[1:]), 2),
        ]
    shown = _recipient(world, other, recipient)
    street, city = address_lines(at_recipient)
    ids = [
        NumberedBox(
            "",
            entry(
                f"{party} TIN" if world.chance(0.5) else f"{party} federal identification number",
                world.code_like("4#-#######"),
                "payer_tin",
            ),
        ),
        NumberedBox(
            "",
            entry(
                f"{other} TIN" if world.chance(0.5) else f"{other} identification number", world.code_like("9##-##-####"), "recipient_tin"
            ),
        ),
    ]
    whole = "".join(part.text for part in city)
    lower = [
        NumberedBox("", shown, 2),
        NumberedBox("", Entry("Street address (including apt. no.)", [(piece(street[0].text, "recipient_address"),)]), 2),
        NumberedBox(
            "", Entry("City or town, state or province, country, and ZIP or foreign postal code", [(piece(whole, "recipient_city"),)]), 2
        ),
        NumberedBox(
            "", entry("Account number (see instructions)", world.code_like("4#######-##") if world.chance(0.6) else "", "account_number"), 2
        ),
    ]
    chosen = random.sample(sorted(MONEY), random.choice((6, 8, 10, 12)))
    boxes = [NumberedBox(str(position + 1), _amount(world, name)) for position, name in enumerate(chosen)]
    if world.chance(0.5):
        boxes.append(
            NumberedBox(
                str(len(boxes) + 1),
                entry("State/Payer's state no.", f"{world.pick('CA', 'NY', 'OH')}-{world.code_like('####')}", "state_number"),
            )
        )
    year = random.randint(2012, 2025)
    ticks = Ticks("", [Tick("VOID", False), Tick("CORRECTED", world.chance(0.4), ("corrected",))])
    sale = Ticks("", [Tick("Payer made direct sales of $5,000 or more of consumer products", world.chance(0.5), ("direct_sale",))])
    form = world.pick("Form 1098-Z", "Form 499-M", "Form S-22", "Form 1077")
    title = (
        piece(f"{form}   "),
        piece(str(year), "tax_year"),
        piece(world.pick("   Miscellaneous Income", "   Statement of Earnings", "   Benefit Statement")),
    )
    parts: list[Part] = [ticks, Title(title)]
    columns = world.random.choice((2, 4))
    if columns == 4:
        parts.append(BoxForm([*who, *ids, *lower, *boxes], 4))
    else:
        parts += [BoxForm([*who, *ids, *lower], 2), BoxForm(boxes, random.choice((3, 4)))]
    parts += [
        sale,
        Lines(
            [
                line("Copy B. This is important tax information and is being furnished to the revenue service."),
                line("Rev. January 2019   Cat. No. 10234K"),
            ],
            small=True,
        ),
    ]
    return Content(parts, "letter", "boxes")


def _recipient(world: World, other: str, recipient: str) -> Entry:
    return entry(world.pick(f"{other} name", f"{other} first name, initial and last name"), recipient, "recipient_name")


def _amount(world: World, name: str) -> Entry:
    words = MONEY[name]
    if world.chance(0.35):
        return Entry(words, [line("$")] if world.chance(0.5) else [])
    value: Decimal = world.amount(20, 90000)
    shown = world.shown_amount(value, sign=False)
    if world.chance(0.4):
        return Entry(words, [(piece("$ ", name, value=f"$ {shown}"), piece(shown, name, value=f"$ {shown}"))])
    return entry(words, shown, name)
