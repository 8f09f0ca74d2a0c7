"""Driver licences of American states, as cards with field codes and as labelled records."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from training.drawing.content import Content, Entries, Entry, Letterhead, Line, Part, Piece, Side, Title, entry, line, piece
from training.drawing.kinds.clinic import Clinic
from training.drawing.world import address_lines

STATES = {
    "OR": "Oregon",
    "MN": "Minnesota",
    "GA": "Georgia",
    "WI": "Wisconsin",
    "ME": "Maine",
    "TX": "Texas",
    "SC": "South Carolina",
    "WY": "Wyoming",
}


def content(random: Random) -> Content:
    """A card; half of them carry the numbers of the national standard (1, 2, 3, 4b, 4d, 15 ...) before or in place of labels."""
    house = Clinic(random)
    world, say = house.world, house.say
    world.day_format = "%m/%d/%Y"
    place = house.home
    while place.state not in STATES:
        place = world.place()
    coded = random.random() < 0.5
    bare = coded and random.random() < 0.4
    middle = say("Quinn", "Lee", "Rose", "James")
    first, last = house.first.upper(), house.last.upper()
    issued = world.day()
    expires = issued + timedelta(days=365 * 8 + 2)

    def label(code: str, words: str) -> str:
        return code if bare else f"{code} {words}" if coded else words

    names = ("street", "city", "state", "zip_code", "")
    lines: list[Line] = address_lines(place, "address", names=names, joined=random.random() < 0.5)
    lines = [
        tuple(Piece(part.text.upper(), {path: str(value).upper() for path, value in part.answers.items()}) for part in row) for row in lines
    ]
    if coded:
        who = [
            entry(label("1", "LN"), last, "last_name"),
            Entry(label("2", "FN"), [(piece(first, "first_name"), piece(" "), piece(middle.upper(), "middle_name"))]),
        ]
        unscored = ("full_name",)
    else:
        whole = {"full_name": f"{first} {middle.upper()} {last}"}
        parts_ = (
            Piece(first, whole | {"first_name": first}),
            Piece(" ", whole),
            Piece(middle.upper(), whole | {"middle_name": middle.upper()}),
            Piece(" ", whole),
            Piece(last, whole | {"last_name": last}),
        )
        who = [Entry("Name", [parts_])]
        unscored = ()
    pounds = random.randint(105, 240)
    facts = [
        entry(label("4d", say("DLN", "DL NO", "LIC NO")), world.code_like("4######"), "license_number"),
        entry(label("3", "DOB"), world.shown_day(house.born), "date_of_birth"),
        entry(label("4a", "ISS"), world.shown_day(issued), "issue_date"),
        entry(label("4b", "EXP"), world.shown_day(expires), "expiration_date"),
        Entry(label("8", say("ADDRESS", "ADDR")), lines),
        entry(label("15", "SEX"), house.sex[0], "gender"),
        entry(label("16", "HGT"), say("5'-06\"", "6-01", "5'-10\""), "height"),
        entry(label("17", "WGT"), f"{pounds} lb", "weight", value=pounds),
        entry(label("18", "EYES"), say("BRO", "BLU", "GRN"), "eye_color"),
        entry(label("19", "HAIR"), say("BRN", "BLK", "BLN"), "hair_color"),
        entry(label("9", "CLASS"), say("C", "D"), "license_class"),
    ]
    head: list[Part] = [Letterhead([(piece(STATES[place.state].upper()),)]), Title(line("DRIVER LICENSE"))]
    if not coded:
        facts = [_spelled(fact) for fact in facts]
    if random.random() < 0.5:
        body: list[Part] = [
            Side([Entries([*who, *facts[:5]], "inline" if coded else None, 1)], [Entries(facts[5:], "inline" if coded else None, 1)], 0.58)
        ]
    else:
        body = [Entries([*who, *facts], "inline" if coded else None, 1)]
    given = {"issuing_state": place.state}
    return Content([*head, *body], "card" if coded else "a4", given=given, unscored=(*unscored, "donor", "veteran"))


SPELLED = {
    "DLN": "License number",
    "DL NO": "DL No",
    "LIC NO": "License No",
    "DOB": "Date of birth",
    "ISS": "Issued",
    "EXP": "Expires",
    "ADDRESS": "Address",
    "ADDR": "Address",
    "SEX": "Sex",
    "HGT": "Height",
    "WGT": "Weight",
    "EYES": "Eyes",
    "HAIR": "Hair",
    "CLASS": "Class",
}


def _spelled(fact: Entry) -> Entry:
    return Entry(SPELLED[fact.label], fact.lines)
