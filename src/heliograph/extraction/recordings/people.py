"""People and companies that are named aloud: `this is Karen Miller from Acme`, `you are speaking with Sofia`, `My guest today is Robert`.

A name is a run of words that the engine wrote with capitals, behind words that introduce one. Who answers the telephone is told from who
calls by what they say with it (`how can I help?`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal

import msgspec

from heliograph.extraction.fields import Ask
from heliograph.extraction.recordings.lines import Line
from heliograph.extraction.recordings.statements import ANSWERED, FULL, PARTLY, Stated, labels
from heliograph.extraction.vocabulary import split_name, tokens_of

Role = Literal["host", "caller"]

_HOSTS_WORDS = """
agent representative rep operator clerk advisor adviser employee presenter host lecturer speaker instructor teacher interviewer
officer moderator anchor chair organizer organiser facilitator reporter
"""
HOSTS: Final = frozenset(_HOSTS_WORDS.split())
_CALLERS_WORDS = """
caller customer client guest patient candidate applicant member user claimant name full person subscriber buyer tenant passenger
student borrower presenter lecturer speaker host author narrator
"""
_CALLERS: Final = frozenset(_CALLERS_WORDS.split())
_OTHERS_WORDS = """
owner driver recipient technician sponsor doctor physician provider witness supervisor manager contact attendee guests
"""
_OTHERS: Final = frozenset(_OTHERS_WORDS.split())
_COMPANIES_WORDS = """
company organization organisation bank hotel merchant store shop business employer vendor supplier issuer network practice clinic
"""
_COMPANIES: Final = frozenset(_COMPANIES_WORDS.split())
_INTRODUCED = re.compile(
    r"\b(?:my name is|my name's|this is|i am|i'm|you're speaking (?:with|to)|you are speaking (?:with|to)|speaking with|it's|the name is"
    r"|name's)\b",
    re.I,
)
_SERVES = re.compile(
    r"\b(?:how (?:can|may) i help|thanks? (?:you )?for calling|speaking with|speaking to|welcome to|your host|i will show you|department"
    r"|good (?:morning|afternoon|evening), you)\b",
    re.I,
)
_CALLED = re.compile(r"\bthanks? (?:you )?for calling\s+", re.I)
_FROM: Final = frozenset({"from", "with", "of", "at"})
_AFTER: Final = frozenset({"from", "calling", "speaking", "here", "with", "of", "at", "and", ""})
_TITLES: Final = frozenset({"dr", "mr", "mrs", "ms", "professor", "prof", "miss"})
_NO_NAMES_WORDS = """
i i'm i'd i'll i've hi hello hey good thanks thank yes no okay ok sure and the a my your our we it it's this that what when where
who how please welcome today monday tuesday wednesday thursday friday saturday sunday january february march april may june july
august september october november december unit patient present certainly perfect sorry
"""
_NO_NAMES: Final = frozenset(_NO_NAMES_WORDS.split())
_GREETS = re.compile(r"\b(?:good (?:morning|afternoon|evening)|how (?:can|may)|hello|this is|my name|speaking)\b", re.I)
_MOST = 4


class Named(msgspec.Struct):
    """A name in a line, its tokens both included. `role`: of who introduces themselves."""

    line: Line
    first: int
    last: int
    role: Role | None = None

    @property
    def text(self) -> str:
        """The name."""
        return self.line.words(self.first, self.last)


class People:
    """Who is who in a transcript."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        self._places = {line.number: place for place, line in enumerate(lines)}
        self.introduced = [named for line in lines for named in self._introductions(line)]
        self.companies = [named for line in lines for named in self._companies(line)]

    def of_speaker(self, speaker: str | None) -> Named | None:
        """Who a voice said that it is."""
        return next((one for one in self.introduced if speaker is not None and one.line.speaker == speaker), None)

    def stated(self, ask: Ask) -> Iterator[Stated]:
        """Every possible answer for a field that asks for a person or a company."""
        wanted = _wanted(ask)
        if is_company(ask):
            for at, one in enumerate(self.companies):
                yield Stated(one.text, one.line, one.first, one.last, PARTLY - 0.04 * at)
            yield from self._labelled(ask, 0.0)
            return
        yield from self._labelled(ask, 0.0)
        hosts = [one for one in self.introduced if one.role == "host"]
        callers = [one for one in self.introduced if one.role != "host"]
        able = []
        if wanted & HOSTS:
            able = hosts or (callers if len(self.introduced) == 1 and wanted & _CALLERS else [])
        elif wanted & _CALLERS and not wanted & _OTHERS:
            able = callers
        for one in able:
            yield Stated(one.text, one.line, one.first, one.last, PARTLY)
        if wanted & _CALLERS and not wanted & (_OTHERS | HOSTS):
            yield from self._asked()

    def _labelled(self, ask: Ask, less: float) -> Iterator[Stated]:
        """Names behind the field's own words, or in the answer to a question that has them."""
        for at, line in enumerate(self.lines):
            for label in labels(line, ask):
                if not label.whole and tokens_of(split_name(ask.field.name))[-1:] != ("name",):
                    continue
                if line.asks:
                    yield from self._answer(at, label.fit)
                    continue
                run = next((run for run in runs(line) if label.last < run[0] <= label.last + 5), None)
                if run is None or run[0] <= label.first:
                    continue
                between = line.low[label.last + 1 : run[0]]
                if any(line.ends[i] in (".", ";") for i in range(label.last, run[0])) or "with" in between or "from" in between:
                    continue
                yield Stated(line.words(*run), line, *run, FULL * label.fit - 0.02 * len(between) - less)
        if _wanted(ask) & {"recipient"}:
            for line in self.lines:
                found = re.search(r"\b(?:this (?:message|call|letter|parcel) is for|addressed to|for the attention of)\s", line.text, re.I)
                if found:
                    first = line.token_at(found.end())
                    run = next((run for run in runs(line) if run[0] == first), None)
                    if run is not None:
                        yield Stated(line.words(*run), line, *run, FULL)

    def _asked(self) -> Iterator[Stated]:
        """The answer to a question for a name."""
        for at, line in enumerate(self.lines):
            if line.asks and "name" in line.low and not {"company", "product"} & set(line.low):
                yield from self._answer(at, 1.0)

    def _answer(self, at: int, fit: float) -> Iterator[Stated]:
        question = self.lines[at]
        for line in self.lines[at + 1 : at + 3]:
            if question.speaker is not None and line.speaker == question.speaker:
                return
            if line.asks:
                return
            run = next((run for run in runs(line, opening=True) if run[0] <= 4), None)
            if run is not None:
                yield Stated(line.words(*run), line, *run, ANSWERED * fit)
                return

    def _introductions(self, line: Line) -> Iterator[Named]:
        role: Role = "host" if self._serves(line) else "caller"
        for found in _INTRODUCED.finditer(line.text):
            first = line.token_at(min(found.end() + 1, len(line.text) - 1))
            if "host" in line.low[first : first + 3]:
                first = line.low.index("host", first) + 1
            run = next(
                (run for run in runs(line, opening=False) if run[0] == first or (run[0] == first + 1 and line.low[first] in _TITLES)), None
            )
            if run is None:
                continue
            after = line.low[run[1] + 1] if run[1] + 1 < len(line.low) else ""
            told = found.group().casefold()
            weak = told in ("this is", "i am", "i'm", "it's")
            if weak and (run[0] == run[1] or told == "it's") and not (after in _AFTER - {""} or line.ends[run[1]] == ","):
                continue
            if told == "it's" and after not in ("calling", "speaking", "here", "from"):
                continue
            if line.asks and told == "speaking with":
                continue
            yield Named(line, *run, role)
        for run in runs(line, opening=True):
            after = line.low[run[1] + 1] if run[1] + 1 < len(line.low) else ""
            if run[0] <= 1 and after in ("speaking", "here") and not line.ends[run[1]]:
                yield Named(line, *run, role)

    def _serves(self, line: Line) -> bool:
        at = self._places[line.number]
        near = [other for other in self.lines[max(0, at - 1) : at + 2] if other.speaker == line.speaker]
        return any(_SERVES.search(other.text) for other in near)

    def _companies(self, line: Line) -> Iterator[Named]:
        called = _CALLED.search(line.text)
        if called:
            first = line.token_at(called.end())
            yield from (Named(line, *run) for run in runs(line, opening=True) if run[0] == first)
        for one in self.introduced:
            if one.line is line:
                at = one.last + 1
                while at < len(line.low) and line.low[at] in ("calling", "speaking", "here") and not line.ends[at]:
                    at += 1
                if at < len(line.low) and line.low[at] in _FROM and not line.ends[one.last]:
                    yield from (Named(line, *run) for run in runs(line) if run[0] == at + 1)
        if line is self.lines[0] and (run := next(iter(runs(line, opening=True)), None)) and run[0] == 0 and not called:
            comma = next((at for at in range(run[1], min(run[1] + 4, len(line.ends))) if line.ends[at] == ","), None)
            if comma is not None and _GREETS.search(line.text) and run[1] > 0:
                yield Named(line, *run)


