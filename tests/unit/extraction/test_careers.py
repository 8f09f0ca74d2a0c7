"""Chapters about a person's life: where entries begin, and what their heads and dates tell."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.extraction.normalise import Conventions
from heliograph.extraction.periods import period
from tests.unit.extraction.drawing import DATE, ask

TEXT = {"type": ["string", "null"]}


def _list(**fields: Any) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "object", "properties": fields}}


WORK = _list(
    company=TEXT,
    position=TEXT,
    location=TEXT,
    start_date=DATE,
    end_date=DATE,
    is_current={"type": ["boolean", "null"]},
    responsibilities={"type": "array", "items": {"type": "string"}},
)
EDUCATION = _list(institution=TEXT, degree=TEXT, field_of_study=TEXT, graduation_date=DATE)
LANGUAGES = _list(name=TEXT, level=TEXT)

ENGLISH = """
Ida Brandvold

EXPERIENCE
Nurse at Saltmarsh Hospital                                   03/2019 - Present
  • Runs the night shift of ward four
  • Trained six new colleagues
Assistant at Tern & Daughters Ltd.                            09/2014 - 02/2019
  • Ordered supplies

EDUCATION
University of Otterby
Bachelor of Science in Nursing                                June 2014

LANGUAGES
English (native), Norwegian (fluent)
"""
GERMAN = """
Lebenslauf

Berufserfahrung
seit 04/2021        Projektleiter, Brückner Anlagenbau GmbH, Kassel
                    - Leitung von vier Baustellen
                    - Angebote und Abnahmen
01/2017 - 03/2021   Ingenieur, Hallbach Technik AG, Fulda
                    - Statik von Hallen

Ausbildung
2010 - 2016   Diplom Bauingenieurwesen, Technische Universität Kassel

Sprachen
Deutsch - Muttersprache
Englisch - C1
"""
FRENCH = """
Expérience professionnelle
Boulangerie Lenoir SARL
Responsable des ventes
mars 2018 – aujourd'hui
• Gestion de deux boutiques
Cuivres du Nord SAS
Conseillère
juin 2015 – février 2018
• Accueil des clients

Formation
Licence en Gestion, Université de Valmont, 2015
"""


def test_entries_take_titles_employers_and_months_from_one_line_with_dates_at_the_right() -> None:
    got = ask(ENGLISH, work_experience=WORK).values["work_experience"]
    assert [(e["company"], e["position"]) for e in got] == [("Saltmarsh Hospital", "Nurse"), ("Tern & Daughters Ltd.", "Assistant")]
    assert [(e["start_date"], e["end_date"], e["is_current"]) for e in got] == [
        ("2019-03-01", None, True),
        ("2014-09-01", "2019-02-01", False),
    ]
    assert [e["responsibilities"] for e in got] == [
        ["Runs the night shift of ward four", "Trained six new colleagues"],
        ["Ordered supplies"],
    ]


def test_entries_with_dates_in_a_margin_at_the_left_begin_at_the_dates() -> None:
    got = ask(GERMAN, work_experience=WORK).values["work_experience"]
    assert [(e["company"], e["position"], e["location"]) for e in got] == [
        ("Brückner Anlagenbau GmbH", "Projektleiter", "Kassel"),
        ("Hallbach Technik AG", "Ingenieur", "Fulda"),
    ]
    assert [(e["start_date"], e["end_date"]) for e in got] == [("2021-04-01", None), ("2017-01-01", "2021-03-01")]
    assert got[0]["responsibilities"] == ["Leitung von vier Baustellen", "Angebote und Abnahmen"]


def test_entries_that_end_their_head_with_the_dates_begin_over_them_and_words_tell_which_line_is_the_employer() -> None:
    got = ask(FRENCH, work_experience=WORK).values["work_experience"]
    assert [(e["company"], e["position"]) for e in got] == [
        ("Boulangerie Lenoir SARL", "Responsable des ventes"),
        ("Cuivres du Nord SAS", "Conseillère"),
    ]
    assert [(e["start_date"], e["end_date"], e["is_current"]) for e in got] == [
        ("2018-03-01", None, True),
        ("2015-06-01", "2018-02-01", False),
    ]


@pytest.mark.parametrize(
    ("page", "school", "degree", "study"),
    [
        (ENGLISH, "University of Otterby", "Bachelor of Science", "Nursing"),
        (GERMAN, "Technische Universität Kassel", "Diplom", "Bauingenieurwesen"),
        (FRENCH, "Université de Valmont", "Licence", "Gestion"),
    ],
)
def test_a_degree_is_parted_from_its_field_and_its_school(page: str, school: str, degree: str, study: str) -> None:
    assert [(e["institution"], e["degree"], e["field_of_study"]) for e in ask(page, education=EDUCATION).values["education"]] == [
        (school, degree, study)
    ]


def test_a_year_alone_is_no_day_of_it() -> None:
    assert ask(FRENCH, education=EDUCATION).values["education"][0]["graduation_date"] is None
    assert ask(ENGLISH, education=EDUCATION).values["education"][0]["graduation_date"] == "2014-06-01"


@pytest.mark.parametrize(
    ("page", "spoken"),
    [(ENGLISH, [("English", "native"), ("Norwegian", "fluent")]), (GERMAN, [("Deutsch", "Muttersprache"), ("Englisch", "C1")])],
)
def test_languages_come_with_how_well_they_are_spoken(page: str, spoken: list[tuple[str, str]]) -> None:
    assert [(e["name"], e["level"]) for e in ask(page, languages=LANGUAGES).values["languages"]] == spoken


def test_chapters_side_by_side_keep_to_their_columns() -> None:
    page = """
