"""Reading the JSON in replies: what stands around it, slips with one meaning, cuts at every place, and text of any size."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.extraction.prompted.continuing import Seam, circles, grafted, kept, unrolled
from heliograph.extraction.prompted.replies import MAX_DEPTH, likelihoods, parse
from heliograph.models.contract import Token

ANSWER: dict[str, Any] = {
    "company": 'Zoë "Tea" Müller\n株式会社 😀 {not [a] brace}',
    "total": -12.5e2,
    "seller": {"name": "A", "ids": [1, 2]},
    "items": [{"name": f"Article {number}", "price": number, "tags": ["x", None]} for number in range(5)],
    "paid": True,
    "note": None,
}
TEXT = json.dumps(ANSWER, ensure_ascii=False)
TEXTS = st.text(st.characters(codec="utf-8"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(TEXTS, JSON, min_size=1, max_size=4) | st.lists(JSON, min_size=1, max_size=4), st.booleans())
def test_json_is_read_as_python_reads_it(value: Any, ascii: bool) -> None:
    for indent in (None, 2):
        parsed = parse(json.dumps(value, ensure_ascii=ascii, indent=indent))
        assert parsed.complete
        assert parsed.value == value


@pytest.mark.parametrize("ending", ['"}', "", '"}\n```'])
def test_what_a_document_says_is_not_taken_for_the_models_thoughts(ending: str) -> None:
    text = '{"note": "a <think>hm</think> in the text", "more": "</reasoning> and so on' + ending
    fenced = f"```json\n{text}" if ending.endswith("```") else text
    assert parse(fenced).value["note"] == "a <think>hm</think> in the text"


def test_every_valid_document_of_the_parsing_suite_is_read_and_none_raises(shared_data: Path) -> None:
    folder = shared_data / "json_parsing_nst" / "items"
    read = 0
    for path in sorted(folder.glob("*.json")):
        text = path.read_bytes().decode("utf-8", "replace")
        parsed = parse(text, spans=True)
        if path.name.startswith("y_"):
            read += 1
            assert parsed.complete, path.name
            assert parsed.value == json.loads(text), path.name
    assert read > 30


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{TEXT}\n```",
        f"Here you are [1], as {{asked}}:\n\n{TEXT}\n\nAnything else?",
        f"<think>Maybe {{\"company\": \"no\"}}?</think>{TEXT}",
        f"maybe {{\"company\": \"no, no, this is long enough to be taken for it\" }} </think>\n{TEXT}",
        f"\ufeff{TEXT}",
        f"{TEXT}\n\n\n" + "\n" * 50_000,
    ],
)  # fmt: skip
def test_what_stands_around_the_value_is_passed_over(text: str) -> None:
    parsed = parse(text)
    assert (parsed.value, parsed.complete) == (ANSWER, True)
    assert text[parsed.start : parsed.end] == TEXT


@pytest.mark.parametrize(
    ("text", "value", "note"),
    [
        ('{"a": 1, "b": [1, 2,],}', {"a": 1, "b": [1, 2]}, "trailing comma"),
        ("{'a': 'it is', 'b': 1}", {"a": "it is", "b": 1}, "single quotes"),
        ("{a: 1, b_2: null}", {"a": 1, "b_2": None}, "bare keys"),
        ('{"a": True, "b": None}', {"a": True, "b": None}, "True for JSON"),
        ('{"a": NaN, "b": -Infinity}', {"a": None, "b": None}, "NaN for JSON"),
        ('{"a": 1 // one\n, /* two */ "b": 2}', {"a": 1, "b": 2}, "comments"),
        ('[{"a": 1} {"a": 2}]', [{"a": 1}, {"a": 2}], "missing comma"),
        ('{"a": "x"\n"b": 2}', {"a": "x", "b": 2}, "missing comma"),
        (r'{"a": "C:\docs, 5\% and it\'s"}', {"a": r"C:\docs, 5\% and it's"}, "unknown escapes"),
        ('{"a": 007}', {"a": "007"}, "number"),
        ('{"a": 1e999}', {"a": None}, "a number beyond measure"),
        ('{"a": %s}' % ("1" * 5_000), {"a": None}, "a number without end"),
        ('{"a": 1, "a": null, "b": 2}', {"a": 1, "b": 2}, "repeated key"),
    ],
)  # fmt: skip
def test_slips_with_one_meaning_are_read_as_meant(text: str, value: Any, note: str) -> None:
    parsed = parse(text)
    assert (parsed.value, parsed.complete) == (value, True)
    assert note in parsed.notes


@pytest.mark.parametrize(
    ("text", "value", "cut"),
    [
        ("{'a': 1, 'b': 'it's mine, isn't it'}", {"a": 1}, ()),
        ('{"a": 1, "b": 1,234.50}', {"a": 1, "b": 1}, ()),
        ('{"a": "He said "hi" to me"}', {"a": "He said "}, ()),
        ('{"a": 12 USD}', {"a": 12}, ()),
    ],
)
def test_what_could_mean_two_things_ends_the_value(text: str, value: Any, cut: Any) -> None:
    parsed = parse(text)
    assert (parsed.value, parsed.complete) == (value, False)


@pytest.mark.parametrize("text", ["", "   ", "No.", "I cannot [really] answer {that}.", "<think>{}", "```json\n```", "}", "]"])
def test_a_reply_without_json_holds_nothing(text: str) -> None:
    assert parse(text).found is False


def test_a_scalar_alone_is_a_value() -> None:
    assert [parse(text).value for text in ("12.5", " null ", '"x"', "```json\ntrue\n```")] == [12.5, None, "x", True]


def test_letters_that_cannot_be_written_become_others() -> None:
    assert parse('{"a": "\\ud800 x", "b": "\\ud83d\\ude00"}').value == {"a": "\ufffd x", "b": "😀"}


def test_wherever_a_reply_is_cut_what_is_whole_is_kept_and_nothing_is_halved() -> None:
    scalars = {json.dumps(path): value for path, value in _scalars(ANSWER)}
    for end in range(1, len(TEXT)):
        parsed = parse(TEXT[:end])
        assert not parsed.complete
        assert parsed.cut is not None
        for path, value in _scalars(parsed.value):
            assert scalars[json.dumps(path)] == value, TEXT[:end]
        assert TEXT.startswith(TEXT[parsed.start : parsed.end])
        again = parse(TEXT[: parsed.end] + TEXT[parsed.end :])
        assert again.value == ANSWER


def test_wherever_a_reply_is_cut_it_can_be_gone_on_with() -> None:
    for end in range(1, len(TEXT)):
        parsed = parse(TEXT[:end])
        assert parsed.cut is not None
        seam = Seam.at(parsed.cut)
        more = dict(ANSWER)
        if seam.rows == ("items",):
            more["items"] = ANSWER["items"][seam.whole :]
        elif seam.rows == ("seller", "ids"):
            more["seller"] = {"ids": ANSWER["seller"]["ids"][seam.whole :]}
        made, where = grafted(parsed.value, seam, more)
        assert made == ANSWER, TEXT[:end]
        assert seam.rows != ("items",) or where(("items", 0, "price")) == ("items", seam.whole, "price")
        assert grafted(parsed.value, seam, ANSWER)[0] == ANSWER or seam.rows == ("seller", "ids")


def test_the_row_that_was_cut_is_asked_for_again_and_kept_if_it_does_not_come() -> None:
    parsed = parse('{"items": [{"name": "a", "price": 1}, {"name": "b", "pri')
    assert parsed.cut == ("items", 1)
    seam = Seam.at(parsed.cut)
    assert kept(parsed.value, seam) == {"items": [{"name": "a", "price": 1}]}
    assert grafted(parsed.value, seam, {"items": []})[0] == parsed.value
    assert grafted(parsed.value, seam, {"items": [{"name": "b", "price": 2}]})[0]["items"][1] == {"name": "b", "price": 2}


def test_words_that_may_come_twice_are_not_taken_for_repeats() -> None:
    seam = Seam(("tags", 2), ("tags",), 2)
    assert grafted({"tags": ["a", "b"]}, seam, {"tags": ["b", "c"]})[0] == {"tags": ["a", "b", "b", "c"]}


def test_a_model_going_round_in_circles_is_seen() -> None:
    rows = [{"a": 1}, *[{"a": 2}] * 20]
    seam = Seam(("items", 21), ("items",), 21)
    assert circles({"items": rows}, seam)
    assert unrolled({"items": rows}, seam) == {"items": [{"a": 1}, {"a": 2}]}
    assert not circles({"items": rows[:10]}, Seam(("items", 10), ("items",), 10))
    assert not circles({"items": rows}, Seam(("note",)))


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"items": [{"name": "x" * 20, "price": number * 1.5} for number in range(20_000)]})[:-1_000],
        "[{" * 50_000, "{" * 200_000, "[" * 200_000, '{"a":"' + "x" * 1_000_000, '{"a":1}' + " " * 1_000_000, "[1" * 100_000,
        '{"a":' + "/*" * 100_000, '{"a": \'' + "it's " * 100_000, "{a} " * 100_000, '{"a":"' + "\\" * 200_001, "'" * 200_000,
        '{"a":' + "1" * 1_000_000, "{}" * 100_000, '{"":' * 100_000, "</think>" * 100_000,
    ],
)  # fmt: skip
def test_replies_of_any_size_take_time_in_proportion(text: str) -> None:
    began = time.process_time()
    parsed = parse(text, spans=True)
    assert time.process_time() - began < 2.5
    assert parsed.cut is None or len(parsed.cut) <= MAX_DEPTH


def test_each_scalar_has_the_likelihood_of_the_tokens_that_wrote_it() -> None:
    pieces = [
        ("{", -0.1),
        ('"a"', -0.1),
        (': "', -0.1),
        ("Zo", -1.0),
        ('ë", ', -3.0),
        ('"b": 1', -0.5),
        ("2.5", -0.25),
        (', "c": ["', -0.1),
        ('x"]}', -2.0),
    ]
    text = "".join(piece for piece, _ in pieces)
    found = likelihoods([Token(piece, logprob) for piece, logprob in pieces], text, parse(text, spans=True).spans)
    assert found[("b",)] == (-0.375, -0.5)
    assert found[("a",)][1] == -3.0
    assert found[("c", 0)] == ((-0.1 - 2.0) / 2, -2.0)


def test_tokens_of_another_text_say_nothing() -> None:
    text = '{"a": 1}'
    assert likelihoods([Token("other", -1.0)], text, parse(text, spans=True).spans) == {}
    assert likelihoods([], text, parse(text, spans=True).spans) == {}
    thought = [Token("<think>hm</think>", -9.0), Token('{"a": ', -0.5), Token("1}", -0.25)]
    assert likelihoods(thought, text, parse(text, spans=True).spans) == {("a",): (-0.25, -0.25)}


@settings(max_examples=300)
@given(st.text(alphabet="{}[]\",:'\\ \n\tab1-.etrufalsn/*`<>k", max_size=60))
def test_no_text_makes_it_fail(text: str) -> None:
    parsed = parse(text, spans=True)
    assert parsed.complete == (parsed.found and parsed.cut is None)
    for first, last in parsed.spans.values():
        assert 0 <= first < last <= len(text)


def _scalars(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict):
        return [found for key, child in value.items() for found in _scalars(child, (*path, key))]
    if isinstance(value, list):
        return [found for number, child in enumerate(value) for found in _scalars(child, (*path, number))]
    return [(path, value)]
