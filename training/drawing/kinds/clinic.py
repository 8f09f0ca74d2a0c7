"""What the papers of clinics, laboratories and health plans have in common: patients, providers, coverage, codes."""

from __future__ import annotations

from datetime import date
from random import Random

from training.drawing.content import Column, Entry, Grid, Letterhead, Line, Piece, entry, line, piece
from training.drawing.world import World, address_lines

CODES = (
    ("M17.11", "Unilateral primary osteoarthritis, right knee"),
    ("I20.9", "Angina pectoris, unspecified"),
    ("E11.9", "Type 2 diabetes mellitus"),
    ("J45.40", "Moderate persistent asthma"),
    ("G47.33", "Obstructive sleep apnea"),
    ("M54.50", "Low back pain, unspecified"),
    ("K21.9", "Gastro-esophageal reflux disease"),
    ("N39.0", "Urinary tract infection"),
)
"""ICD-10-CM codes with their words."""
SERVICES = (
    ("99213", "Office visit, established patient"),
    ("80053", "Comprehensive metabolic panel"),
    ("71046", "Chest X-ray, two views"),
    ("27447", "Total knee arthroplasty"),
    ("97110", "Therapeutic exercise"),
    ("93000", "Electrocardiogram"),
    ("95810", "Sleep study"),
    ("36415", "Venipuncture"),
    ("E0601", "CPAP device"),
)
"""CPT and HCPCS codes with plain words."""
PLANS = ("Blue Harbor Health", "Cascade Care", "Summit Mutual Health Plan", "Prairie Community Health", "Keystone Family Plan")
CLINICS = ("Bayview Family Medicine", "Northport Orthopedics", "Lakeside Cardiology Group", "Cedar Grove Clinic", "Mercy Ridge Hospital")


class Clinic:
    """Invents one patient and writes them as the forms of one house do."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.world = World.of(random, "US")
        self.world.day_format = random.choice(("%m/%d/%Y", "%m/%d/%Y", "%B %-d, %Y", "%b %d, %Y", "%m-%d-%Y"))
        self.first, self.last = self.world.names()
        self.born = self.world.day(date(1938, 1, 1), date(2012, 12, 28))
        self.sex = random.choice(("Female", "Male"))
        self.home = self.world.place()
        self.clinic = random.choice(CLINICS)

    @property
    def patient(self) -> str:
        """First and last name."""
        return f"{self.first} {self.last}"

    def say(self, *labels: str) -> str:
        """One of the ways to print a label."""
        return self.random.choice(labels)

    def day(self, label: str, *paths: str, first: date = date(2019, 1, 3), last: date = date(2026, 5, 28)) -> Entry:
        """A label with a day."""
        day = self.world.day(first, last)
        return entry(label, self.world.shown_day(day), *paths, value=day.isoformat())

    def moment(self, label: str, *paths: str) -> Entry:
        """A label with a day, for a field that asks for the time of day too: midnight, as none is printed."""
        day = self.world.day(date(2019, 1, 3), date(2026, 5, 28))
        return entry(label, self.world.shown_day(day), *paths, value=f"{day.isoformat()}T00:00:00Z")

    def birth(self, *paths: str, label: str = "") -> Entry:
        """The patient's date of birth."""
        words = label or self.say("Date of birth", "DOB", "Birth date", "Date of Birth")
        return entry(words, self.world.shown_day(self.born), *paths, value=self.born.isoformat())

    def named(self, prefix: str, label: str) -> Entry:
        """The patient's name in its parts."""
        whole = {f"{prefix}.full_name": self.patient}
        parts = (
            Piece(self.first, whole | {f"{prefix}.first_name": self.first}),
            Piece(" ", whole),
            Piece(self.last, whole | {f"{prefix}.last_name": self.last}),
        )
        return Entry(label, [parts])

    def address(self, label: str, prefix: str) -> Entry:
        """The patient's address in its parts, on one line or two."""
        return Entry(label, address_lines(self.home, prefix, joined=self.random.random() < 0.6))

    def phone(self, label: str, *paths: str) -> Entry:
        """A telephone number."""
        return entry(label, self.world.phone(), *paths)

    def doctor(self) -> str:
        """A name with a title."""
        name = self.world.person()
        return self.random.choice((f"Dr. {name}", f"{name}, MD", name))

    def npi(self) -> str:
        """Ten digits; the check digit is not right."""
        return self.world.code_like("1#########")

    def member(self) -> str:
        """A member number."""
        return self.world.code_like(self.random.choice(("@@@#######", "4########", "@##-###-###")))

    def letterhead(self, name: str = "", *, paths: tuple[str, ...] = (), phone: tuple[str, ...] = (), address: str = "") -> Letterhead:
        """A house with its address and telephone."""
        rows: list[Line] = [
            line(name or self.clinic, *paths),
            *address_lines(self.world.place(), address, joined=self.random.random() < 0.5),
        ]
        rows.append((piece(self.say("Phone: ", "Tel. ", "P: ")), piece(self.world.phone(), *phone)))
        return Letterhead(rows, mark=self.random.random() < 0.4)

    def diagnoses(self, count: int, path: str = "diagnoses") -> Grid:
        """A table of diagnosis codes."""
        rows = [
            [piece(code, f"{path}.{at}.code"), piece(words, f"{path}.{at}.description")]
            for at, (code, words) in enumerate(self.random.sample(CODES, count))
        ]
        return Grid([Column(self.say("ICD-10 code", "Code", "Diagnosis code"), 1), Column(self.say("Description", "Diagnosis"), 3)], rows)
