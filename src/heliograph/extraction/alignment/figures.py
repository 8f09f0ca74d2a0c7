"""Numbers and dates on the pages, by their value: `1234.5` finds `1,234.50`, `1.234,50 €` and `(1234.50)`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property

from heliograph.extraction.alignment.board import Board, Run
from heliograph.extraction.alignment.places import Place
from heliograph.extraction.normalise import Amount, Conventions, DateSpan, amounts, conventions, dates, number, times

_TELLING = re.compile(r"\d[.,]\d\d(?!\d)|\d\s?[./-]\s?\d{1,2}\s?[./-]\s?\d\d|[$€£¥₹]|[A-Z]{2},? \d{5}")
"""Runs that say how the document writes: amounts with cents, dates in numbers, currencies, American addresses."""
OTHER_SIGN = 0.7
"""Quality of a number that stands there with the other sign."""
OTHER_READING = 0.6
"""Quality of `1.234` for 1234 where decimals have a point, or of `3/4/2020` for a third of April where months come first."""
BARE = 0.8
"""Quality of an amount of money without cents, currency or thousands set apart."""
_HUNDRED = Decimal(100)
_WINDOW = 3
"""Runs over which a date may be spread."""


class Figures:
    """The amounts, dates and times of pages, looked for when first asked for. Linear in the text."""

    def __init__(self, boards: Sequence[Board]) -> None:
        self.boards = boards

    @cached_property
    def writing(self) -> Conventions:
        """How the document as a whole writes numbers and dates."""
        texts = [run.text for board in self.boards for run in board.runs if _TELLING.search(run.text)]
        return conventions(texts, language=next((board.page.language for board in self.boards if board.page.language), None))

    @cached_property
    def _amounts(self) -> dict[Decimal, list[tuple[Board, Run, Amount, float]]]:
        found: dict[Decimal, list[tuple[Board, Run, Amount, float]]] = {}
        mark = self.writing.decimal
        other = "," if mark == "." else "."
        for board, run in self._numeric():
            for amount in amounts(run.text, mark):
                found.setdefault(abs(amount.value), []).append((board, run, amount, 1.0))
                if sum(c in ".,'’ \u00a0\u202f" for c in amount.raw):
                    again, _ = number(re.sub(r"[^\d.,]", "", amount.raw).strip(".,") or "0", other)
                    if again is not None and again != abs(amount.value):
                        found.setdefault(again, []).append((board, run, amount, OTHER_READING))
        return found

    def _numeric(self) -> Iterator[tuple[Board, Run]]:
        for board in self.boards:
            for run in board.runs:
                if any(c.isdigit() for c in run.text):
                    yield board, run

    def numbers(self, value: Decimal, *, money: bool = False) -> Iterator[Place]:
        """Where a number stands, in whatever way it is written; for `money`, one without cents or a currency is less likely it."""
        for board, run, amount, quality in self._amounts.get(abs(value), ()):
            sign = 1.0 if not value or (amount.value < 0) == (value < 0) else OTHER_SIGN
            place = self._place(board, run, amount.start, amount.end, quality * sign)
            if money and not (amount.decimals or amount.currency or amount.grouped):
                place.quality *= BARE
            yield place
        if value and abs(value) <= 10:  # a share of one that is printed in per cent
            for board, run, amount, quality in self._amounts.get(abs(value) * _HUNDRED, ()):
                if amount.percent:
                    yield self._place(board, run, amount.start, amount.end, quality)

    @cached_property
    def _days(self) -> dict[date, list[tuple[Board, Run, DateSpan, float]]]:
        found: dict[date, list[tuple[Board, Run, DateSpan, float]]] = {}
        for board, run in self._numeric():
            for span in dates(run.text, compact=True):
                self._settle(found, board, run, span)
        return found

    def _settle(self, found: dict[date, list[tuple[Board, Run, DateSpan, float]]], board: Board, run: Run, span: DateSpan) -> None:
        day = span.settle(day_first=self.writing.day_first)
        other = span.settle(day_first=not self.writing.day_first)
        if day is not None:
            found.setdefault(day, []).append((board, run, span, 1.0))
        if other is not None and other != day:
            found.setdefault(other, []).append((board, run, span, OTHER_READING))

    @cached_property
    def _spread(self) -> dict[date, list[tuple[Board, Run, DateSpan, float]]]:
        """Dates that go over several runs; each in a run made for it of these."""
        found: dict[date, list[tuple[Board, Run, DateSpan, float]]] = {}
        for board in self.boards:
            for at in range(len(board.runs) - 1):
                runs = board.runs[at : at + _WINDOW]
                if sum(len(run.text) for run in runs) > 120 or not any(c.isdigit() for run in runs for c in run.text):
                    continue
                joined = Run(-1, runs[0].first, runs[-1].last, " ".join(run.text for run in runs), 0, 0, 0, 0, 1)
                for span in dates(joined.text):
                    if span.start < len(runs[0].text) < span.end:
                        self._settle(found, board, joined, span)
        return found

    def days(self, value: date) -> Iterator[Place]:
        """Where a date stands, in any writing and language that the normaliser knows."""
        found = self._days.get(value) or self._spread.get(value, ())
        for board, run, span, quality in found:
            yield self._place(board, run, span.start, span.end, quality)

    @cached_property
    def _times(self) -> dict[str, list[tuple[Board, Run, int, int]]]:
        found: dict[str, list[tuple[Board, Run, int, int]]] = {}
        for board, run in self._numeric():
            for span in times(run.text):
                found.setdefault(str(span.value), []).append((board, run, span.start, span.end))
        return found

    def times(self, value: str) -> Iterator[Place]:
        """Where a time of day (`HH:MM:SS`) stands."""
        for board, run, start, end in self._times.get(value, ()):
            yield self._place(board, run, start, end, 1.0)

    def _place(self, board: Board, run: Run, start: int, end: int, quality: float) -> Place:
        match = "exact" if quality >= 1.0 else "fuzzy"
        return Place(board, [board.within(run, start, end)], match, quality)