Skills                   Experience
Weaving                  Tutor | Loom & Shuttle Ltd | 2019 - 2022
Dyeing                   Weaver | Dale Textiles Ltd | 2016 - 2019
"""
    got = ask(page, work_experience=WORK, skills=_list(name=TEXT)).values
    assert [(e["position"], e["company"]) for e in got["work_experience"]] == [
        ("Tutor", "Loom & Shuttle Ltd"),
        ("Weaver", "Dale Textiles Ltd"),
    ]
    assert [e["name"] for e in got["skills"]] == ["Weaving", "Dyeing"]


def test_named_lists_in_line_become_entries_and_a_longer_label_is_not_theirs() -> None:
    page = """
Databases: Firebird, MariaDB
Programming languages: Ada, Erlang
"""
    got = ask(page, databases=_list(name=TEXT), languages=_list(name=TEXT)).values
    assert [e["name"] for e in got["databases"]] == ["Firebird", "MariaDB"]
    assert got["languages"] == []


def test_things_with_a_price_are_no_list_of_names() -> None:
    priced = _list(name=TEXT, price={"type": ["number", "null"]})
    assert ask("Items: Lamp, Chair", items=priced).values["items"] == []


def test_projects_are_named_before_a_colon_or_over_their_description() -> None:
    fields = _list(name=TEXT, description=TEXT)
    page = "Projekte\nSeekarte: Tiefen für kleine Häfen\nWetterhahn: Wind an zwölf Orten\n\nInteressen\nSegeln"
    assert [(e["name"], e["description"]) for e in ask(page, projects=fields).values["projects"]] == [
        ("Seekarte", "Tiefen für kleine Häfen"),
        ("Wetterhahn", "Wind an zwölf Orten"),
    ]


def test_a_chapter_without_dates_and_a_page_without_chapters_give_no_work() -> None:
    assert ask("Experience\nI like to work with people.", work_experience=WORK).values["work_experience"] == []
    assert ask("Nurse at Saltmarsh Hospital  03/2019 - 04/2020", work_experience=WORK).values["work_experience"] == []


@pytest.mark.parametrize(
    ("text", "first", "last", "ongoing"),
    [
        ("September 2022 - November 2024", "2022-09-01", "2024-11-01", False),
        ("(01.02.2019 bis 31.03.2020)", "2019-02-01", "2020-03-31", False),
        ("2019-05 – heute", "2019-05-01", None, True),
        ("desde mayo de 2020", "2020-05-01", None, True),
        ("de abril de 2018 a junio de 2019", "2018-04-01", "2019-06-01", False),
        ("2004 - 2009", None, None, False),
    ],
)
def test_periods_are_read_in_many_ways_of_writing(text: str, first: str | None, last: str | None, ongoing: bool) -> None:
    found = period(text, Conventions(day_first=True))
    assert found is not None
    assert (found.first.iso, found.last.iso if found.last else None, found.ongoing) == (first, last, ongoing)


def test_numbers_that_are_no_years_are_no_periods() -> None:
    assert period("Room 2041.5, extension 20195", Conventions()) is None
