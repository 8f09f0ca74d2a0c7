"""Pages in windows that a model can take, made while pages are still being read.

    cutter = Cutter(Budget.of(profile, schema, request, told=...))
    for page in pages: windows += cutter.add(page)
    windows += cutter.close()

A window is closed when the next page would not fit. It ends between two pages that no table joins, if there is such a place in its
second half; otherwise its last page is shown again at the head of the next, so that a row on the border is seen whole. Where windows
end follows from the pages before and the one after alone: a rerun makes the same ones, whatever it has in its journal.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Self

import msgspec

from heliograph.extraction.prompted import prompts
from heliograph.extraction.prompted.pagetext import page_text
from heliograph.extraction.prompted.request import Request
from heliograph.extraction.schema import Field, Schema
from heliograph.media.document import Page, Table
from heliograph.models.contract import Profile

MOST_PAGES = 16
"""Pages of a window where the model would take more: what a kill loses, and what runs side by side."""
PICTURE_PIXELS = 600
"""Pixels of a picture that are taken for a token. Qwen2.5-VL has 784 (28 x 28), Claude 750, GPT-4o up to 1,540; what needs more is told
by the model's refusal, and the window is then halved."""
ASCII_CHARACTERS = 2.6
"""Characters of plain text that are taken for a token; figures and ids have fewer than prose, which has about four."""
LEAF_TOKENS = 14
"""Tokens of one field of an answer: name, quotes, a short value."""
MARKER_TOKENS = 24
SPARE = 0.9
"""Share of a limit that is used, as the counts are estimates."""
OUTPUT_SHARE = 3
"""The part of the context that is left to the answer, at most: one in so many."""
_LOW, _HIGH = 0.72, 0.32
"""A table that goes on over a page break ends below the one and begins above the other share of its page."""
_ASIDE = 0.08
"""How far the sides of its two parts may lie apart, in page widths."""


def tokens(text: str) -> int:
    """How many tokens `text` may have, rather too many."""
    plain = len(text) if text.isascii() else sum(character < "\u0250" for character in text)
    return math.ceil(plain / ASCII_CHARACTERS + (len(text) - plain) * 1.2)


