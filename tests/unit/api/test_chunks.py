from __future__ import annotations

import html
import json
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.agents.events import Asked, Event, Said, Shown, Thought
from heliograph.agents.outcome import Outcome
from heliograph.agents.task import ToolCall
from heliograph.api import calls, chunks, streaming
from heliograph.api.chunks import Voice
from heliograph.errors import InvalidRequest
from heliograph.store.events import Entry

ID = "0b7c9d4e-0000-4000-8000-000000000001"


def entry(event: Event, seq: int = 1) -> Entry:
    return Entry(seq, f"k{seq}", msgspec.json.encode(event).decode())


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_a_card_is_one_line_whose_attribute_is_its_json(value: object) -> None:
    line = chunks.line("preview.json", {"value": value})
    found = re.fullmatch(r"<preview data='([^'<>]*)'/>\n", line)
    assert found, line
    assert "\n" not in found[1]
    assert json.loads(html.unescape(found[1])) == {"type": "preview.json", "value": value}


def test_a_card_begins_a_line_of_its_own() -> None:
    voice = Voice(ID)
    voice.hears(entry(Said("Look:")))
    voice.hears(entry(Shown("preview.image", {"id": "img_a1b2c3"})))
    voice.hears(entry(Shown("preview.image", {"id": "img_a1b2c4"})))
    voice.hears(entry(Said("Nice.")))
    lines = voice.content.split("\n")
    assert [line[:8] for line in lines] == ["Look:", "<preview", "<preview", "Nice."]


def test_an_end_tells_what_no_event_has_told_and_nothing_again() -> None:
    silent, cut, whole = Voice(ID), Voice(ID), Voice(ID)
    cut.hears(entry(Said("It is ")))
    whole.hears(entry(Thought("hm\n")))
    whole.hears(entry(Said("It is 5.")))
    outcome = Outcome(text="It is 5.")
    assert silent.ends(outcome) == [{"content": "It is 5."}]
    assert cut.ends(outcome) == [{"content": "5."}]
    assert whole.ends(outcome) == []


def test_calls_are_told_once_with_places_of_their_own() -> None:
    voice = Voice(ID)
    one, other = ToolCall("a", "f", "{}"), ToolCall("b", "g", "{}")
    voice.hears(entry(Asked([one])))
    told = voice.hears(entry(Asked([other])))["tool_calls"]
    assert [(call["index"], call["function"]["name"]) for call in told] == [(1, "g")]
    assert voice.ends(Outcome(text="", calls=[one, other], finish="tool_calls")) == []


def test_an_id_of_a_call_carries_its_completion_there_and_back() -> None:
    assert calls.heard(calls.told("call_1.x", ID)) == ("call_1.x", ID)
    assert calls.heard(calls.told("call_1", f"{ID}-2")) == ("call_1", f"{ID}-2")
    assert calls.told("call_1", "my own id") == "call_1"
    assert calls.heard("call_of_another_model") == ("call_of_another_model", None)


def test_the_place_in_a_stream_is_read_or_refused() -> None:
    assert streaming.cursor(None, 2) == [0, 0]
    assert streaming.cursor("3.0", 2) == [3, 0]
    for wrong in ("3", "3.0.1", "x.y", "3.-1", "99999999999.0"):
        with pytest.raises(InvalidRequest):
            streaming.cursor(wrong, 2)
