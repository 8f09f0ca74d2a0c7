"""Reports in prose with headings, lists and tables: what is on the page matters, not what it answers."""

from __future__ import annotations

from random import Random

from training.drawing.content import Column, Content, Grid, Heading, Lines, Part, Title, line, piece
from training.drawing.world import World

PLACES = ("the old harbor", "the north pier", "the town library", "the river meadow", "the covered market", "the signal station")
SUBJECTS = ("Visitors", "Traffic", "Repairs", "Water levels", "Energy use", "Opening hours")
SENTENCES = (
    "The figures for {p} were collected every Monday between April and September.",
    "Compared with the year before, {p} was closed on fewer days, mostly because the weather was mild.",
    "Two of the counters near {p} failed in June and were replaced within a week.",
    "The council expects that {p} will need new lamps before the end of the decade.",
    "Most of those asked said that they come to {p} on foot, and a third of them more than once a week.",
    "No accident was reported at {p} during the season.",
    "A second survey is planned for the coming spring and will include {p} as well.",
)


def content(random: Random) -> Content:
    """A report of one or two sections, each with a paragraph, a list or a table."""
    world = World.of(random, "US", "GB")
    subject = random.choice(SUBJECTS)
    parts: list[Part] = [Title(line(f"{subject} at {random.choice(PLACES)}")), _prose(random)]
    for at, name in enumerate(random.sample(("Method", "Results", "Costs", "Outlook", "Summary"), random.choice((2, 3)))):
        parts += [Heading(f"{at + 1}. {name}" if random.random() < 0.5 else name), _prose(random)]
        parts.append(_table(world) if at != 1 else _points(random))
        if random.random() < 0.5:
            parts.append(_prose(random))
    return Content(parts, "a4", footer=[line("Report of the harbor office")])


def _prose(random: Random) -> Lines:
    place = random.choice(PLACES)
    return Lines([line(" ".join(text.format(p=place) for text in random.sample(SENTENCES, random.choice((3, 4)))))])


def _points(random: Random) -> Lines:
    place = random.choice(PLACES)
    return Lines([line(text.format(p=place)) for text in random.sample(SENTENCES, 3)], bullet="•")


def _table(world: World) -> Grid:
    random = world.random
    months = random.sample(("April", "May", "June", "July", "August", "September"), random.choice((3, 4, 5)))
    rows = [[piece(month), *(piece(world.shown_amount(world.amount(20, 5000), sign=False)) for _ in range(3))] for month in months]
    return Grid([Column("Month", 1.2), Column("Adults", 1, True), Column("Children", 1, True), Column("Total", 1, True)], rows)
