"""A model's reply as the JSON value that it holds, as far as it goes.

    reply = parse('Sure! ```json\\n{"total": 12.5, "items": [{"name": "Tea"}, {"na')
    reply.value                      # {"total": 12.5, "items": [{"name": "Tea"}, {}]}
    reply.cut                        # ("items", 1): where the text ended; None when the value was closed

What stands around the value (thoughts, prose, a Markdown fence) is passed over. Slips that have one meaning are read as meant: trailing
or missing commas, single quotes, bare keys, Python's words, comments, raw line breaks in strings. Anything else ends the value there.
A number, word or string that the end of the text cuts is not given, since it may be half of itself.

Linear in the length of the text, and no deeper than MAX_DEPTH.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from json import JSONDecodeError
from json.decoder import scanstring  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
from typing import Any, Literal, cast

import msgspec

from heliograph.extraction.result import Path
from heliograph.models.contract import Token

Json = Any
Ended = Literal["closed", "cut", "wrong"]
"""How a value ended: by itself, with the text, or at something that is no JSON."""

MAX_DEPTH = 200
_DIGITS = 400
"""Digits of a number; more are a model that does not stop."""
_BLANK = re.compile(r"(?:[\s\ufeff]+|//[^\n]*|/\*.*?\*/|/\*.*\Z)*", re.DOTALL)
_OPEN = re.compile(r"[\[{]")
_NUMBER = re.compile(r"[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_STRICT = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_WORD = re.compile(r"[A-Za-z_$][\w$]*|-Infinity")
_SINGLE = re.compile(r"'([^'\\\n]*(?:\\.[^'\\\n]*)*)'(?=\s*[,:}\]])")
_QUOTED = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_WORDS: dict[str, Json] = {
    "true": True, "false": False, "null": None, "True": True, "False": False, "None": None,
    "NaN": None, "Infinity": None, "-Infinity": None, "undefined": None, "nan": None,
}  # fmt: skip
_SURROGATE = re.compile("[\ud800-\udfff]")
_FIRST = re.compile(r"\s*(?:```(?:json)?\s*)?[\[{]")
"""A reply that begins with its value."""
_THINKING = re.compile(r"\s*<(?:think|thinking|reasoning)>")
_THOUGHT = ("</think>", "</thinking>", "</reasoning>")


class Parsed(msgspec.Struct, kw_only=True):
    """What a reply holds.

    `found`: whether there is a value at all. `complete`: whether it was closed; else `cut` leads to where it ended. `start`: where it
    begins; `end`: behind its last piece that is whole, so that `text[start:end]` can be gone on from. `spans`: the offsets of each
    scalar. `notes`: what was read as meant.
    """

    value: Json = None
    found: bool = False
    complete: bool = False
    cut: Path | None = None
    start: int = 0
    end: int = 0
    spans: dict[Path, tuple[int, int]] = {}
    notes: list[str] = []


def parse(text: str, *, spans: bool = False) -> Parsed:
    """The JSON value in `text`: of several the longest object, else the longest list, else a scalar that is all there is.

    `spans` asks for the offsets of scalars. Raises nothing.
    """
    begin = max((at + len(mark) for mark in _THOUGHT if (at := text.rfind(mark)) >= 0), default=0)
    if begin and (first := _FIRST.match(text)):
        whole = _Reading(text, first.end() - 1, spans=False)
        if whole.ended == "cut" or whole.at >= begin:
            begin = 0  # the mark stands inside the value, which quotes a document that has it
    if begin == 0 and _THINKING.match(text):
        return Parsed()
    best: _Reading | None = None
    at = begin
    while match := _OPEN.search(text, at):
        reading = _Reading(text, match.start(), spans=spans)
        if best is None or reading.weight >= best.weight:
            best = reading
        at = max(reading.at, match.start() + 1)
    if best is None or (best.ended == "wrong" and not best.root):
        return _alone(text, begin)
    return Parsed(
        value=best.root, found=True, complete=best.ended == "closed", cut=None if best.ended == "closed" else best.path,
        start=best.start, end=best.safe, spans=best.spans, notes=list(dict.fromkeys(best.notes)),
    )  # fmt: skip


def likelihoods(tokens: Sequence[Token], text: str, spans: dict[Path, tuple[int, int]]) -> dict[Path, tuple[float, float]]:
    """For each scalar the mean and the least log-probability of the tokens that wrote it. Empty where the tokens are not of this text."""
    whole = "".join(token.text for token in tokens)
    start = whole.find(text) if text else -1
    if start < 0:
        return {}
    made: dict[Path, tuple[float, float]] = {}
    ends: list[int] = []
    total = -start
    for token in tokens:
        total += len(token.text)
        ends.append(total)
    at = 0
    for path, (first, last) in sorted(spans.items(), key=lambda item: item[1]):
        while at < len(ends) and ends[at] <= first:
            at += 1
        until = at
        while until < len(ends) and (until == at or ends[until - 1] < last):
            until += 1
        inside = [token.logprob for token in tokens[at:until]]
        if inside:
            made[path] = (sum(inside) / len(inside), min(inside))
    return made


def _alone(text: str, begin: int) -> Parsed:
    """A scalar that is the whole reply."""
    words = text[begin:].strip().strip("`").removeprefix("json").strip()
    if not words:
        return Parsed()
    reading = _Reading(f"[{words}]", 0, spans=False)
    if reading.ended == "closed" and isinstance(reading.root, list) and len(cast("list[Json]", reading.root)) == 1:
        return Parsed(value=cast("list[Json]", reading.root)[0], found=True, complete=True, end=len(text), notes=reading.notes)
    return Parsed()


class _Reading:
    """One value, read from `start`. Afterwards `root` is what there is of it, and `path` leads to where it ended."""

    def __init__(self, text: str, start: int, *, spans: bool) -> None:
        self.text, self.start = text, start
        self.at: int = start
        self.safe: int = start
        self.ended: Ended = "cut"
        self.root: Json = None
        self.spans: dict[Path, tuple[int, int]] = {}
        self.notes: list[str] = []
        self._keep = spans
        self._open: list[Json] = []
        self._keys: list[str | int] = []
        self._read()

    @property
    def path(self) -> Path:
        """The keys of what was open, or was to come next in a list."""
        innermost = self._open[-1] if len(self._keys) < len(self._open) else None
        return (*self._keys, len(cast("list[Json]", innermost))) if isinstance(innermost, list) else tuple(self._keys)

    @property
    def weight(self) -> tuple[bool, int]:
        """What of two values is the answer: an object rather than a list, then the longer."""
        return isinstance(self.root, dict) and (self.ended != "wrong" or bool(cast("dict[str, Json]", self.root))), self.safe - self.start

    def _read(self) -> None:
        self.root = self._opened()
        self._open.append(self.root)
        while self._open:
            container = self._open[-1]
            state = self._entry(container)
            if state is not None:
                self.ended = state
                return
        self.ended = "closed"

    def _entry(self, container: Json) -> Ended | None:
        """Read the next entry of the innermost container, or its end. Returns how the whole ended when it did so here."""
        listed = isinstance(container, list)
        self._skip()
        if container and not self._comma():
            return "wrong"
        if self.at >= len(self.text):
            return "cut"
        if self.text[self.at] == ("]" if listed else "}"):
            self.at += 1
            self._done()
            self._open.pop()
            if self._keys and self._open:
                self._keys.pop()
            return None
        key: str | int
        if listed:
            key = len(cast("list[Json]", container))
        else:
            name = self._key()
            if name is None:
                return self.ended
            key = name
        self._keys.append(key)
        self._skip()
        if self.at >= len(self.text):
            return "cut"
        if self.text[self.at] in "{[":
            if len(self._open) >= MAX_DEPTH:
                return "wrong"
            made = self._opened()
            self._put(container, key, made)
            self._open.append(made)
            return None
        begun = self.at
        state = self._scalar(container, key)
        if state is None:
            if self._keep:
                self.spans[tuple(self._keys)] = (begun, self.at)
            self._done()
        if state is None or listed:
            self._keys.pop()
        return state

    def _opened(self) -> Json:
        made: Json = {} if self.text[self.at] == "{" else []
        self.at += 1
        self._done()
        return made

    def _done(self) -> None:
        self.safe = self.at

    def _skip(self) -> None:
        match = _BLANK.match(self.text, self.at)
        assert match is not None
        if "/" in match[0]:
            self.notes.append("comments")
        self.at = match.end()

    def _comma(self) -> bool:
        """Pass over the comma before the next entry; a missing one is forgiven where a string, object or list begins."""
        if self.at >= len(self.text) or self.text[self.at] in "]}":
            return True
        if self.text[self.at] != ",":
            self.notes.append("missing comma")
            return self.text[self.at] in '"{['
        self.at += 1
        self._skip()
        if self.at < len(self.text) and self.text[self.at] in "]}":
            self.notes.append("trailing comma")
        return True

    def _key(self) -> str | None:
        """A key and its colon; None where there is none, `ended` saying why."""
        self.ended = "wrong"
        mark = self.text[self.at]
        if mark in "\"'":
            name = self._string()
            if name is None and self._unclosed(mark):
                self.ended = "cut"
        elif match := _WORD.match(self.text, self.at):
            name = match[0]
            self.notes.append("bare keys")
            self.at = match.end()
        else:
            name = None
        if name is None:
            return None
        self._skip()
        if self.at >= len(self.text):
            self.ended = "cut"
            return None
        if self.text[self.at] != ":":
            return None
        self.at += 1
        return name

    def _scalar(self, container: Json, key: str | int) -> Ended | None:
        mark = self.text[self.at]
        if mark in "\"'":
            value = self._string()
            if value is None:
                return "cut" if self._unclosed(mark) else "wrong"
        elif match := _WORD.match(self.text, self.at):
            if match[0] not in _WORDS:
                return "cut" if match.end() == len(self.text) else "wrong"
            value = _WORDS[match[0]]
            if match[0] not in ("true", "false", "null"):
                self.notes.append(f"{match[0]} for JSON")
            self.at = match.end()
        elif match := _NUMBER.match(self.text, self.at):
            if match.end() == len(self.text):
                return "cut"
            if self.text[match.end()] not in ",}] \t\r\n/":
                return "wrong"
            value = self._number(match[0])
            self.at = match.end()
        else:
            return "wrong"
        self._put(container, key, value)
        return None

    def _put(self, container: Json, key: str | int, value: Json) -> None:
        if isinstance(container, list):
            cast("list[Json]", container).append(value)
            return
        table = cast("dict[str, Json]", container)
        if key in table:
            self.notes.append("repeated key")
            if value is None:
                return  # what was said first stands
        table[cast("str", key)] = value

    def _number(self, text: str) -> Json:
        if len(text) > _DIGITS:
            self.notes.append("a number without end")
            return None
        if not _STRICT.fullmatch(text):
            self.notes.append("number")
            return text  # digits such as 007, which a number would lose
        if text.lstrip("-").isdigit():
            return int(text)
        value = float(text)
        if math.isinf(value):
            self.notes.append("a number beyond measure")
            return None
        return value

    def _string(self) -> str | None:
        """The string that begins here, or None where it does not end, or not clearly."""
        if self.text[self.at] == "'":
            match = _SINGLE.match(self.text, self.at)
            if match is None:
                return None
            self.notes.append("single quotes")
            self.at = match.end()
            return _clean(_ESCAPE.sub(_escaped, match[1]))
        try:
            value, end = cast("tuple[str, int]", scanstring(self.text, self.at + 1, False))
        except JSONDecodeError:
            match = _QUOTED.match(self.text, self.at)
            if match is None:
                return None
            self.notes.append("unknown escapes")
            value, end = _ESCAPE.sub(_escaped, match[1]), match.end()
        if end == len(self.text) and self.text[end - 1] != '"':
            return None
        self.at = end
        return _clean(value)

    def _unclosed(self, mark: str) -> bool:
        """Whether the string that begins here runs to the end of the text."""
        return mark == '"' and _QUOTED.match(self.text, self.at) is None


def _escaped(match: re.Match[str]) -> str:
    """What an escape means; one that means nothing, as in a path or a formula, is the backslash and the letter."""
    what = match[1]
    return chr(int(what[1:], 16)) if len(what) > 1 else _ESCAPES.get(what, what if what in "\"'\\/" else match[0])


def _clean(text: str) -> str:
    """Text that can be written as UTF-8: half of a surrogate pair is no letter."""
    return _SURROGATE.sub("\ufffd", text)
