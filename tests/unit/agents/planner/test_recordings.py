"""What a request about a recording asks for, before anything is done."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.agents.planner.clauses import clauses
from heliograph.agents.planner.moves import Act, Decline, Move, Question
from heliograph.agents.planner.rules import understand
from heliograph.agents.planner.times import times


def moves(request: str) -> list[Move | None]:
    return [understand(clause, recorded=True) for clause in clauses(request)]


@pytest.mark.parametrize(
    ("text", "span", "edge", "at"),
    [
        ("cut 0:30 to 1:15", (30.0, 75.0), None, []),
        ("from 1:02:03 until 1:02:10.5", (3723.0, 3730.5), None, []),
        ("between 5 and 8 seconds", (5.0, 8.0), None, []),
        ("seconds 2-4", (2.0, 4.0), None, []),
        ("from 1 minute to 90s", (60.0, 90.0), None, []),
        ("from 2m on", (120.0, None), None, []),
        ("up to 12 seconds", (0.0, 12.0), None, []),
        ("the first 10 seconds", None, ("first", 10.0), []),
        ("the last minute", None, ("last", 60.0), []),
        ("the opening two minutes", None, ("first", 120.0), []),
        ("at 0:07 and 0:09", None, None, [7.0, 9.0]),
        ("2 to 4 frames", None, None, []),
        ("page 3 to 5", None, None, []),
    ],
)
def test_times_are_taken_out_of_words(text: str, span: object, edge: object, at: list[float]) -> None:
    found = times(text)
    assert (found.span, found.edge, found.at) == (span, edge, at)


@pytest.mark.parametrize(
    ("request_", "name", "arguments"),
    [
        ("cut off the last 5 seconds", "trim", {"away": True, "edge": ["last", 5.0], "last": 5.0}),
        ("remove 0:10 to 0:20", "trim", {"away": True, "edge": None, "start": 10.0, "end": 20.0}),
        ("play it at half speed", "change_recording", {"speed": 0.5, "how": "0.5 times as fast"}),
        ("rotate it 90 degrees counter-clockwise", "change_recording", {"rotate": 270, "how": "turned by 270° clockwise"}),
        ("make it 640 pixels wide and mute it", "change_recording", {"width": 640, "mute": True}),
        ("captions as a vtt file please", "captions", {"style": "vtt"}),
        ("put the subtitles on a track that I can switch on", "captions", {"style": "track"}),
        ("where does he talk about the Kubernetes cluster?", "search_recording", {"query": "the Kubernetes cluster", "where": "said"}),
        ("when is the agenda shown on screen", "search_recording", {"query": "the agenda", "where": "shown"}),
        ("a screenshot at 1:05", "frames", {"times": [65.0], "sheet": False}),
        ("one picture per scene", "keyframes", {"sheet": False}),
    ],
)
def test_what_is_to_be_done_to_a_recording(request_: str, name: str, arguments: dict[str, Any]) -> None:
    (move,) = moves(request_)
    assert isinstance(move, Act), move
    assert move.name == name
    assert arguments.items() <= move.arguments.items()


@pytest.mark.parametrize(
    "request_", ["trim the first 10 seconds", "trim it", "add a watermark", "rotate it by 30 degrees", "make it faster"]
)
def test_what_can_be_meant_in_two_ways_is_asked_about(request_: str) -> None:
    assert [type(move) for move in moves(request_)] == [Question]


@pytest.mark.parametrize(
    "request_",
    ["summarise what happens", "describe the scene", "what is the man wearing?", "translate the subtitles", "cut the best moments together",
     "remove the background noise from the audio"],
)  # fmt: skip
def test_what_needs_a_model_or_a_tool_that_is_not_there_is_declined(request_: str) -> None:
    assert [type(move) for move in moves(request_)] == [Decline]


@pytest.mark.parametrize("request_", ["transcribe this in the style of Shakespeare", "add subtitles in sparkling Comic Sans"])
def test_words_that_mean_nothing_to_us_are_asked_about(request_: str) -> None:
    assert [type(move) for move in moves(request_)] == [Question]


def test_without_a_recording_the_same_words_are_about_pictures_and_documents() -> None:
    (clause,) = clauses("rotate it by 90 degrees")
    move = understand(clause)
    assert isinstance(move, Act)
    assert (move.name, move.needs) == ("rotate", "image")
