"""Forms that are filled in: boxes under captions, blanks in and under sentences, combs of digits, boxes to tick, numbered lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from heliograph.media.document import Document, Page
from heliograph.media.geometry import Box
from tests.unit.extraction.drawing import CHARACTER, HEIGHT, ROW, WIDTH, ask, page


def drawn(
    text: str, *, across: Sequence[tuple[float, float, float]] = (), down: Sequence[tuple[float, float, float]] = (), bold: str = ""
) -> Document:
    """The page with lines: across at the top of a row from column to column, down at a column from row to row; words of `bold` are bold."""
    made: Page = page(text)
    for row, first, last in across:
        y = 30 + row * ROW - 3
        made.rules.append(Box.from_xyxy(20 + first * CHARACTER, y, 20 + last * CHARACTER, y + 1, width=WIDTH, height=HEIGHT))
    for column, first, last in down:
        x = 20 + column * CHARACTER
        made.rules.append(
            Box.from_xyxy(x, 27 + first * ROW, x + 1, 27 + last * ROW, width=WIDTH, height=HEIGHT),
        )
    for word in made.words:
        word.bold = word.text in bold.split()
    return Document("application/pdf", 1, [made])


DECLARATION = """
Declaration of goods brought in
Name of traveller                              Country of residence
Ilse Brandt                                    Norway
Permanent address (street and number)
4 Pier Lane
City or town, postal code                      Country
Halden 1771                                    Norway
Mailing address (if different from above)
PO Box 9
City or town, postal code                      Country
Moss 1530                                      Sweden
Flight or vessel                               Number of persons

"""


def declaration() -> Document:
    edges = [(row, 0, 90) for row in (1, 3, 5, 7, 9, 11, 13)]
    values = "Ilse Brandt Norway 4 Pier Lane Halden 1771 PO Box 9 Moss 1530 Sweden"
    return drawn(DECLARATION, across=edges, down=[(45, 1, 3), (45, 5, 7), (45, 9, 13)], bold=values)


def test_boxes_that_are_open_at_their_sides_hold_what_stands_under_their_captions() -> None:
    found = ask(declaration(), traveller_name="string", residence_country="string", flight="string", number_of_persons="string").values
    assert found == {"traveller_name": "Ilse Brandt", "residence_country": "Norway", "flight": None, "number_of_persons": None}


def test_a_town_is_asked_for_under_the_address_that_it_belongs_to() -> None:
    found = ask(declaration(), permanent_street="string", permanent_city="string", mailing_city="string", mailing_country="string").values
    assert found == {
        "permanent_street": "4 Pier Lane",
        "permanent_city": "Halden 1771",
        "mailing_city": "Moss 1530",
        "mailing_country": "Sweden",
    }


INCOME = """
PAYER'S name, address, city and ZIP code     RECIPIENT'S name
Quill Trading Corporation                    Noor Tolliver
12 Quay Road
Macon, GA 61829
Street address (including apt. no.)          City or town, state, and ZIP code
14 Mill Road                                 Bangor, ME 75704
PAYER'S telephone                            Country of residence
820 555 0149                                 Norway
"""


def test_a_part_of_an_address_comes_from_the_box_that_asks_for_it() -> None:
    edges = [(row, 0, 90) for row in (0, 4, 6, 8)]
    values = "Quill Trading Corporation Noor Tolliver 12 Quay Road Macon, GA 61829 14 Mill Bangor, ME 75704 820 555 0149 Norway"
    made = drawn(INCOME, across=edges, down=[(42, 0, 8)], bold=values)
    street = {"type": ["string", "null"], "description": "Recipient's street address"}
    town = {"type": ["string", "null"], "description": "City or town, state and ZIP code of the recipient"}
    found = ask(made, recipient_address=street, recipient_city=town, state_number="string").values
    assert found == {"recipient_address": "14 Mill Road", "recipient_city": "Bangor, ME 75704", "state_number": None}


WRAPPED = """
1 TRADE NAME/OTHER NAME, IF DIFFERENT FROM   2 EMPLOYER IDENTIFICATION
ABOVE                                        NUMBER

3 COUNTRY OF RESIDENCE                       4 NAME OF TRAVELLER
Norway                                       Ilse Brandt
5 PLACE OF BIRTH                             6 REASON OF THE JOURNEY
Halden                                       Baker
"""


def test_the_second_line_of_a_caption_is_not_what_was_filled_in() -> None:
    edges = [(row, 0, 90) for row in (0, 3, 5, 7)]
    made = drawn(WRAPPED, across=edges, down=[(42, 0, 7)])
    found = ask(made, trade_name="string", employer_identification_number="string").values
    assert found == {"trade_name": None, "employer_identification_number": None}


CERTIFICATE = """
Part II  Claim of relief
I certify that the applicant is a resident of   Portugal       within the meaning of the treaty
and claims the provisions of Article and paragraph
   12          of the treaty to claim a     5     % rate of withholding on (specify type of income):
Royalties on books

                                05-05-2021
        Signature               Date of signing               Capacity in which acting
