"""Sheets of a building's drawings: lines that mean nothing to a reader of text, a title block, schedules, revisions, notes."""

from __future__ import annotations

from random import Random

from training.drawing.content import (
    Column,
    Content,
    Entries,
    Entry,
    Grid,
    Heading,
    Lines,
    Part,
    Piece,
    Side,
    Stamp,
    Title,
    entry,
    line,
    piece,
)
from training.drawing.world import World, address_lines

ROOMS = (
    ("Reading room", "1,240 SF", "14'-0\""),
    ("Office", "180 SF", "9'-0\""),
    ("Lobby", "620 SF", "12'-0\""),
    ("Storage", "95 SF", "8'-6\""),
    ("Restroom", "64 SF", "8'-6\""),
)
NOTES = (
    "All dimensions are to face of stud unless noted otherwise.",
    "Contractor shall verify all dimensions on site.",
    "Provide blocking at all wall-mounted fixtures.",
    "Do not scale drawings.",
    "Coordinate openings with mechanical drawings.",
)


def content(random: Random) -> Content:
    """A sheet with a title block at the foot or at the side."""
    world = World.of(random, "US")
    world.day_format = world.pick("%m/%d/%Y", "%m/%d/%y", "%b %d, %Y")
    issued = world.day()
    title = world.pick("First Floor Plan", "Roof Plan", "Foundation Plan", "East Elevation")
    place = world.place()
    block = [
        entry(
            world.pick("Project", "Project name"),
            world.pick("Harrow Street Library", "Quay Terrace Apartments", "Mill Road School"),
            "project_name",
        ),
        entry(world.pick("Project number", "Project No.", "Job No."), world.code_like("20##-###").replace("200", "201"), "project_number"),
        entry(world.pick("Client", "Owner"), f"City of {place.city}", "client"),
        entry(world.pick("Sheet number", "Sheet No.", "Sheet"), f"{world.pick('A', 'S', 'M')}-{world.code_like('1##')}", "sheet_number"),
        entry(world.pick("Sheet title", "Drawing title"), title, "sheet_title"),
        entry("Scale", world.pick('1/8" = 1\'-0"', '1/4" = 1\'-0"', "1:100"), "scale"),
        entry(world.pick("Date", "Issue date"), world.shown_day(issued), "issue_date", value=issued.isoformat()),
        entry(world.pick("Drawn by", "Drawn"), world.code_like("@@@"), "drawn_by"),
        entry(world.pick("Checked by", "Checked"), world.code_like("@@"), "checked_by"),
        entry("Architect", world.pick("Stonebridge Studio", "Marsh & Okafor Architects"), "architect.name"),
    ]
    if world.chance(0.5):
        block.append(entry("Phase", world.pick("Construction documents", "Permit set", "Design development"), "phase"))
    if world.chance(0.4):
        lines = address_lines(place, "project_address", joined=True)
        block.append(Entry("Project address", lines))
    rooms: list[list[Piece]] = []
    for at, (name, area, height) in enumerate(random.sample(ROOMS, 3)):
        shown = ((name, "name"), (str(101 + at), "number"), (area, "area"), (height, "ceiling_height"))
        rooms.append([piece(text, f"rooms.{at}.{path}") for text, path in shown])
    schedule = Grid(
        [
            Column(world.pick("Room name", "Room"), 2),
            Column(world.pick("Room number", "No."), 1),
            Column("Area", 1.2),
            Column("Ceiling height", 1.3),
        ],
        rows=rooms,
    )
    changes: list[list[Piece]] = []
    for at in range(random.choice((1, 2))):
        day = world.day()
        changes.append(
            [
                piece(str(at + 1), f"revisions.{at}.number"),
                piece(world.shown_day(day), f"revisions.{at}.revision_date", value=day.isoformat()),
                piece(world.pick("Door moved", "Issued for permit", "Owner changes"), f"revisions.{at}.description"),
            ]
        )
    revisions = Grid([Column(world.pick("Revision", "Rev"), 0.8), Column("Date", 1.2), Column("Description", 2)], changes)
    notes = random.sample(NOTES, 3)
    numbered = Lines([(piece(f"{at + 1}. "), piece(text, f"general_notes.{at}")) for at, text in enumerate(notes)])
    left: list[Part] = [Heading(world.pick("Room schedule", "Room finish schedule")), schedule, Heading("General notes"), numbered]
    right: list[Part] = [Heading(world.pick("Revisions", "Revision history")), revisions, Entries(block, columns=1)]
    wide = world.chance(0.5)
    parts: list[Part] = [Title(line(title))]
    parts += [Side(left, right, 0.6)] if wide else [*left, *right]
    if world.chance(0.3):
        parts.append(Stamp("PRELIMINARY"))
    unscored = ("discipline", "drawing_type", "revision", "organization", "legend", "materials", "license_number", "contractor", "engineer")
    return Content(parts, "wide" if wide else "letter", unscored=unscored)
