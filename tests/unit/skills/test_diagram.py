from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.errors import InvalidRequest
from heliograph.skills.diagram import Graph, State, Transition, parse


def drawn(text: str) -> Graph:
    return parse(f"stateDiagram-v2\n{text}")


def test_states_transitions_start_and_ends_are_read() -> None:
    graph = parse("""
        stateDiagram-v2
            Load: Load the document
            [*] --> Load
            Load --> Extract: when all pages are read
            Extract --> Load
            Extract --> [*]
            Load-->[*]
    """)
    assert graph == Graph(
        states={"Load": State(description="Load the document"), "Extract": State()},
        transitions=[Transition("Load", "Extract", "when all pages are read"), Transition("Extract", "Load")],
        start="Load",
        ends=["Extract", "Load"],
    )
    assert graph.problems() == []


@pytest.mark.parametrize(
    "line",
    [
        "one : First: of all",
        "one: First: of all",
        "one:First: of all",
        'state "First: of all" as one',
        'STATE "First: of all" AS one',
        "one:::important : First: of all",
        "one : First:\n one : of all",
        "one : First: of all %% said so",
    ],
)
def test_a_state_is_described_in_every_way_that_mermaid_knows(line: str) -> None:
    assert drawn(line).states == {"one": State(description="First: of all")}


@pytest.mark.parametrize("line", ["one", "state one", "one:::loud", "state one:::loud"])
def test_a_state_may_stand_alone(line: str) -> None:
    assert drawn(line).states == {"one": State()}


@pytest.mark.parametrize("name", ["s1", "état", "clean-up", "a.b", "读取", "as", "state", "f(x)"])
def test_names_are_words_of_any_language(name: str) -> None:
    assert drawn(f"[*] --> {name}\n{name} --> b").transitions == [Transition(name, "b")]
    assert drawn(f"{name}-->b-2:::loud:why").transitions == [Transition(name, "b-2", "why")]


@pytest.mark.parametrize("kind", ["choice", "fork", "join"])
def test_choices_forks_and_joins_are_kinds_of_states(kind: str) -> None:
    for line in (f"state here <<{kind}>>", f"state here [[{kind}]]", f"state here <<{kind.upper()}>>"):
        assert drawn(line).states["here"].kind == kind


def test_states_within_states_have_graphs_of_their_own() -> None:
    graph = drawn("""
        [*] --> Outer
        state Outer {
            [*] --> Inner
            state "Inner one" as Inner {
                [*] --> a
                a --> [*]
            }
            Inner --> [*]
        }
        Outer --> [*]
    """)
    inner = graph.states["Outer"].regions[0].states["Inner"]
    assert list(graph.states) == ["Outer"]
    assert (inner.description, inner.regions[0].start, inner.regions[0].ends) == ("Inner one", "a", ["a"])
    assert graph.problems() == []


def test_what_goes_on_side_by_side_is_kept_apart() -> None:
    active = drawn("""
        state Active {
            [*] --> off
            off --> on : press
            --
            [*] --> low
            low --> high : turn
        }
    """).states["Active"]
    assert [(region.start, region.transitions) for region in active.regions] == [
        ("off", [Transition("off", "on", "press")]),
        ("low", [Transition("low", "high", "turn")]),
    ]


def test_what_is_for_the_eye_is_passed_over() -> None:
    graph = parse("""```mermaid
---
title: How it goes
---
%%{init: {"theme": "dark"}}%%
stateDiagram
    direction LR
    accTitle: How
    accDescr: in words
    accDescr {
        in more words --> none
    }
    hide empty description
    scale 350 width
    classDef loud fill:#f00,color:white
    [*] --> a %% where it begins
    note right of a : nothing --> here
    note left of a
        b --> c
    end note
    note "floats --> free" as N1
    class a,b loud
    style a fill:#f9f
    click a "https://example.com" "tip"
    # d --> e
    a --> [*];
```""")
    assert graph == Graph(states={"a": State()}, start="a", ends=["a"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 0: a state diagram begins with `stateDiagram-v2`, and there is none"),
        ("flowchart LR\n A --> B", "line 1: a state diagram begins with `stateDiagram-v2`, not with 'flowchart LR'"),
        ("\n\nstateDiagram-v2\n  A -> B", "line 4: a transition is written `A --> B`, not 'A -> B'"),
        ("stateDiagram-v2\n A ---> B", "line 2: a transition is written"),
        ("stateDiagram-v2\n A → B", "line 2: a transition is written"),
        ("stateDiagram-v2\n Read pages --> B", "line 2: a state's name has no spaces"),
        ("stateDiagram-v2\n A --> B --> C", "line 2: a state's name has no spaces"),
        ("stateDiagram-v2\n A -->", "line 2: a state's name has no spaces"),
        ("stateDiagram-v2\n state A { B }", "line 2: a state with others inside"),
        ("stateDiagram-v2\n Read the pages", "line 2: 'Read the pages' is none of"),
        ("stateDiagram-v2\n [*] --> [*]", "line 2: the start leads to the end"),
        ("stateDiagram-v2\n [*] --> A\n\n [*] --> B", "line 4: B is the start, and so is A since line 2"),
        ("stateDiagram-v2\n state A {\n B", r"line 3: the \{ of line 2 is not closed"),
        ("stateDiagram-v2\n A\n }", r"line 3: there is no \{ that this \} closes"),
        ("stateDiagram-v2\n --", "line 2: -- divides a state"),
        ("stateDiagram-v2\n note right of A\n for ever", "line 3: what begins in line 2 has no end"),
        ("stateDiagram-v2\n" + "state A {\n" * 17 + "}\n" * 17, "line 18: states are nested more than 16 deep"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_so_is_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^The graph cannot be read, {message}"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("A --> B", ["no state is the start (`[*] --> First`)", "no state is an end (`Last --> [*]`)"]),
        ("[*] --> A\nB --> A\nA --> [*]", ["nothing leads from the start to B"]),
        ("[*] --> A\nA --> B\nA --> [*]", ["nothing leads to an end from B"]),
        ("[*] --> A\nA --> A\nA --> [*]", []),
        ("[*] --> A\nA --> [*]\nstate A {\n[*] --> b\n}", ["inside A: no state is an end (`Last --> [*]`)"]),
        (
            "[*] --> A\nA --> [*]\n" + "\n".join(f"s{n} --> A" for n in range(7)),
            ["nothing leads from the start to s0, s1, s2, s3, s4 and 2 more"],
        ),
    ],
)
def test_what_cannot_be_run_as_it_is_drawn_is_said(text: str, problems: list[str]) -> None:
    assert drawn(text).problems() == problems


@given(st.text(st.sampled_from('AB[*]-->:{}" \n%#;<>state note'), max_size=120))
@settings(max_examples=300)
def test_any_text_is_a_graph_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidRequest):
        drawn(text).problems()


@pytest.mark.parametrize(
    "text", ["-" * 60_000, "a-" * 30_000, " " * 60_000 + "x", "a" * 60_000 + " -->", "A --> B\n" * 8_000, "state " * 10_000]
)
def test_text_made_to_be_slow_is_read_or_refused_all_the_same(text: str) -> None:
    with contextlib.suppress(InvalidRequest):
        drawn(text).problems()
