"""What a document says, before anything decides how it looks: pieces of text that know which fields they answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Json = Any


@dataclass(frozen=True)
class Piece:
    """A run of text. `answers`: the true value of each field, by its dotted path, that this text is (part of) the printed form of."""

    text: str
    answers: dict[str, Json] = field(default_factory=dict[str, Json])


Line = tuple[Piece, ...]


def piece(text: str, *paths: str, value: Json = None) -> Piece:
    """Text that answers `paths` with `value`, by default with itself."""
    return Piece(text, dict.fromkeys(paths, text if value is None else value))


def line(text: str, *paths: str, value: Json = None) -> Line:
    """A line of one piece."""
    return (piece(text, *paths, value=value),)


@dataclass(frozen=True)
class Entry:
    """A label and the lines of its value. Without lines the label stands alone, as on a form left blank."""

    label: str
    lines: list[Line]


def entry(label: str, text: str, *paths: str, value: Json = None) -> Entry:
    """A label with a value of one line."""
    return Entry(label, [line(text, *paths, value=value)] if text else [])


@dataclass(frozen=True)
class Letterhead:
    """Who sends it: lines of which the first is the largest. `mark`: a drawn sign stands beside them."""

    lines: list[Line]
    mark: bool = False


@dataclass(frozen=True)
class Title:
    """The document's name."""

    line: Line


@dataclass(frozen=True)
class Heading:
    """The name of a section."""

    text: str


@dataclass(frozen=True)
class Lines:
    """Lines as they are, in normal or small print; `bullet` stands before each."""

    lines: list[Line]
    small: bool = False
    bullet: str = ""
    bold_first: bool = False


@dataclass(frozen=True)
class Entries:
    """Labels with values. The layout decides where labels stand, unless the kind of document has a way of its own."""

    entries: list[Entry]
    way: str | None = None
    columns: int | None = None


@dataclass(frozen=True)
class Column:
    """A column of a table; `share` of the width; numbers stand at the right."""

    label: str
    share: float = 1.0
    right: bool = False


@dataclass(frozen=True)
class Grid:
    """A table: a row of labels, then rows of cells."""

    columns: list[Column]
    rows: list[list[Piece]]


@dataclass(frozen=True)
class Totals:
    """Labels with amounts under a table, at the right; the last one or the `strong` one stands out."""

    entries: list[Entry]
    strong: int = -1


@dataclass(frozen=True)
class Tick:
    """A box that is ticked or not, and the fields that it answers."""

    label: str
    ticked: bool
    paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ticks:
    """A question with boxes to tick."""

    question: str
    options: list[Tick]


@dataclass(frozen=True)
class Side:
    """Two columns of parts beside each other; `share` of the left one."""

    left: list[Part]
    right: list[Part]
    share: float = 0.5


@dataclass(frozen=True)
class Stamp:
    """Large words put on askew, such as PAID."""

    text: str


@dataclass(frozen=True)
class NumberedBox:
    """A box of a form: its number, its label, what is written in it. `span`: how many of the form's columns it takes."""

    number: str
    entry: Entry
    span: int = 1
    rows: int = 1


@dataclass(frozen=True)
class BoxForm:
    """Ruled boxes filled from left to right, as tax and benefit forms have them."""

    boxes: list[NumberedBox]
    columns: int


Part = Letterhead | Title | Heading | Lines | Entries | Grid | Totals | Ticks | Side | Stamp | BoxForm
Paper = Literal["a4", "letter", "thermal", "card", "wide"]


@dataclass(frozen=True)
class Content:
    """A whole document: its parts in order. `schema` names the question it is asked with, where a kind has several."""

    parts: list[Part]
    paper: Paper = "a4"
    schema: str = ""
    footer: list[Line] = field(default_factory=list[Line])
    given: dict[str, Json] = field(default_factory=dict[str, Json])
    """True values that no single text of the page is the printed form of, such as a currency that a sign stands for."""
    unscored: tuple[str, ...] = ()
    """Fields, by dotted path, of which it would be a matter of taste what is true: they are left out of the truth."""
