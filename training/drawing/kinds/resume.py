"""Curricula vitae: a name, ways to reach it, and sections of dated entries."""

from __future__ import annotations

from datetime import date
from random import Random

from training.drawing.content import Content, Entries, Entry, Heading, Letterhead, Line, Lines, Part, Piece, entry, line, piece
from training.drawing.world import World

FIRMS = (
    "Ledgerline Inc.",
    "Tidewater Labs",
    "Brightwater Instruments",
    "Copperline Software",
    "Harbor Freight Systems",
    "Gannet Analytics",
)
POSITIONS = ("Senior Engineer", "Software Engineer", "Data Analyst", "Project Manager", "Technical Lead", "Systems Administrator")
DUTIES = (
    "Led the move to event sourcing",
    "Cut settlement time by half",
    "Built the card vault",
    "Ran a team of five",
    "Wrote the billing service",
    "Moved forty servers to new racks",
    "Introduced code review",
    "Trained new colleagues",
)
SCHOOLS = ("Oregon State University", "University of Duluth", "Northport College", "Macon Institute of Technology")
DEGREES = (
    ("B.Sc.", "Computer Science"),
    ("M.A.", "Economics"),
    ("Bachelor of Science", "Mathematics"),
    ("Master of Science", "Statistics"),
)
SKILLS = {
    "programming_languages": ("Programming languages", ("Go", "Python", "SQL", "Rust", "Java", "TypeScript")),
    "databases": ("Databases", ("PostgreSQL", "Redis", "SQLite", "Oracle")),
    "frameworks_libraries": ("Frameworks", ("Django", "React", "Spring", "Flask")),
    "cloud_platforms": ("Cloud platforms", ("AWS", "Azure", "Google Cloud")),
}


def content(random: Random) -> Content:
    """A page about a working life; entries are written in one of three ways, the same throughout."""
    world = World.of(random, "US")
    first, last = world.names()
    name = f"{first} {last}"
    handle = last.casefold().replace(" ", "").replace("'", "")
    place = world.place()
    reach = [
        piece(f"{handle}@{world.domain('mail post')}", "contact_info.email"),
        piece(world.phone(), "contact_info.phone"),
        piece(f"{place.city}, {place.state}", "contact_info.address"),
    ]
    link = piece(f"github.com/{handle}", "contact_info.github")
    parts: list[Part] = [Letterhead([line(name, "contact_info.full_name"), _spread(reach), (link,)])]
    if random.random() < 0.4:
        labelled = [
            Entry("Email", [(reach[0],)]),
            Entry("Phone", [(reach[1],)]),
            Entry("Address", [(reach[2],)]),
            Entry("GitHub", [(link,)]),
        ]
        parts = [Letterhead([line(name, "contact_info.full_name")]), Entries(labelled, "inline", 1)]
    if random.random() < 0.7:
        trade = world.pick("payment systems", "public transport", "retail analytics")
        text = f"{random.choice(POSITIONS)} with {random.randint(4, 20)} years of experience in {trade}."
        parts += [Heading(world.pick("Summary", "Profile", "Professional summary")), Lines([line(text, "summary")])]
    way = random.randrange(3)
    parts += [Heading(world.pick("Work experience", "Experience", "Employment history", "Professional experience")), *_jobs(world, way)]
    parts += [Heading("Education"), *_schools(world, way)]
    if random.random() < 0.5:
        parts += [Heading("Projects"), *_projects(world)]
    parts.append(Heading(world.pick("Skills", "Technical skills")))
    chosen = random.sample(sorted(SKILLS), random.choice((2, 3)))
    parts.append(Entries([_skills(world, key) for key in chosen], "inline", 1))
    spoken = random.sample(("English", "German", "Spanish", "French"), 2)
    parts += [Heading("Languages"), Lines([(piece(spoken[0], "languages.0.name"), piece(", "), piece(spoken[1], "languages.1.name"))])]
    unscored = ("additional_sections", "references", "open_source_contributions", "interests", "certifications", "contact_info.linkedin")
    return Content(parts, "letter", unscored=unscored)


def _spread(pieces: list[Piece]) -> Line:
    made: list[Piece] = []
    for position, part in enumerate(pieces):
        made += [piece(" | "), part] if position else [part]
    return tuple(made)


def _month(world: World, day: date) -> str:
    return world.shown_day(day, form="%B %Y")


def _jobs(world: World, way: int) -> list[Part]:
    """Newest first, each ending where the one before it began; the first may go on."""
    made: list[Part] = []
    end: date | None = None if world.chance(0.6) else date(2024, world.random.randint(1, 12), 1)
    year = 2024
    duties = world.random.sample(DUTIES, 6)
    for at, firm in enumerate(world.random.sample(FIRMS, world.random.choice((2, 3)))):
        path = f"work_experience.{at}"
        start = date(year - world.random.randint(2, 4), world.random.randint(1, 12), 1)
        who = piece(firm, f"{path}.company")
        role = piece(world.random.choice(POSITIONS), f"{path}.position")
        begun = piece(_month(world, start), f"{path}.start_date", value=start.isoformat())
        until = (
            piece("Present", f"{path}.is_current", value=True)
            if end is None
            else piece(_month(world, end), f"{path}.end_date", value=end.isoformat())
        )
        span = (begun, piece(" - "), until)
        if way == 0:
            lines: list[Line] = [(role, piece(", "), who), span]
        elif way == 1:
            lines = [(who, piece(" | "), *span), (role,)]
        else:
            lines = [(role, piece(" at "), who, piece(" ("), *span, piece(")"))]
        made.append(Lines(lines, bold_first=True))
        listed = [line(text, f"{path}.responsibilities.{n}") for n, text in enumerate(duties[2 * at : 2 * at + 2])]
        made.append(Lines(listed, bullet=world.places.setdefault("bullet", world.pick("•", "-"))))
        year, end = start.year, start
    return made


def _schools(world: World, way: int) -> list[Part]:
    made: list[Line] = []
    for at in range(world.random.choice((1, 2))):
        path = f"education.{at}"
        degree, subject = world.random.choice(DEGREES)
        year = str(2010 - 4 * at)
        title = (piece(degree, f"{path}.degree"), piece(" in " if way == 1 else " "), piece(subject, f"{path}.field_of_study"))
        school = piece(SCHOOLS[(at + world.random.randrange(2) * 2) % 4], f"{path}.institution")
        if way == 0:
            made.append((*title, piece(", "), school, piece(", "), piece(year)))
        elif way == 1:
            made += [(school, piece(" | "), piece(year)), title]
        else:
            made += [(*title, piece(" ("), piece(year), piece(")")), (school,)]
    return [Lines(made)]


def _projects(world: World) -> list[Part]:
    made: list[Line] = []
    for at, (name, text) in enumerate(
        world.random.sample(
            (
                ("Tidewatch", "A tide table for small harbors"),
                ("Papertrail", "Finds receipts in a mailbox"),
                ("Gridlock", "A traffic simulator"),
            ),
            2,
        )
    ):
        made.append((piece(name, f"projects.{at}.name"), piece(": "), piece(text, f"projects.{at}.description")))
    return [Lines(made)]


def _skills(world: World, key: str) -> Entry:
    label, known = SKILLS[key]
    chosen = world.random.sample(known, 3)
    made: list[Piece] = []
    for at, skill in enumerate(chosen):
        made += [*([piece(", ")] if at else []), piece(skill, f"technical_skills.{key}.{at}.name")]
    return Entry(label, [tuple(made)]) if made else entry(label, "")