def is_person(ask: Ask) -> bool:
    """Whether a field asks for who somebody is."""
    if ask.field.kind != "string" or ask.field.enum:
        return False
    wanted = _wanted(ask)
    if is_company(ask):
        return False
    if ask.kind in ("person", "person1"):
        return True
    if ask.kind == "org":
        return bool(wanted & (HOSTS | _CALLERS | _OTHERS))
    return (
        ask.kind in ("name", "text") and bool(wanted & (HOSTS | _CALLERS | _OTHERS)) and not wanted & {"product", "reason", "topic", "type"}
    )


def is_company(ask: Ask) -> bool:
    """Whether a field asks for a company or the like."""
    own = set(tokens_of(split_name(ask.field.name))) | set(split_name(ask.field.name).casefold().split())
    return ask.field.kind == "string" and not ask.field.enum and bool(own & _COMPANIES) and ask.kind in ("org", "text", "name")


def _wanted(ask: Ask) -> set[str]:
    return set(split_name(ask.field.name).casefold().split())


def runs(line: Line, *, opening: bool = False) -> Iterator[tuple[int, int]]:
    """Names in a line: words with capitals, side by side; `opening`: also one that begins the sentence."""
    at = 0
    while at < len(line.cores):
        if not _capital(line, at, opening=opening):
            at += 1
            continue
        first = at
        while True:
            linked = at + 2 < len(line.cores) and line.low[at + 1] in ("of", "&", "de", "van", "der", "la") and not line.ends[at]
            if not (line.ends[at] and not (line.low[at] in _TITLES and line.ends[at] == ".")) and _capital(line, at + 1, opening=opening):
                at += 1
            elif linked and _capital(line, at + 2, opening=opening) and line.low[at + 1] != "of":
                at += 2
            else:
                break
        while first < at and line.low[first] in _TITLES:
            first += 1
        if at - first < _MOST and line.low[first] not in _TITLES:
            yield first, at
        at += 1


def _capital(line: Line, at: int, *, opening: bool) -> bool:
    if not 0 <= at < len(line.cores):
        return False
    core = line.cores[at]
    if at == 0 and not opening:
        return False
    return core[:1].isupper() and line.low[at] not in _NO_NAMES and core.replace("'", "").replace("-", "").isalpha() and (len(core) > 1)