class Cost(msgspec.Struct, frozen=True):
    """What a page takes: tokens shown, pictures, and tokens that answering its rows takes."""

    tokens: int
    pictures: int
    answer: int


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What a window may take, in the units of `Cost`. `row`: tokens that one row of the answer's lists has; 0 where it has no lists."""

    tokens: int
    pictures: int
    answer: int
    row: int
    side: int
    request: Request
    profile: Profile

    @classmethod
    def of(cls, profile: Profile, schema: Schema, request: Request, asked: str) -> Self:
        """For a model and a question. `asked`: the words that are said besides the pages."""
        output = min(profile.max_output, request.max_tokens, max(256, profile.context // OUTPUT_SHARE))
        said = tokens(prompts.RULES) + tokens(request.examples) + 2 * tokens(asked)  # a backend may be told the schema as well
        leaves = sum(1 for _ in schema.root.leaves())
        rows = [sum(1 for _ in field.item.leaves()) for field in _lists(schema.root) if field.item is not None]
        return cls(
            tokens=max(512, int((profile.context - output - said) * SPARE)),
            pictures=profile.max_pictures,
            answer=max(256, int(output * SPARE) - leaves * LEAF_TOKENS),
            row=max(rows, default=0) * LEAF_TOKENS,
            side=prompts.picture_side(request.detail, profile),
            request=request,
            profile=profile,
        )

    def cost(self, page: Page) -> Cost:
        """What `page` takes of it."""
        shown = prompts.shows_picture(page, self.request.detail, self.profile)
        width, height = prompts.pixels(page, self.side) if shown else (0, 0)
        text = min(tokens(page_text(page)), self.tokens)
        rows = sum(max(0, table.rows - table.header_rows) for table in page.tables)
        return Cost(text + MARKER_TOKENS + width * height // PICTURE_PIXELS, int(shown), rows * self.row)

    def holds(self, costs: list[Cost]) -> bool:
        """Whether pages of these costs fit into one window."""
        return (
            len(costs) <= MOST_PAGES
            and sum(cost.tokens for cost in costs) <= self.tokens
            and sum(cost.pictures for cost in costs) <= self.pictures
            and sum(cost.answer for cost in costs) <= self.answer
        )

    @property
    def longest_text(self) -> int:
        """Characters of one page's text that fit."""
        return int(self.tokens * ASCII_CHARACTERS)


class Window(msgspec.Struct, frozen=True):
    """Pages that are shown together. `carried`: how many of the first the window before has shown too. `part`: there are others."""

    number: int
    pages: list[Page]
    carried: int = 0
    part: bool = False

    @property
    def indices(self) -> list[int]:
        """The pages by their index."""
        return [page.index for page in self.pages]

    def halves(self) -> list[Window]:
        """The window in two, for a model that does not take it whole; none when it is a single page."""
        middle = len(self.pages) // 2
        if not middle:
            return []
        first, second = self.pages[:middle], self.pages[middle:]
        return [Window(self.number, first, min(self.carried, len(first) - 1), True), Window(self.number, second, 0, True)]


class Cutter:
    """Cuts pages, added in order, into windows."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._pages: list[Page] = []
        self._costs: list[Cost] = []
        self._carried = 0
        self._made = 0

    def add(self, page: Page) -> list[Window]:
        """The windows that are complete now that it is known that `page` follows."""
        done: list[Window] = []
        cost = self._budget.cost(page)
        while self._pages and not self._budget.holds([*self._costs, cost]):
            done.append(self._cut(page, cost))
        self._pages.append(page)
        self._costs.append(cost)
        return done

    def close(self) -> list[Window]:
        """The last window, as no page follows."""
        if len(self._pages) <= self._carried:
            return []
        made = Window(self._made, self._pages, self._carried, part=self._made > 0)
        self._pages, self._costs, self._carried = [], [], 0
        self._made += 1
        return [made]

    def _cut(self, page: Page, cost: Cost) -> Window:
        ahead = [*self._pages, page]
        least = max(len(self._pages) // 2, self._carried + 1)
        at = next((end for end in range(len(self._pages), least - 1, -1) if not goes_on(ahead[end - 1], ahead[end])), None)
        carry = 0
        if at is None:
            at = len(self._pages)
            fresh = at - self._carried  # a page is shown twice, not in every window
            carry = int(fresh > 1 and self._budget.holds([self._costs[-1], cost]))
        made = Window(self._made, self._pages[:at], self._carried, part=True)
        self._pages, self._costs, self._carried = self._pages[at - carry :], self._costs[at - carry :], carry
        self._made += 1
        return made


def windows(pages: Iterable[Page], budget: Budget) -> list[Window]:
    """All windows of `pages`."""
    cutter = Cutter(budget)
    return [*(window for page in pages for window in cutter.add(page)), *cutter.close()]


def goes_on(before: Page, after: Page) -> bool:
    """Whether a table of `before` goes on at the head of `after`: the lowest ends low, the first begins high, both as wide, with as many
    columns."""
    if before.index + 1 != after.index or not before.tables or not after.tables:
        return False
    upper = max(before.tables, key=lambda table: table.box.y1)
    lower = min(after.tables, key=lambda table: table.box.y)
    return upper.box.y1 >= _LOW and lower.box.y <= _HIGH and _alike(upper, lower)


def _alike(upper: Table, lower: Table) -> bool:
    aside = max(abs(upper.box.x - lower.box.x), abs(upper.box.x1 - lower.box.x1))
    return aside <= _ASIDE and abs(upper.columns - lower.columns) <= 1


def _lists(field: Field) -> Iterable[Field]:
    if field.kind == "array":
        yield field
    for child in [*field.fields, *([field.item] if field.item is not None else [])]:
        yield from _lists(child)
