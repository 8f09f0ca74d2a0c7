"""Forms that are filed with an office: who files, what it is, and the stamp that says when it came in."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.extraction.embedded import extract
from heliograph.extraction.schema import compile_schema
from heliograph.media.document import Document, Line, Word
from heliograph.media.geometry import Box, union
from tests.unit.extraction.drawing import DATE, HEIGHT, WIDTH, ask, document

KIND = {"type": ["string", "null"], "description": "Type of the document"}
NAME = {"type": ["string", "null"], "description": "Name of the registrant"}

SHORT = """
Office of Lighthouses              Short-Form Registration Statement
                                   Pursuant to the Lamps Act

1. Name                            2. Registration No.
Ada Quill                          6210
3. Residence                       4. Business
12 Quay Road                       3 Mill Lane
5. Year of birth                   6. Citizenship
1966                               none
8. What is the name and address of the primary registrant?    12 Harbour Street NW
Name                                                          Address
Harbour Signal Partners LLC                                   Dover 20005
"""
AMENDMENT = """
Office of Lighthouses

1. Name of Registrant              2. Registration No.
THE LANTERN                        1995
HARBOUR BOARD
3. This amendment is filed to accomplish the following purpose:
   Supplemental Statement
4. Documents
5. Reasons
"""


def file(made: str | Document, **fields: Any) -> dict[str, Any]:
    schema = {"type": "object", "title": "Registration statement", "properties": fields}
    return extract(document(made) if isinstance(made, str) else made, compile_schema(schema)).values


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("Short-Form Registration Statement", "Short-Form"),
        ("Amendment to Registration Statement", "Amendment"),
        ("EXHIBIT A TO REGISTRATION STATEMENT", "EXHIBIT A"),
        ("Supplemental Statement", "Supplemental Statement"),
        ("Registration Statement", "Registration Statement"),
    ],
)
def test_the_type_of_a_document_is_what_tells_it_from_others_of_the_schemas_kind(heading: str, kind: str) -> None:
    assert file(f"{heading}\n\nOffice of Lighthouses\nName of Registrant: Harbour Signals", document_type=KIND) == {"document_type": kind}


def test_a_form_whose_heading_is_not_read_is_what_it_calls_itself() -> None:
    assert file(AMENDMENT, document_type=KIND) == {"document_type": "amendment"}


def test_a_name_asked_for_alone_takes_up_its_box() -> None:
    assert file(AMENDMENT, registrant_name=NAME) == {"registrant_name": "THE LANTERN HARBOUR BOARD"}


def test_a_question_for_name_and_address_is_answered_by_the_name_under_it() -> None:
    assert file(SHORT, registrant_name=NAME) == {"registrant_name": "Harbour Signal Partners LLC"}


def test_a_stamp_on_end_says_when_a_form_came_in() -> None:
    made = document(SHORT)
    page = made.pages[0]
    first = len(page.words)
    for number, text in enumerate(("2009", "MAR", "3", "PM", "2:", "45")):
        y = 200 + 24 * number
        box = Box.from_xyxy(500, y, 520, y + 20, width=WIDTH, height=HEIGHT, page=0)
        page.words.append(Word(text, box, 0.9, len(page.lines), 20.0))
    words = list(range(first, len(page.words)))
    page.lines.append(Line("2009 MAR 3 PM 2: 45", union(page.words[i].box for i in words), words))
    assert file(made, filing_date=DATE, registrant_name=NAME) == {
        "filing_date": "2009-03-03",
        "registrant_name": "Harbour Signal Partners LLC",
    }


def test_a_date_with_a_label_of_its_own_is_no_stamp() -> None:
    assert file("Registration Statement\n\nPrint Date  03/04/2020 09:16:08", filing_date=DATE) == {"filing_date": None}
    assert file("Registration Statement\n\n03/04/2020 09:16:08", filing_date=DATE) == {"filing_date": "2020-04-03"}


def test_the_address_in_the_next_box_is_no_name() -> None:
    found = ask("Name of Registrant: Address Washington Row\nSeller: Adresse Rue Haute", registrant_name="string", seller_name="string")
    assert found.values == {"registrant_name": None, "seller_name": None}
