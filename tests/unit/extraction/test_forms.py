"""Forms of boxes, boxes to tick, and parties that stand side by side."""

from __future__ import annotations

from typing import Any

from heliograph.media.document import Cell, Document, Table
from heliograph.media.geometry import Box
from tests.unit.extraction.drawing import HEIGHT, ROW, WIDTH, ask, document, page

FORM = """
1 Rents                     2 Royalties
          90,000
3 Other income              4 Federal tax
                               withheld
             450                  15,110
5 Name of the owner         6 Country
Ada Quill                   Brazil
"""


def ruled(text: str, *columns: tuple[float, float], height: int) -> Document:
    """The page with a ruled table: cells of `height` rows, each as wide as a pair of characters' columns says."""
    made = page(text)
    rows = len(text.strip("\n").split("\n")) // height
    cells: list[Cell] = []
    for row in range(rows):
        for column, (x0, x1) in enumerate(columns):
            box = Box.from_xyxy(
                20 + x0 * 5, 26 + row * height * ROW, 20 + x1 * 5, 26 + (row + 1) * height * ROW, width=WIDTH, height=HEIGHT, page=0
            )
            words = [i for i, word in enumerate(made.words) if box.x <= word.box.cx < box.x1 and box.y <= word.box.cy < box.y1]
            cells.append(Cell(" ".join(made.words[i].text for i in words), box, row, column, words=words))
    made.tables = [Table(Box(0, 0, 1, 1, 0), rows, len(columns), cells, score=0.95)]
    return Document("application/pdf", 1, [made])


REQUEST = """
             Request and Certification
Give this form to the requester. Do not send it to the bank.
1 Name (as shown on the permit)                  Ada Quill Ltd.
2 Business name/other name, if different from above
3 Kind of business
☐ Private Corporation     ☒ Limited liability company
Exempt payee code (if any)
4 Address (number, street, and apt. no.)         12 Quay Road
5 City, state, and ZIP code                      Macon, GA 61829
6 List account number(s) here
"""


def test_a_forms_own_print_answers_no_field_that_was_left_empty() -> None:
    found = ask(REQUEST, business_name="string", exempt_payee_code="string", requester="string", state_number="string")
    assert found.values == {"business_name": None, "exempt_payee_code": None, "requester": None, "state_number": None}


def test_what_a_box_to_tick_stands_for_is_nobodys_name() -> None:
    text = "☐ Quill Trading Corporation   ☒ Quay Company Limited"
    assert ask(text, seller_name="string").values == {"seller_name": None}


def test_an_empty_caption_is_not_answered_with_the_name_at_the_head_of_the_paper() -> None:
    text = "Harbour Trust Association\n12 Quay Road\n\nName          Ada Quill\nEmployer\nNationality   British"
    found = ask(text, employer="string", nationality="string")
    assert found.values == {"employer": None, "nationality": "British"}


def test_a_column_of_labels_gives_an_empty_one_no_value() -> None:
    text = (
        "Name                Ada Quill\nNationality         British\nEmployer\nStart of duty       3 Apr 2023\nHobby               Rowing"
    )
    found = ask(text, employer="string", nationality="string")
    assert found.values == {"employer": None, "nationality": "British"}


def test_the_further_words_of_a_label_are_not_its_value() -> None:
    text = "Agency Name               Harbour Media\nAdvertiser/Candidate      Committee to Elect Quill"
    found = ask(text, agency="string", advertiser="string")
    assert found.values == {"agency": "Harbour Media", "advertiser": "Committee to Elect Quill"}


def test_a_numbered_box_holds_its_value_and_not_the_next_ones() -> None:
    found = ask(
        FORM, rents="string", royalties="string", federal_tax_withheld="string", name_of_the_owner="string", country="string"
    ).values
    assert found == {
        "rents": "90,000",
        "royalties": None,
        "federal_tax_withheld": "15,110",
        "name_of_the_owner": "Ada Quill",
        "country": "Brazil",
    }


def test_an_empty_ruled_box_is_not_filled_from_beside_it() -> None:
    text = """
1 Rents             2 Royalties      3 Fees
$      90,000       $                $ 12
4 Prizes            5 Wages          6 Tips
$ 7                 $ 8              $
"""
    found = ask(ruled(text, (0, 19), (19, 36), (36, 60), height=2), rents="string", royalties="string", fees="string", tips="string").values
    assert found == {"rents": "90,000", "royalties": None, "fees": "$ 12", "tips": None}


