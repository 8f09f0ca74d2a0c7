"""Texts on the pages: as they are, with a few letters misread, or in pieces that stand together."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence, Set
from itertools import accumulate

from rapidfuzz.distance import Levenshtein

from heliograph.extraction.alignment.board import Board, Span
from heliograph.extraction.alignment.folding import fold, folded
from heliograph.extraction.alignment.places import Place
from heliograph.extraction.mending import CONFUSED

_GRAM = 3
_MOST = 64
"""Places of one text on a page that are looked at; more say nothing."""
_SHORTEST_FUZZY = 5
"""Letters of a text in which a slip is forgiven."""
_LONGEST_FUZZY = 4000
_LETTERS_A_SLIP = 6
"""Letters of a text for each that may be another; those that readers take for each other count half."""
_MOST_SLIPS = 24
_PIECE = 4
"""Letters of a text's parts, one of which must stand on the page as it is."""
_SAMPLED = 12
"""Grams of a text by which pages are told that may hold it."""
_COVERED = 0.85
"""Least share of a text's letters that its pieces must have."""
_STARTS = 12
"""Places of a text's first word from which its pieces are looked for."""
_MOST_PIECES = 40
_MOST_APART = 4
_FURTHER = 3.2
"""Heights of a line within which the next piece of a text begins."""


