"""The graph of a skill's vlmrun.yaml: a Mermaid state diagram, as states and the transitions between them.

    graph = parse('''
        stateDiagram-v2
            [*] --> Read
            Read: Read every page
            Read --> Check: when all are read
            Check --> Read
            Check --> [*]
    ''')
    graph.start, graph.ends                   # "Read", ["Check"]
    graph.transitions[0]                      # Transition(source="Read", target="Check", label="when all are read")

What counts for the order of work is read: states, their descriptions and kinds, states within states, concurrent regions,
transitions with their labels. What is for the eye is passed over: directions, notes, classes, styles, titles and links.
Source of the grammar: Mermaid 11, `stateDiagram.jison`.
"""

from __future__ import annotations

import re
from typing import Literal, NoReturn

import msgspec

from heliograph.errors import InvalidRequest

Kind = Literal["state", "choice", "fork", "join"]

MAX_DEPTH = 16
"""States within states."""


class Transition(msgspec.Struct, frozen=True):
    """From one state to another of the same graph."""

    source: str
    target: str
    label: str = ""


class State(msgspec.Struct):
    """`regions`: what goes on inside, several where it goes on side by side; empty for a plain state."""

    description: str = ""
    kind: Kind = "state"
    regions: list[Graph] = []


class Graph(msgspec.Struct):
    """States by name in the order in which they are first named. `start`: the one that `[*]` leads to; `ends`: those that lead to `[*]`."""

    states: dict[str, State] = {}
    transitions: list[Transition] = []
    start: str | None = None
    ends: list[str] = []

    def problems(self) -> list[str]:
        """Sentences on what cannot be run as it is drawn; empty when all can."""
        found: list[str] = []
        if self.start is None:
            found.append("no state is the start (`[*] --> First`)")
        elif lost := [name for name in self.states if name not in self._reached({self.start}, forward=True)]:
            found.append(f"nothing leads from the start to {_listed(lost)}")
        if not self.ends:
            found.append("no state is an end (`Last --> [*]`)")
        elif stuck := [name for name in self.states if name not in self._reached(set(self.ends), forward=False)]:
            found.append(f"nothing leads to an end from {_listed(stuck)}")
        for name, state in self.states.items():
            found += [f"inside {name[:50]}: {problem}" for region in state.regions for problem in region.problems()]
        return found

    def _reached(self, known: set[str], *, forward: bool) -> set[str]:
        ways: dict[str, list[str]] = {}
        for way in self.transitions:
            here, there = (way.source, way.target) if forward else (way.target, way.source)
            ways.setdefault(here, []).append(there)
        todo = list(known)
        while todo:
            new = set(ways.get(todo.pop(), ())) - known
            known |= new
            todo += new
        return known


def parse(text: str) -> Graph:
    """Raises `InvalidRequest` naming the line (the first is 1) that cannot be read, and what is wrong with it."""
    reading = _Reading()
    for number, line in enumerate(text.splitlines(), 1):
        reading.number = number
        reading.line(line.strip())
    return reading.end()


_ID = r"[^\s:{}\[\]<>\"-]+(?:-(?![->])[^\s:{}\[\]<>\"-]+)*"
_END = r"\[\*\]"
_CLASS = r"(?::::[\w-]+)?"
_HEADER = re.compile(r"stateDiagram(-v2)?\s*;?", re.IGNORECASE)
_FRONTMATTER = re.compile(r"-{3,}")
_TRANSITION = re.compile(rf"({_END}|{_ID}){_CLASS}\s*-->\s*({_END}|{_ID}){_CLASS}\s*(?::\s*(.*))?")
_DESCRIBED = re.compile(rf"({_ID}){_CLASS}\s*:(?!::)\s*(.*)")
_NAMED = re.compile(rf'state\s+"([^"]*)"\s+as\s+({_ID})\s*(\{{)?', re.IGNORECASE)
_STATE = re.compile(rf"state\s+({_ID}){_CLASS}\s*(?:<<(choice|fork|join)>>|\[\[(choice|fork|join)\]\])?\s*(\{{)?", re.IGNORECASE)
_ALONE = re.compile(rf"({_ID}){_CLASS}")
_FOR_THE_EYE = re.compile(
    r"direction\s+(TB|TD|BT|LR|RL)|(classDef|class|style|click)\s.*|hide\s+empty\s+description|scale\s+\d+\s+width|acc(Title|Descr)\s*:.*",
    re.IGNORECASE,
)
_NOTE = re.compile(rf'note\s+((left|right)\s+of\s+{_ID}\s*(?P<text>:.*)?|"[^"]*"\s+as\s+{_ID}(?P<named>))', re.IGNORECASE)
_SPANNING = re.compile(r"accDescr\s*\{(?P<closed>.*\})?", re.IGNORECASE)


class _Scope(msgspec.Struct):
    """A graph whose lines are being read. `line`: where it was opened; `started`: where its start is."""

    graph: Graph
    line: int
    state: State | None = None
    started: int = 0