def test_boxes_that_begin_alike_are_told_apart_by_what_differs() -> None:
    flags = dict.fromkeys(("entity_partnership", "entity_trust", "entity_corporation"), "boolean")
    found = ask("☐ Partnership    ☑ Trust/estate    ☐ Corporation", **flags).values
    assert found == {"entity_partnership": False, "entity_trust": True, "entity_corporation": False}


def test_a_value_over_its_label_is_found_where_one_signs() -> None:
    made = document("Ada Quill\nPrinted name")
    for word in made.pages[0].words[:2]:
        word.size = 12.0
    assert ask(made, printed_name="string").values == {"printed_name": "Ada Quill"}


INVOICE = """
Brightwater Instruments Ltd
7 Signal Hill, Whitcombe Bay WB4 2LT
info@brightwater.example    +44 1632 960142

Ship to                    Bill to                      VAT number    GB 123 4567 82
Ridge Station              Northgate Trust
2 Upper Fell Lane          31 Meridian Road
Oakhaven OH9 3BD           Ferry Town OH1 7QS

Terms       30 days net
Account name    Brightwater Instruments Ltd
"""


def test_who_pays_is_not_where_the_goods_go() -> None:
    place = {"type": "object", "properties": {"street": {"type": "string"}, "postal_code": {"type": "string"}}}
    found = ask(INVOICE, customer="string", customer_billing_address=place, customer_shipping_address=place).values
    assert found == {
        "customer": "Northgate Trust",
        "customer_billing_address": {"street": "31 Meridian Road", "postal_code": "OH1 7QS"},
        "customer_shipping_address": {"street": "2 Upper Fell Lane", "postal_code": "OH9 3BD"},
    }


def test_the_end_of_a_tax_number_is_no_rate_and_the_issuer_no_bank() -> None:
    bank = {"type": "object", "properties": {"bank_name": {"type": "string"}, "account_holder_name": {"type": "string"}}}
    found = ask(INVOICE, tax_percentage="number", bank_details=bank, payment_terms="string", issuer_phone="string").values
    assert found == {
        "tax_percentage": None,
        "bank_details": {"bank_name": None, "account_holder_name": "Brightwater Instruments Ltd"},
        "payment_terms": "30 days net",
        "issuer_phone": "+44 1632 960142",
    }


def test_a_masked_card_says_how_was_paid() -> None:
    paid: dict[str, Any] = {"type": "object", "properties": {name: {"type": "string"} for name in ("type", "card_last_4", "card_type")}}
    paid["properties"]["type"]["description"] = "Type of payment"
    for card in ("VISA **** **** **** 4821", "VISA    ****    ****    4821"):
        found = ask(
            f"Coast Market\nTOTAL   76.10\n{card}   76.10\nReturns within 30 days with receipt", payment_method=paid, return_policy="string"
        )
        assert found.values == {
            "payment_method": {"type": "VISA", "card_last_4": "4821", "card_type": "VISA"},
            "return_policy": "Returns within 30 days with receipt",
        }


def test_an_open_map_holds_what_the_document_labels_and_no_field_asks_for() -> None:
    text = "Permit no: QX-81\nVessel: Northern Star\nDraught: 4.2 m\nhttps://harbour.example"
    rest = {"type": "object", "additionalProperties": {"type": "string"}}
    found = ask(text, vessel="string", details=rest)
    assert found.values == {"vessel": "Northern Star", "details": {"Permit no": "QX-81", "Draught": "4.2 m"}}
    assert found.leaves["details", "Draught"].evidence[0].content == "4.2 m"
    numbers = {"type": "object", "additionalProperties": {"type": "number"}}
    assert ask(text, details=numbers).values["details"] == {"Draught": 4.2}


def test_a_tuple_is_answered_whole_or_not_at_all() -> None:
    span = {"type": "array", "prefixItems": [{"type": "number", "title": "Latitude"}, {"type": "number", "title": "Longitude"}]}
    assert ask("Latitude: 51.5   Longitude: 7.25", position=span).values == {"position": [51.5, 7.25]}
    assert ask("Latitude: 51.5", position=span).values == {"position": []}


def test_an_empty_field_says_how_surely_the_document_lacks_it() -> None:
    lacking = ask(INVOICE, passport_number="string").leaves["passport_number",]
    doubtful = ask(INVOICE, ship_signature_terms="string").leaves["ship_signature_terms",]
    assert lacking.value is None
    assert doubtful.value is None
    assert 0.0 < doubtful.probability < lacking.probability < 1.0
