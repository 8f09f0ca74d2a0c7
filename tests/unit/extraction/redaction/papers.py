"""Medical papers of invented people, written as PDFs, with every identifier in them known.

The people, places and numbers are made of syllables and digits, so that no list of names can hold them; the layouts are a letter, a
face sheet with labels over values, a table of visits, a note in running text, and a form of ruled boxes.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from reportlab.lib.pagesizes import letter
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas

ONSETS = "B,Br,C,Cr,D,Dr,F,Fl,G,Gr,H,K,Kl,L,M,N,P,Pr,Qu,R,S,Sh,St,T,Tr,V,W,Y,Z"
MIDDLES = "a,e,i,o,u,ae,ea,ia,ou,y"
ENDS = "l,lla,m,n,nd,ng,r,rth,s,sk,t,th,v,x,z,lin,dor,mer,nell,wick,sby,vane,tham"
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]


RESULTS = (
    ("Test", "Result", "Units", "Range"),
    ("Glucose", "112", "mg/dL", "70-99"),
    ("Sodium", "139", "mmol/L", "136-145"),
    ("Platelets", "243000", "/uL", "150000-400000"),
    ("White Blood Cells", "11.9", "10^3/uL", "4.0-11.0"),
)


@dataclass
class Paper:
    """A file, and what identifies someone in it, as `(category, text)`; `stays` are texts that identify nobody."""

    pdf: bytes
    secrets: list[tuple[str, str]]
    stays: list[str]


@dataclass
class People:
    """Invents. Every secret it gives is noted."""

    random: Random
    secrets: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def tell(self, category: str, text: str) -> str:
        self.secrets.append((category, text))
        return text

    def word(self, parts: int = 2) -> str:
        made = self.random.choice(ONSETS.split(",")) + self.random.choice(MIDDLES.split(","))
        for _ in range(parts - 1):
            made += self.random.choice("bdglmnrst") + self.random.choice(MIDDLES.split(","))
        return made + self.random.choice(ENDS.split(","))

    def digits(self, pattern: str) -> str:
        return "".join(
            str(self.random.randint(1, 9)) if c == "#" else self.random.choice("ABCDEFHKLMNPRTW") if c == "@" else c for c in pattern
        )

    def code(self, category: str, pattern: str) -> str:
        """A secret of this pattern: `#` a digit, `@` a letter."""
        return self.tell(category, self.digits(pattern))

    def named(self) -> tuple[str, str]:
        """First and last name of somebody, both secret."""
        first, last = self.person()
        return self.tell("name", first), self.tell("name", last)

    def person(self) -> tuple[str, str]:
        return self.word(self.random.choice((1, 2))), self.word(self.random.choice((1, 2, 2)))

    def date(self) -> str:
        day, month, year = self.random.randint(1, 28), self.random.randint(1, 12), self.random.randint(1931, 2025)
        form = self.random.randrange(5)
        made = (
            f"{month:02}/{day:02}/{year}", f"{year}-{month:02}-{day:02}", f"{MONTHS[month - 1]} {day}, {year}",
            f"{day} {MONTHS[month - 1][:3]} {year}", f"{month}/{day}/{year % 100:02}",
        )[form]  # fmt: skip
        return self.tell("date", made)

    def phone(self, category: str = "phone") -> str:
        return self.tell(category, self.digits(self.random.choice(("(2##) 3##-####", "3##-4##-####", "4##.5##.####", "+1 2## 3## ####"))))

    def street(self) -> str:
        kind = self.random.choice(("Street", "Ave", "Road", "Ln", "Blvd", "Court"))
        unit = self.random.choice(("", "", f", Apt {self.random.randint(1, 40)}", " Suite 210"))
        return self.tell("address", f"{self.random.randint(11, 9800)} {self.word()} {kind}{unit}")

    def town(self) -> tuple[str, str, str]:
        return (
            self.tell("address", self.word()),
            self.random.choice(("OH", "TX", "CA", "NY", "WA")),
            self.tell("address", self.digits("#####")),
        )


REASONS = (
    "Chest pain on exertion, abnormal ECG", "Persistent knee pain after physical therapy", "Evaluation of recurrent headaches",
    "Follow-up of elevated liver enzymes", "Blood pressure 132/84 mmHg, pulse 72", "Metformin 500 mg twice daily with meals",
    "Hemoglobin 13.8 g/dL (12.0-15.5)", "ICD-10 M54.50, CPT 99213",
)  # fmt: skip


def paper(kind: str, seed: int) -> Paper:
    """A paper of this kind; the same for the same seed."""
    people = People(Random(f"{kind} {seed}"))
    sink = io.BytesIO()
    canvas = Canvas(sink, pagesize=letter, invariant=1)
    canvas.setFont("Helvetica", 10)
    stays = _KINDS[kind](canvas, people)
    canvas.save()
    return Paper(sink.getvalue(), people.secrets, stays)


def _lines(canvas: Canvas, lines: list[str], x: float, y: float, step: float = 16) -> float:
    for line in lines:
        for part in simpleSplit(line, "Helvetica", 10, 470):
            canvas.drawString(x, y, part)
            y -= step
    return y


def _face(canvas: Canvas, people: People) -> list[str]:
    """Labels with values beside them, in two columns."""
    first, last = people.named()
    _, doctor = people.person()
    people.tell("name", doctor)
    contact = people.named()
    city, state, zip_code = people.town()
    rows = [
        ("Patient Name:", f"{last}, {first}"),
        ("Date of Birth:", people.date()),
        ("Sex:", "Female"),
        ("MRN:", people.code("medical_record_number", "4######")),
        ("SSN:", people.code("ssn", "###-##-####")),
        ("Address:", people.street()),
        ("City, State ZIP:", f"{city}, {state} {zip_code}"),
        ("Home Phone:", people.phone()),
        ("Fax:", people.phone("fax")),
        ("Email:", people.tell("email", f"{first}.{last}@mailbox{people.random.randint(1, 9)}.com".lower())),
        ("Member ID:", people.code("health_plan_number", "@@@#########")),
        ("Group Number:", people.code("health_plan_number", "#####")),
        ("Account #:", people.code("account_number", "77######")),
        ("Attending Physician:", f"Dr. {doctor}"),
        ("Emergency Contact:", f"{contact[0]} {contact[1]}"),
        ("Relationship:", "Spouse"),
        ("Diagnosis:", "Type 2 diabetes mellitus"),
    ]
    canvas.setFont("Helvetica-Bold", 14)
    canvas.drawString(72, 740, "Patient Face Sheet")
    canvas.setFont("Helvetica", 10)
    for number, (label, value) in enumerate(rows):
        canvas.drawString(72, 700 - 20 * number, label)
        canvas.drawString(220, 700 - 20 * number, value)
    return ["Patient Face Sheet", "Female", "Spouse", "Type 2 diabetes mellitus", "Diagnosis:"]


def _boxes(canvas: Canvas, people: People) -> list[str]:
    """Ruled boxes with a small label over each value."""
    first, last = people.named()
    provider = people.named()
    city, state, zip_code = people.town()
    cells = [
        ("1. Patient's Name", f"{first} {last}"),
        ("2. Birth Date", people.date()),
        ("3. Insured's I.D. Number", people.code("health_plan_number", "@##-##-####")),
        ("4. Patient's Address", people.street()),
        ("5. City", city),
        ("6. State", state),
        ("7. Zip Code", zip_code),
        ("8. Telephone", people.phone()),
        ("9. Policy Number", people.code("health_plan_number", "@@-######")),
        ("10. Date of Service", people.date()),
        ("11. Referring Provider", f"{provider[0]} {provider[1]}"),
        ("12. NPI", people.code("license_number", "1#########")),
        ("13. Claim Number", people.code("other", "CLM-2#######")),
        ("14. Total Charge", "$ 482.50"),
        ("15. Federal Tax ID", people.code("other", "##-#######")),
        ("16. Vehicle VIN", people.code("vehicle", "1HGCM8#6#3A0#####")),
        ("17. Device Serial No.", people.code("device", "SN#@#####")),
        ("18. Driver License", people.code("license_number", "@#######")),
    ]
    for number, (label, value) in enumerate(cells):
        x, y = 54 + 170 * (number % 3), 700 - 44 * (number // 3)
        canvas.rect(x, y, 166, 40)
        canvas.setFont("Helvetica", 6.5)
        canvas.drawString(x + 4, y + 31, label)
        canvas.setFont("Helvetica", 10)
        canvas.drawString(x + 4, y + 10, value)
    return ["482.50", "Total", "Charge"]


def _note(canvas: Canvas, people: People) -> list[str]:
    """Running text."""
    first, last = people.named()
    doctor = people.named()
    wife, _ = people.person()
    people.tell("name", wife)
    city, state, zip_code = people.town()
    age = people.random.randint(91, 99)
    people.tell("date", f"{age}-year-old")
    reason = people.random.choice(REASONS)
    site = people.tell("url", f"www.{people.word().lower()}clinic.org")
    ip = people.tell("ip_address", f"10.{people.random.randint(10, 250)}.4.{people.random.randint(10, 250)}")
    mail = people.tell("email", f"{people.word()}@{people.word()}.net".lower())
    record, pacemaker = people.code("medical_record_number", "8######"), people.code("device", "PM#######")
    lines = [
        f"Re: {first} {last}   MRN {record}   DOB {people.date()}",
        f"Dear Dr. {doctor[1]},",
        f"I saw your patient Mr. {last} on {people.date()} in follow-up. He is a {age}-year-old man who lives in "
        f"{city}, {state} {zip_code} with his wife {wife}.",
        f"{last} reports no new symptoms. Reason for visit: {reason}. He was admitted on {people.date()} and discharged three days later.",
        f"Please call {people.phone()} or write to {mail} with questions. Portal: {site}, uploaded from {ip}.",
        f"His pacemaker, serial number {pacemaker}, was checked. {first} will return in six months.",
        f"Electronically signed by {doctor[0]} {doctor[1]}, MD on {people.date()}",
    ]
    _lines(canvas, lines, 72, 720)
    return ["follow-up", "symptoms", *reason.split()[:2], "discharged", "six", "months"]


def _visits(canvas: Canvas, people: People) -> list[str]:
    """A table of visits."""
    columns = (("Date", 72), ("Patient", 150), ("Provider", 270), ("Account No.", 390), ("Amount", 490))
    canvas.setFont("Helvetica-Bold", 10)
    for head, x in columns:
        canvas.drawString(x, 700, head)
    canvas.setFont("Helvetica", 10)
    canvas.line(70, 694, 545, 694)
    for row in range(6):
        first, last = people.named()
        doctor = people.word()
        people.tell("name", doctor)
        cells = [
            people.date(),
            f"{first} {last}",
            f"{doctor}, MD",
            people.code("account_number", "66#####"),
            f"{20 + row}.50",
        ]
        for (_, x), text in zip(columns, cells, strict=True):
            canvas.drawString(x, 676 - 20 * row, text)
    return ["Amount", "20.50", "25.50"]


def _lab(canvas: Canvas, people: People) -> list[str]:
    """A laboratory report."""
    first, last = people.named()
    ordering = people.named()
    city, state, zip_code = people.town()
    _lines(
        canvas,
        [
            "Laboratory Report",
            f"{people.street()}, {city}, {state} {zip_code}",
            f"Phone: {people.phone()}  Fax: {people.phone('fax')}",
            f"Patient: {last.upper()}, {first.upper()}",
            f"DOB: {people.date()}   Sex: M   Patient ID: {people.code('medical_record_number', '@@######')}",
            f"Ordering Physician: {ordering[0]} {ordering[1]}, M.D.",
            f"Collected: {people.date()} 08:15   Reported: {people.date()} 14:02",
            f"Accession No.: {people.code('other', '2#-####-#####')}",
        ],
        72,
        730,
    )
    for number, row in enumerate(RESULTS):
        for cell, x in zip(row, (72, 220, 300, 400), strict=True):
            canvas.drawString(x, 540 - 18 * number, cell)
    return ["Glucose", "112", "mg/dL", "136-145", "Platelets", "243000", "White", "Blood", "Cells"]


_KINDS = {"face": _face, "boxes": _boxes, "note": _note, "visits": _visits, "lab": _lab}
KINDS = tuple(_KINDS)


def write(folder: Path, kind: str, seed: int) -> tuple[Path, Paper]:
    """The paper on disk."""
    made = paper(kind, seed)
    path = folder / f"{kind}-{seed}.pdf"
    path.write_bytes(made.pdf)
    return path, made
