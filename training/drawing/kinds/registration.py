"""Registration statements, applications and enrolment forms: who files, what it is, when."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from training.drawing.content import (
    Content,
    Entries,
    Entry,
    Heading,
    Json,
    Letterhead,
    Lines,
    Part,
    Stamp,
    Tick,
    Ticks,
    Title,
    entry,
    line,
    piece,
)
from training.drawing.kinds.schema import asked, day, flag, text
from training.drawing.world import World, address_lines

SCHEMAS: dict[str, Json] = {
    "statement": asked(
        "Registration statement",
        registrant_name=text("Name of the registrant"),
        document_type=text("Type of the document"),
        filing_date=day("Date when the document was filed or received"),
        registration_number=text("Registration number"),
        foreign_principal=text("Name of the foreign principal"),
        absent=("iban", "blood_type", "vehicle_vin", "isbn"),
    ),
    "application": asked(
        "Application",
        full_name=text("Name of the applicant"),
        date_of_birth=day("Date of birth"),
        email=text("E-mail address"),
        phone=text("Telephone number"),
        address=text("Address of the applicant"),
        nationality=text("Nationality"),
        employer=text("Employer"),
        start_date=day("Date from which membership begins"),
        newsletter=flag("Wants the newsletter"),
        first_application=flag("First application"),
        signature_date=day("Date of the signature"),
        absent=("isbn", "flight_number", "vessel_name"),
    ),
}
TYPES = (
    "Registration Statement",
    "Supplemental Statement",
    "Amendment to Registration Statement",
    "Short Form Registration Statement",
    "Exhibit A to Registration Statement",
    "Exhibit B to Registration Statement",
    "Annual Report",
    "Statement of Termination",
)


def content(random: Random) -> Content:
    """A statement to an authority, or an application of a member."""
    return _statement(random) if random.random() < 0.5 else _application(random)


def _statement(random: Random) -> Content:
    world = World.of(random, "US")
    name = world.firm() if world.chance(0.75) else world.person()
    kind, filed = random.choice(TYPES), world.day()
    form = world.pick("%m/%d/%Y", "%B %-d, %Y", "%-m/%-d/%Y", "%m/%d/%Y %-m:41:02 PM")
    stamped = world.chance(0.6)
    other = world.day()
    parts: list[Part] = []
    shown = world.shown_day(filed, form=form)
    filed_piece = piece(shown, "filing_date", value=filed.isoformat())
    if stamped:
        office = world.pick("Received by the Registration Unit ", "Received by Filing Office ", "FILED ", "Date filed: ")
        parts.append(Lines([(piece(office), filed_piece)]))
    parts.append(
        Letterhead(
            [
                line(world.pick("Department of Records", "Office of Public Registration", "Bureau of Disclosure")),
                line("Washington, DC 20099"),
            ]
        )
    )
    parts.append(Title(line(kind, "document_type")))
    parts.append(
        Lines(
            [
                line("Pursuant to the Disclosure of Interests Act of 1958, as amended"),
                line(f"OMB No. 1234-0{random.randint(100, 999)}; Expires 02/28/2027"),
            ],
            small=True,
        )
    )
    place = world.place()
    number_label = world.pick("Registration Number", "Registration No.", "Reg. No.", "Registrant number")
    fields = [
        entry(
            world.pick("Name of Registrant", "Registrant", "1. Name of Registrant", "Name and Address of Registrant", "Registrant's name"),
            name,
            "registrant_name",
        ),
        entry(number_label, world.code_like("4###"), "registration_number"),
        Entry(world.pick("Registrant's Address", "Business address", "2. Principal business address"), address_lines(place)),
    ]
    if world.chance(0.6):
        fields.append(
            entry(
                world.pick("Name of Foreign Principal", "Foreign Principal", "3. Name of Foreign Principal"),
                world.firm(),
                "foreign_principal",
            )
        )
    if world.chance(0.5):
        fields.append(entry("Period ending", world.shown_day(other, form="%B %-d, %Y")))
    if world.chance(0.4):
        world.random.shuffle(fields)
    parts += [Entries(fields), Heading("Activities")]
    parts.append(
        Lines(
            [
                line("Describe in full detail all activities and services rendered for each principal named above during the period."),
                line(world.note()),
            ]
        )
    )
    parts.append(Ticks("Is this an amendment?", [Tick("Yes", kind.startswith("Amendment")), Tick("No", not kind.startswith("Amendment"))]))
    if not stamped:
        signed = world.pick("Date filed", "Filed on", "Filing date", "Received")
        parts.append(Entries([Entry(signed, [(filed_piece,)]), entry("Signature", world.person())]))
    else:
        parts.append(
            Entries(
                [
                    entry("Date of signature", world.shown_day(filed - timedelta(days=3), form="%B %-d, %Y")),
                    entry("Signature", world.person()),
                ]
            )
        )
    if world.chance(0.15):
        parts.append(Stamp("RECEIVED"))
    return Content(parts, "letter", "statement")


def _application(random: Random) -> Content:
    world = World.of(random, "US", "GB", "CA", "MY")
    club, place = world.firm(bare=True), world.place()
    name = world.person(last_first=world.chance(0.2))
    born = world.day(first=world.day().replace(year=1945, day=1), last=world.day().replace(year=2006, day=1))
    begun, signed = world.day(), world.day()
    joined, heard = world.chance(0.5), world.chance(0.5)
    parts: list[Part] = [Letterhead([line(f"{club} Association"), *address_lines(world.place())], mark=True)]
    parts.append(Title(line(world.pick("Membership Application", "Application Form", "Enrolment", "Request for Admission"))))
    who = [
        entry(world.pick("Full name", "Name", "Applicant's name", "Name (last, first)"), name, "full_name"),
        entry(world.pick("Date of birth", "Birth date", "DOB", "Born"), world.shown_day(born), "date_of_birth", value=born.isoformat()),
        Entry(world.pick("Address", "Home address", "Residence"), address_lines(place, whole="address")),
    ]
    reach = [
        entry(
            world.pick("E-mail", "Email address"),
            f"{random.choice(('post', 'mail', 'me'))}{random.randint(2, 99)}@{world.domain(club)}",
            "email",
        ),
        entry(world.pick("Phone", "Telephone", "Mobile"), world.phone() if world.chance(0.8) else "", *(["phone"])),
    ]
    more = [
        entry("Nationality", world.pick("British", "Canadian", "Dutch", "Malaysian"), "nationality"),
        entry(world.pick("Employer", "Name of employer"), world.firm() if world.chance(0.7) else "", "employer"),
        entry(
            world.pick("Member since", "Start of membership", "Membership begins"),
            world.shown_day(begun),
            "start_date",
            value=begun.isoformat(),
        ),
    ]
    if world.chance(0.5):
        parts += [Heading("Personal details"), Entries([*who, *reach]), Heading("Membership"), Entries(more)]
    else:
        parts += [Entries([*who, *reach, *more])]
    parts.append(
        Ticks(
            world.pick("Please tick:", "Mark all that apply"),
            [
                Tick("First application", joined, ("first_application",)),
                Tick("Newsletter", heard, ("newsletter",)),
                Tick("Donation", False),
            ],
        )
    )
    parts.append(Lines([line(world.note()), line("I have read the terms of 1 January 2014.")], small=True))
    parts.append(
        Entries(
            [
                entry("Signature", ""),
                entry(world.pick("Date", "Date signed", "Signed on"), world.shown_day(signed), "signature_date", value=signed.isoformat()),
            ]
        )
    )
    given: dict[str, Json] = {"newsletter": heard or None, "first_application": joined or None}
    return Content(parts, "a4", "application", given={name: value for name, value in given.items() if value})
