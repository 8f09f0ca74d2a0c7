"""A referral packet: a letter of two pages, the picture of an insurance card, and a lab report with a table."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from tests.unit.media.paper import Pdf

LETTER = [
    [
        "Patient Referral", "Date: 2026-03-04", "Referring provider: Dr. Ellen Marsh", "Patient name: Amara Okafor",
        "Date of birth: 1984-07-19", "Diagnosis: Type 2 diabetes mellitus",
    ],
    ["Reason for referral", "Reason: Poor glycaemic control despite metformin", "Urgency: Routine"],
]  # fmt: skip
CARD = ["Northwind Health", "Member name: Amara Okafor", "Member ID: NWH-5582-0917", "Group number: 40031"]
RESULTS = [("Hemoglobin", "13.2", "g/dL"), ("Glucose", "182", "mg/dL"), ("Creatinine", "0.9", "mg/dL")]

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "patient_name": {"type": ["string", "null"]},
        "date_of_birth": {"type": ["string", "null"], "format": "date"},
        "referring_provider": {"type": ["string", "null"]},
        "diagnosis": {"type": ["string", "null"]},
        "member_id": {"type": ["string", "null"], "description": "Member ID on the insurance card"},
        "group_number": {"type": ["string", "null"]},
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "test": {"type": ["string", "null"]},
                    "result": {"type": ["number", "null"]},
                    "unit": {"type": ["string", "null"]},
                },
            },
        },
    },
}


def letter() -> bytes:
    return _pdf(*LETTER)


def card() -> bytes:
    """The card as a picture, which has to be read by eye."""
    image = Image.new("RGB", (900, 520), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(34)
    for number, line in enumerate(CARD):
        draw.text((60, 50 + number * 90), line, fill="black", font=font)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def report(*, patient: str = "Amara Okafor", rows: list[tuple[str, str, str]] | None = None) -> bytes:
    """A report whose results are a ruled table."""
    made = Pdf()
    shown = [
        f"BT /F1 20 Tf 72 730 Td (Laboratory Report) Tj /F1 11 Tf 0 -36 Td (Patient name: {patient}) Tj",
        "0 -18 Td (Collected: 2026-02-27) Tj ET",
    ]
    table = [("Test", "Result", "Unit"), *(RESULTS if rows is None else rows)]
    top, height, lefts = 640, 24, (72, 260, 380, 500)
    for number, cells in enumerate(table):
        y = top - number * height
        shown += [f"BT /F1 11 Tf {x + 6} {y - 16} Td ({cell}) Tj ET" for x, cell in zip(lefts, cells, strict=False)]
    bottom = top - len(table) * height
    shown += [f"72 {top - number * height} m 500 {top - number * height} l S" for number in range(len(table) + 1)]
    shown += [f"{x} {top} m {x} {bottom} l S" for x in lefts]
    made.page("\n".join(shown).encode())
    return made.bytes()


def _pdf(*pages: list[str]) -> bytes:
    made = Pdf()
    for lines in pages:
        head, *rest = lines
        shown = [f"/F1 22 Tf 72 720 Td ({head}) Tj /F1 12 Tf 0 -40 Td", *(f"({line}) Tj 0 -22 Td" for line in rest)]
        made.page(f"BT {' '.join(shown)} ET".encode())
    return made.bytes()
