"""Requests for a taxpayer number and certification, with boxes to tick for the tax classification."""

from __future__ import annotations

from random import Random

from training.drawing.content import Content, Entries, Entry, Heading, Json, Lines, Part, Tick, Ticks, Title, entry, line
from training.drawing.kinds.schema import asked, flag, text
from training.drawing.world import World, address_lines

CLASSES = {
    "class_individual": "Individual/sole proprietor",
    "class_c_corporation": "C Corporation",
    "class_s_corporation": "S Corporation",
    "class_partnership": "Partnership",
    "class_trust": "Trust/estate",
    "class_llc": "Limited liability company",
}
SCHEMAS: dict[str, Json] = {
    "certification": asked(
        "Certification of a taxpayer number",
        name=text("Name as shown on the income tax return"),
        business_name=text("Business name, if different"),
        **{name: flag(f"Tax classification: {words} (box ticked)") for name, words in CLASSES.items()},
        exempt_payee_code=text("Exempt payee code"),
        address=text("Street address"),
        city_state_zip=text("City, state and ZIP code"),
        account_numbers=text("Account numbers"),
        requester=text("Requester's name and address"),
        social_security_number=text("Social security number"),
        employer_identification_number=text("Employer identification number"),
        signature_date=text("Date of the signature"),
        absent=("blood_type", "vehicle_vin", "isbn", "vessel_name"),
    )
}


def content(random: Random) -> Content:
    """A filled-in request: numbered lines, ticks, one of the two numbers, a date beside the signature."""
    world = World.of(random, "US")
    firm = world.chance(0.4)
    place, home = world.place(), world.place()
    ticked = random.choice(list(CLASSES)) if firm else "class_individual"
    street, city = address_lines(place)
    town = "".join(part.text for part in city)
    asker = world.firm()
    asker_lines = [line(asker), *address_lines(home)]
    whole = " ".join("".join(part.text for part in row) for row in asker_lines)
    asker_lines = [line("".join(part.text for part in row), "requester", value=whole) for row in asker_lines]
    numbered = world.chance(0.7)

    def label(number: int, words: str) -> str:
        return f"{number} {words}" if numbered else words

    upper = [
        entry(label(1, "Name (as shown on your income tax return)"), world.firm() if firm else world.person(), "name"),
        entry(
            label(2, "Business name/disregarded entity name, if different from above"),
            world.firm() if world.chance(0.4) else "",
            "business_name",
        ),
    ]
    lower = [
        entry(label(5, "Address (number, street, and apt. or suite no.)"), street[0].text, "address"),
        entry(label(6, "City, state, and ZIP code"), town, "city_state_zip"),
        entry(
            label(7, "List account number(s) here (optional)"), world.code_like("#####-###") if world.chance(0.4) else "", "account_numbers"
        ),
    ]
    if world.chance(0.5):
        lower.append(Entry("Requester's name and address (optional)", asker_lines))
    options = [Tick(words, name == ticked, (name,)) for name, words in CLASSES.items()]
    code = entry("Exempt payee code (if any)", "5" if world.chance(0.2) else "", "exempt_payee_code")
    social = entry("Social security number", "" if firm else world.code_like("9##-##-####"), "social_security_number")
    employer = entry("Employer identification number", world.code_like("4#-#######") if firm else "", "employer_identification_number")
    way = world.pick("above", "cell", "left", "")
    parts: list[Part] = [
        Title(
            line(
                world.pick("Request for Taxpayer Identification Number and Certification", "Taxpayer Certification", "Substitute Form W-9")
            )
        ),
        Lines([line("Give this form to the requester. Do not send it to the revenue service."), line("(Rev. October 2018)")], small=True),
        Entries(upper, way or None, 1),
        Ticks(label(3, "Check appropriate box for federal tax classification:"), options),
        Entries([code], "inline", 1),
        Entries(lower, way or None, 1),
        Heading("Part I   Taxpayer Identification Number"),
        Entries([social, employer], way or None, 2),
        Heading("Part II   Certification"),
        Lines(
            [
                line(
                    "Under penalties of perjury, I certify that the number shown on this form is my correct taxpayer identification number."
                )
            ],
            small=True,
        ),
        Entries(
            [entry("Signature of U.S. person", ""), entry("Date", world.shown_day(world.day()), "signature_date")],
            world.pick("left", "below", "inline"),
            2,
        ),
    ]
    return Content(parts, "letter", "certification")