class Texts:
    """The folded text of pages. Made in one pass; a look-up reads only pages that have the text's grams."""

    def __init__(self, boards: Sequence[Board]) -> None:
        self.boards = boards
        self._grams: dict[str, list[int]] = {}
        self._holding: dict[str, list[int]] = {}
        self._words: list[dict[str, list[int]]] = []
        for board in boards:
            stream = board.stream
            for gram in {stream[i : i + _GRAM] for i in range(len(stream) - _GRAM + 1)}:
                self._grams.setdefault(gram, []).append(board.ordinal)
            words: dict[str, list[int]] = {}
            for index, word in enumerate(board.words):
                words.setdefault(folded(word.text)[0], []).append(index)
            self._words.append(words)
            for word in words:
                self._holding.setdefault(word, []).append(board.ordinal)

    def exact(self, text: str, pages: Set[int] | None) -> Iterator[Place]:
        """Where a text stands, whatever its case, accents, spaces and punctuation."""
        key = fold(text)
        if not key:
            yield from self._literal(text.strip(), pages)
            return
        for board in self._pages(key, pages, share=1.0):
            at, count = board.stream.find(key), 0
            while at >= 0 and count < _MOST:
                end = at + len(key)
                if board.bounded(at, end):
                    yield Place(board, [_widened(board, board.span(at, end), text)], "exact", 1.0)
                    count += 1
                at = board.stream.find(key, at + 1)

    def _literal(self, text: str, pages: Set[int] | None) -> Iterator[Place]:
        """Where signs stand that are neither letters nor digits."""
        for board in self._among(pages) if text else ():
            for index, word in enumerate(board.words):
                at = word.text.find(text)
                if at >= 0:
                    yield Place(board, [Span(index, at, index, at + len(text))], "exact", 0.9 if len(word.text) == len(text) else 0.6)

    def _among(self, pages: Set[int] | None) -> Iterator[Board]:
        return (board for board in self.boards if pages is None or board.ordinal in pages)

    def _pages(self, key: str, pages: Set[int] | None, *, share: float) -> Iterator[Board]:
        """The pages that may have at least this share of a text's grams."""
        if len(key) < _GRAM:
            yield from self._among(pages)
            return
        step = max(1, (len(key) - _GRAM + 1) // _SAMPLED)
        grams = {key[i : i + _GRAM] for i in range(0, len(key) - _GRAM + 1, step)}
        if share >= 1.0:  # the pages of the rarest one are few
            rarest = min((self._grams.get(gram, []) for gram in grams), key=len)
            yield from (self.boards[ordinal] for ordinal in rarest if pages is None or ordinal in pages)
            return
        counts: dict[int, int] = {}
        for gram in grams:
            for ordinal in self._grams.get(gram, ()):
                counts[ordinal] = counts.get(ordinal, 0) + 1
        for ordinal in sorted(counts):
            if counts[ordinal] >= share * len(grams) and (pages is None or ordinal in pages):
                yield self.boards[ordinal]

    def fuzzy(self, text: str, pages: Set[int] | None) -> Iterator[Place]:
        """Where a text stands with a few letters misread: one in six, or twice as many that look alike; digits only for letters that do."""
        key = fold(text)
        if not _SHORTEST_FUZZY <= len(key) <= _LONGEST_FUZZY:
            return
        slips = min(_MOST_SLIPS, max(1, len(key) // (_LETTERS_A_SLIP - 2)))
        pieces = _pieces(key, slips + 1)
        words = [word for token in text.split() if (word := fold(token))]
        for board in self._pages(key, pages, share=0.3):
            tried: set[int] = set()
            found: dict[tuple[int, int], float] = {}
            for offset, piece in pieces:
                at, count = board.stream.find(piece), 0
                while at >= 0 and count < _MOST:
                    count += 1
                    begin = at - offset
                    if all(begin + shift not in tried for shift in (-1, 0, 1)):
                        tried.add(begin)
                        near = _nearest(board, words, key, begin, slips)
                        if near is not None:
                            found[near[:2]] = near[2]
                    at = board.stream.find(piece, at + 1)
            for (start, end), quality in found.items():
                yield Place(board, [board.span(start, end)], "fuzzy", quality)

    def pieced(self, text: str, pages: Set[int] | None) -> Iterator[Place]:
        """Where a text stands in pieces: on lines of a column, or in fields that it is composed of.

        At least 85 % of its letters must be there and all of its digits. Pieces that follow each other down a column are the text
        itself; all of it in few places apart is `computed` from them.
        """
        tokens = [key for token in text.split() if (key := fold(token))]
        if not 2 <= len(tokens) <= 400:
            return
        for ordinal in self._starting(tokens, pages):
            board = self.boards[ordinal]
            for first in self._words[ordinal].get(tokens[0], [-1])[:_STARTS]:
                found = self._cover(board, tokens, first)
                if found is not None:
                    yield found

    def _starting(self, tokens: list[str], pages: Set[int] | None) -> list[int]:
        """The pages that have most of the words, the fullest first, at most four."""
        counts: dict[int, int] = {}
        for token in dict.fromkeys(tokens):
            for ordinal in self._holding.get(token, ()):
                if pages is None or ordinal in pages:
                    counts[ordinal] = counts.get(ordinal, 0) + len(token)
        whole = sum(len(token) for token in dict.fromkeys(tokens))
        likely = [ordinal for ordinal, count in counts.items() if count >= 0.5 * whole]
        return sorted(likely, key=lambda ordinal: (-counts[ordinal], ordinal))[:4]

    def _cover(self, board: Board, tokens: list[str], first: int) -> Place | None:
        """All of a text in pieces, the first of which begins with word `first` (-1: anywhere)."""
        spans: list[Span] = []
        missed = 0
        apart = False
        at = 0
        while at < len(tokens) and len(spans) <= _MOST_PIECES:
            best = self._longest(board, tokens, at, spans, first if at == 0 else -1)
            if best is None:
                if any(c.isdigit() for c in tokens[at]):
                    return None
                missed += len(tokens[at])
                at += 1
                continue
            count, span, near = best
            apart = apart or not near
            spans.append(span)
            at += count
        letters = sum(map(len, tokens))
        if not spans or letters - missed < _COVERED * letters or at < len(tokens):
            return None
        if apart:
            whole = missed == 0 and len(spans) <= _MOST_APART and all(_fills(board, span) for span in spans)
            return Place(board, spans, "computed", 0.6) if whole else None
        return Place(board, spans, "fuzzy" if missed else "exact", 0.95 * (letters - missed) / letters)

    def _longest(self, board: Board, tokens: list[str], at: int, spans: list[Span], first: int) -> tuple[int, Span, bool] | None:
        """The most words from `at` on that stand together, those that go on where the last piece ended before others."""
        best: tuple[tuple[bool, int, float], int, Span] | None = None
        for word in self._words[board.ordinal].get(tokens[at], ())[: 4 * _MOST] if first < 0 else [first]:
            start = board.starts[word]
            end, count = start + len(tokens[at]), 1
            while at + count < len(tokens) and board.stream.startswith(tokens[at + count], end):
                end += len(tokens[at + count])
                count += 1
            if not board.bounded(start, end):
                continue
            span = board.span(start, end)
            near = not spans or _follows(board, spans[-1], span)
            rank = (near, count, -abs(word - spans[-1].last) if spans else 0.0)
            if best is None or rank > best[0]:
                best = rank, count, span
        return None if best is None else (best[1], best[2], best[0][0])


def _pieces(key: str, count: int) -> list[tuple[int, str]]:
    """`key` cut into `count` parts, so that with fewer slips one is whole; parts of less than four letters are put together."""
    size = max(_PIECE if len(key) >= 2 * _PIECE else 3, len(key) // count)
    return [(at, key[at : at + size]) for at in range(0, len(key) - size + 1, size)]


def _nearest(board: Board, words: Sequence[str], key: str, begin: int, slips: int) -> tuple[int, int, float] | None:
    """The words about `begin` that are most like `key`: their place in the stream and how alike they are."""
    best: tuple[int, int, int] | None = None
    reach = min(slips, 8) + 1
    for start in board.edges(begin, reach)[:3]:
        for end in board.edges(start + len(key), reach)[:3]:
            if end <= start:
                continue
            apart = Levenshtein.distance(key, board.stream[start:end], score_cutoff=slips)
            if apart <= slips and (best is None or apart < best[2]):
                best = start, end, apart
    if best is None or not _misread(words, key, board.stream[best[0] : best[1]]):
        return None
    return best[0], best[1], 0.9 * (1 - best[2] / len(key))


def _misread(words: Sequence[str], said: str, written: str) -> bool:
    """Whether `said`, which is made of `words`, may have been misread as `written`.

    Letters that look alike count half; of each word two thirds must be right, and no digit may be another one.
    """
    costs = [0.0] * len(words)
    ends = list(accumulate(map(len, words)))
    for edit in Levenshtein.editops(said, written):
        a = said[edit.src_pos] if edit.tag != "insert" else ""
        b = written[edit.dest_pos] if edit.tag != "delete" else ""
        alike = frozenset((a, b)) in CONFUSED
        if (a.isdigit() or b.isdigit()) and not alike:
            return False
        costs[min(bisect_right(ends, edit.src_pos), len(words) - 1)] += 0.5 if alike else 1.0
    wrong = any(cost > max(1.0, len(word) / 3) for cost, word in zip(costs, words, strict=True))
    return not wrong and sum(costs) <= max(1.0, len(said) / _LETTERS_A_SLIP)


def _follows(board: Board, last: Span, span: Span) -> bool:
    """Whether a piece of a text goes on where another ended: on its line, or on one of the next lines of its column."""
    if span.first == last.last + 1:
        return True
    page = board.page
    a, b = board.words[last.last].box, board.words[span.first].box
    head = board.words[last.first].box
    tall = max(a.h, b.h) * page.height
    down = board.levels[span.first] - board.levels[last.last]
    if abs(down) < 0.5 * tall:
        return 0 <= (b.x - a.x1) * page.width < 6 * tall
    wide = 12 * tall / page.width
    return 0 < down < _FURTHER * tall and head.x - wide < b.x < a.x1 + wide


def _fills(board: Board, span: Span) -> bool:
    """Whether a piece is all that stands in its place on the page, or all behind a colon there."""
    run = board.runs[board.run_of[span.first]]
    begins = span.first == run.first or board.words[span.first - 1].text.endswith(":")
    return begins and span.last == run.last and len(fold(board.text(span))) >= _GRAM


def _widened(board: Board, span: Span, text: str) -> Span:
    """A span with the brackets and full stops that its text has too: `(800) 555`, `S.A.`"""
    first, last = board.words[span.first].text, board.words[span.last].text
    start, end = span.start, span.end
    lead = text.strip()
    if start > 0 and not lead[:1].isalnum() and first[start - 1] == lead[:1]:
        start -= 1
    if end < len(last) and not lead[-1:].isalnum() and last[end] == lead[-1:]:
        end += 1
    return Span(span.first, start, span.last, end)