"""


def certificate() -> Document:
    blanks = [(2, 46, 62), (4, 2, 14), (4, 40, 49), (5, 0, 60), (7, 4, 25), (7, 30, 50), (7, 54, 90)]
    return drawn(CERTIFICATE, across=blanks, bold="Portugal 12 5 Royalties books 05-05-2021")


def test_a_blank_in_a_sentence_is_named_by_the_words_before_or_behind_it() -> None:
    found = ask(
        certificate(), claim_resident_of="string", article_paragraph="string", withholding_rate="string", type_of_income="string"
    ).values
    assert found == {
        "claim_resident_of": "Portugal",
        "article_paragraph": "12",
        "withholding_rate": "5",
        "type_of_income": "Royalties on books",
    }


def test_a_line_to_sign_on_is_named_by_the_words_under_it_and_may_be_empty() -> None:
    found = ask(certificate(), date_of_signing="string", capacity_acting="string").values
    assert found == {"date_of_signing": "05-05-2021", "capacity_acting": None}


def test_digits_in_places_of_their_own_are_one_number_with_the_dashes_between_them() -> None:
    text = "Enter your number in the boxes\nSocial security number\n\n1  2  3  –  4  5  –  6  7  8  9\n"
    teeth = [(column, 3, 4.2) for column in range(-1, 36, 3)]
    found = ask(drawn(text, down=teeth), ssn="string").values
    assert found == {"ssn": "123-45-6789"}


WAGES = """
1 Wages, tips, other pay      2 Federal tax withheld
41,250.00                     6,130.00
3 Security wages              4a Local wages
40,000.00                     39,000.00
5 Allocated tips              6 Dependent care benefits
                              700.00
"""


def test_a_field_may_name_its_box_by_number() -> None:
    form = drawn(WAGES, across=[(row, 0, 60) for row in (0, 2, 4, 6)], down=[(28, 0, 6), (0, 0, 6), (60, 0, 6)])
    found = ask(form, box_1="string", line_4a_local="string", box_2_withheld="string", box_5_tips="string").values
    assert found == {"box_1": "41,250.00", "line_4a_local": "39,000.00", "box_2_withheld": "6,130.00", "box_5_tips": None}


CLASSES = """
3 Check the box for the legal status
☐ Sole trader or single-member LLC     ☐ C Corporation     ☐ S Corporation
☑ Limited liability company. Enter the class        ☐ Other (see instructions)
Is a licence held?     ☐ Yes   ☑ No
Are goods stored?      ☐ Yes   ☐ No
"""


def test_a_box_to_tick_may_be_asked_for_by_initials() -> None:
    kinds = ("kind_llc", "kind_c_corp", "kind_s_corp", "kind_sole_trader", "kind_other")
    assert ask(CLASSES, **dict.fromkeys(kinds, "boolean")).values == {kind: kind == "kind_llc" for kind in kinds}


def test_of_yes_and_no_the_ticked_one_answers_the_question_before_them() -> None:
    assert ask(CLASSES, licence_held="boolean", goods_stored="boolean").values == {"licence_held": False, "goods_stored": None}


def test_the_ticked_box_of_a_group_is_the_answer_to_what_heads_it() -> None:
    kinds: dict[str, Any] = {"enum": ["c_corporation", "limited_liability_company", "other", None]}
    found = ask(CLASSES, legal_status="string", company_class=kinds).values
    assert found == {"legal_status": "Limited liability company", "company_class": "limited_liability_company"}


def test_of_two_copies_on_a_page_the_filled_one_is_read() -> None:
    copy = "1 Wages paid           2 Tax withheld\n{}                  {}\n3 Fees                 4 Tips\n"
    copy += "                       \n5 Rents                6 Prizes\n\n"
    text = copy.format("     ", "     ") + copy.format("9,100", "1,200")
    form = drawn(text, across=[(row, 0, 50) for row in range(0, 13, 2)], down=[(21, 0, 12), (0, 0, 12), (50, 0, 12)])
    assert ask(form, wages_paid="string", tax_withheld="string", fees="string").values == {
        "wages_paid": "9,100",
        "tax_withheld": "1,200",
        "fees": None,
    }


def test_lines_typed_with_underscores_are_blanks() -> None:
    text = "Vessel: ________________   Master: Ada Quill ________\nPort of call: ________________\nDraught in metres: ____"
    assert ask(text, vessel="string", port_of_call="string").values == {"vessel": None, "port_of_call": None}


STATEMENT = """
b Employer number (EIN)                     1 Wages, tips, other compensation
  84-2200417                                52,310.45
c Employer's name, address, and ZIP code    3 Security wages
  Fjord Instruments Inc                     54,000.00
  12 Harbour Road                           5 Allocated tips
  Duluth MN 55802                           -
e Employee's first name     Last name       6 Plans  7 Statutory employee ☐   Retirement plan ☑   Sick pay ☐
  Ada M                     Quill           -
"""


def test_a_statement_of_wages_is_read_box_by_box() -> None:
    across = [(row, 0, 118) for row in (0, 2, 6, 8)] + [(4, 43, 118)]
    form = drawn(STATEMENT, across=across, down=[(0, 0, 8), (43, 0, 8), (118, 0, 8), (26, 6, 8), (52, 6, 8)])
    found = ask(
        form,
        employer_ein="string",
        employer_name="string",
        employer_address="string",
        wages="number",
        box_5="number",
        employee_first_name="string",
        employee_last_name="string",
        statutory_employee="boolean",
        retirement_plan="boolean",
    ).values
    assert found == {
        "employer_ein": "84-2200417",
        "employer_name": "Fjord Instruments Inc",
        "employer_address": "12 Harbour Road Duluth MN 55802",
        "wages": 52310.45,
        "box_5": None,
        "employee_first_name": "Ada M",
        "employee_last_name": "Quill",
        "statutory_employee": False,
        "retirement_plan": True,
    }
