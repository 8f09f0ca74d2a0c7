"""The JSON Schemas that drawn documents are asked with: short ways to write them, and those of the engine's domains."""

from __future__ import annotations

from typing import Any

from heliograph.extraction.domains import catalog
from training.drawing.content import Json

NOWHERE: dict[str, str] = {
    "passport_number": "Passport number",
    "blood_type": "Blood type",
    "vehicle_vin": "Vehicle identification number",
    "isbn": "ISBN of a book",
    "flight_number": "Flight number",
    "vessel_name": "Name of the ship",
    "iban": "International bank account number",
}
"""Fields that a kind of document does not hold, to see what is made up."""


def text(description: str, **more: Any) -> Json:
    """A text that may be missing."""
    return {"type": ["string", "null"], "description": description, **more}


def day(description: str) -> Json:
    """A date that may be missing."""
    return text(description, format="date")


def number(description: str) -> Json:
    """A number that may be missing."""
    return {"type": ["number", "null"], "description": description}


def flag(description: str) -> Json:
    """A box that may be ticked."""
    return {"type": ["boolean", "null"], "description": description}


def rows(description: str, /, **columns: Json) -> Json:
    """A list of objects."""
    return {
        "type": ["array", "null"],
        "description": description,
        "items": {"type": ["object", "null"], "properties": columns},
    }


def asked(title: str, /, absent: tuple[str, ...] = ("passport_number", "blood_type", "vehicle_vin", "isbn"), **properties: Json) -> Json:
    """A schema of these fields and of the `absent` ones, which the documents cannot hold."""
    made = properties | {name: text(NOWHERE[name]) for name in absent}
    return {"title": title, "type": "object", "properties": made, "x-absent": list(absent)}


def of_domain(name: str) -> dict[str, Json]:
    """The schema of one of the engine's domains, as the only one of its kind."""
    return {"": catalog()[name].json_schema}