class _Reading:
    def __init__(self) -> None:
        self.number = 0
        self.scopes = [_Scope(Graph(), 0)]
        self.begun = False
        self.until: re.Pattern[str] | None = None
        self.opened = 0

    def line(self, line: str) -> None:
        if self.until is not None:
            if self.until.fullmatch(line):
                self.until = None
        elif not line or line.startswith(("%%", "#", "```")):
            return
        elif not self.begun:
            if _FRONTMATTER.fullmatch(line):
                self._skip(_FRONTMATTER)
            elif _HEADER.fullmatch(line):
                self.begun = True
            else:
                self._fail(f"a state diagram begins with `stateDiagram-v2`, not with {line[:50]!r}")
        else:
            self._statement(line.partition(" %%")[0].rstrip(" ;"))

    def end(self) -> Graph:
        if self.until is not None:
            self._fail(f"what begins in line {self.opened} has no end")
        if not self.begun:
            self._fail("a state diagram begins with `stateDiagram-v2`, and there is none")
        if len(self.scopes) > 1:
            self._fail(f"the {{ of line {self.scopes[-1].line} is not closed")
        return self.scopes[0].graph

    def _statement(self, line: str) -> None:
        if line == "}":
            self._close()
        elif line == "--":
            self._divide()
        elif found := _TRANSITION.fullmatch(line):
            self._transition(found[1], found[2], (found[3] or "").strip())
        elif _FOR_THE_EYE.fullmatch(line):
            return
        elif found := _NOTE.fullmatch(line):
            if found["text"] is None and found["named"] is None:
                self._skip(re.compile(r"end\s*note", re.IGNORECASE))
        elif found := _SPANNING.fullmatch(line):
            if found["closed"] is None:
                self._skip(re.compile(r".*\}"))
        elif found := _NAMED.fullmatch(line):
            self._named(found[2], found[1], opens=bool(found[3]))
        elif found := _STATE.fullmatch(line):
            state = self._named(found[1], "", opens=bool(found[4]))
            state.kind = _KINDS[(found[2] or found[3] or "state").lower()]
        elif found := _DESCRIBED.fullmatch(line):
            self._state(found[1], found[2])
        elif found := _ALONE.fullmatch(line):
            self._state(found[1])
        else:
            self._fail(_hint(line))

    def _state(self, name: str, description: str = "") -> State:
        state = self.scopes[-1].graph.states.setdefault(name, State())
        state.description = " ".join(filter(None, (state.description, description.strip())))
        return state

    def _named(self, name: str, description: str, *, opens: bool) -> State:
        state = self._state(name, description)
        if opens:
            if len(self.scopes) > MAX_DEPTH:
                self._fail(f"states are nested more than {MAX_DEPTH} deep")
            state.regions.append(Graph())
            self.scopes.append(_Scope(state.regions[-1], self.number, state))
        return state

    def _close(self) -> None:
        if len(self.scopes) == 1:
            self._fail("there is no { that this } closes")
        self.scopes.pop()

    def _divide(self) -> None:
        scope = self.scopes[-1]
        if scope.state is None:
            self._fail("-- divides a state into what goes on side by side, and this is in none")
        scope.state.regions.append(Graph())
        self.scopes[-1] = _Scope(scope.state.regions[-1], scope.line, scope.state)

    def _transition(self, source: str, target: str, label: str) -> None:
        scope = self.scopes[-1]
        graph = scope.graph
        if source == target == "[*]":
            self._fail("the start leads to the end, and to no state")
        for name in (source, target):
            if name != "[*]":
                self._state(name)
        if source == "[*]":
            if graph.start not in (None, target):
                self._fail(f"{target[:50]} is the start, and so is {graph.start} since line {scope.started}")
            graph.start, scope.started = target, self.number
        elif target == "[*]":
            graph.ends += [source] if source not in graph.ends else []
        else:
            graph.transitions.append(Transition(source, target, label))

    def _skip(self, until: re.Pattern[str]) -> None:
        self.until, self.opened = until, self.number

    def _fail(self, why: str) -> NoReturn:
        raise InvalidRequest(f"The graph cannot be read, line {self.number}: {why}.")


_KINDS: dict[str, Kind] = {"state": "state", "choice": "choice", "fork": "fork", "join": "join"}


def _hint(line: str) -> str:
    if re.search(r"(?<!-)->|-{3,}>|==>|-\.->|→", line):
        return f"a transition is written `A --> B`, not {line[:80]!r}"
    if "-->" in line:
        return f"a state's name has no spaces, quotes or brackets, and a transition leads from one to one: {line[:80]!r}"
    if line.endswith("{") or "{" in line:
        return f"a state with others inside is opened by a line `state Name {{` and closed by a line of its own: {line[:80]!r}"
    return f'{line[:80]!r} is none of `A --> B: label`, `A: description`, `state "description" as A`, `state A {{`'


def _listed(names: list[str]) -> str:
    shown = ", ".join(name[:50] for name in names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
