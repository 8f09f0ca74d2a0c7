"""A transcript as a document: a line for each sentence, its words as one writes them (`spoken`), and the way back to what was said.

The pages have a geometry of their own, in which a box stands for words and so for a time: extractors of documents read them like any
page, and what they cite is brought back to seconds by `Speech.span`.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from heliograph.extraction.recordings.spoken import Written, written
from heliograph.extraction.result import Evidence
from heliograph.media.document import Document, Line, Page, Word
from heliograph.media.geometry import Box, union
from heliograph.media.recording import Said, Segment, Transcript
from heliograph.media.timecode import to_the_second

LINES: Final = 60
"""Sentences on a page."""
LONGEST: Final = 48
"""Words of a line: what goes on longer without a full stop is cut where it pauses."""
PAUSE: Final = 1.5
"""Seconds of silence that end a sentence without a full stop."""
_COLUMNS, _LEADING, _SIZE = 80, 18.0, 12.0
_WIDTH = 612.0
_ENDS = re.compile(r"[.?!…]+[\"'”’)]*$")
_SHORT = re.compile(r"(?i)^(?:mr|mrs|ms|dr|prof|st|jr|sr|no|vs|etc|[a-z]|[ap]\.m)\.$")
"""Words whose full stop ends no sentence."""


class Span(msgspec.Struct, frozen=True):
    """A stretch of time and what was said, or stood to be read, in it. Seconds."""

    start: float
    end: float
    content: str
    score: float = 1.0


class Sentence(msgspec.Struct):
    """A line: its `tokens`, made of the words `first` to `last` of the transcript, both included."""

    tokens: list[Written]
    first: int
    last: int
    speaker: str | None = None

    @property
    def text(self) -> str:
        """The tokens as one writes them."""
        return " ".join(token.text for token in self.tokens)


class Speech:
    """What was said, as sentences and as pages."""

    def __init__(self, transcript: Transcript) -> None:
        self.transcript = transcript
        self.words: list[Said] = []
        self.segments: list[int] = []
        """Which segment each word belongs to."""
        for number, segment in enumerate(transcript.segments):
            found = timed(segment)
            self.words += found
            self.segments += [number] * len(found)
        self.sentences = list(self._sentences())
        self._said: list[list[tuple[int, int]]] = []
        """Of which words each word of each page was made."""
        pages = [
            self._page(index, self.sentences[first : first + LINES]) for index, first in enumerate(range(0, len(self.sentences), LINES))
        ]
        self.document = Document("audio/x-transcript", len(pages), pages)

    def span(self, first: int, last: int) -> Span:
        """When the words `first` to `last` were said, and how."""
        words = self.words[first : last + 1]
        content = " ".join(word.text for word in words)
        return Span(words[0].start, max(word.end for word in words), content, min(word.score for word in words))

    def whole(self, sentence: Sentence) -> Span:
        """When a sentence was said."""
        return self.span(sentence.first, sentence.last)

    def evidence(self, number: int, first: int = 0, last: int | None = None) -> Evidence:
        """The tokens `first` to `last` of the sentence with this number, as evidence on the pages; all of them when not given."""
        sentence = self.sentences[number]
        tokens = sentence.tokens
        last = len(tokens) - 1 if last is None else last
        page = self.document.pages[number // LINES]
        before = sum(len(token.text.split()) for token in tokens[:first])
        count = sum(len(token.text.split()) for token in tokens[first : last + 1])
        words = page.lines[number % LINES].words[before : before + count]
        said = self.span(tokens[first].first, tokens[last].last)
        return Evidence(said.content, union([page.words[word].box for word in words]), said.score)

    def spans(self, evidence: Sequence[Evidence]) -> list[Span]:
        """What was said where an extractor found its evidence, each stretch once, in order."""
        runs: list[tuple[int, int]] = []
        for part in evidence:
            runs += self._runs(part.box)
        made: list[Span] = []
        for first, last in sorted(set(runs)):
            made.append(self.span(first, last))
        return made

    def _runs(self, box: Box) -> Iterator[tuple[int, int]]:
        page = self.document.pages[box.page] if box.page < len(self.document.pages) else None
        if page is None:
            return
        for line in page.lines:
            if box.y <= line.box.cy <= box.y1:
                inside = [self._said[box.page][word] for word in line.words if _under(page.words[word].box, box)]
                if inside:
                    yield inside[0][0], inside[-1][1]

    # -- sentences ----------------------------------------------------------------------------------------------------

    def _sentences(self) -> Iterator[Sentence]:
        for first, last in self._paragraphs():
            speaker = self.transcript.segments[self.segments[first]].speaker
            tokens = [
                Written(token.text, token.first + first, token.last + first)
                for token in written([word.text for word in self.words[first : last + 1]])
            ]
            for line in self._lines(tokens):
                yield Sentence(line, line[0].first, line[-1].last, speaker)

    def _paragraphs(self) -> Iterator[tuple[int, int]]:
        """Runs of words that one voice says without a long pause: what is dictated in pieces is read as one."""
        first = 0
        for at in range(1, len(self.words) + 1):
            if at < len(self.words):
                before, here = self.transcript.segments[self.segments[at - 1]], self.transcript.segments[self.segments[at]]
                if before.speaker == here.speaker and self.words[at].start - self.words[at - 1].end < 2 * PAUSE:
                    continue
            yield first, at - 1
            first = at

    def _lines(self, tokens: Sequence[Written]) -> Iterator[list[Written]]:
        line: list[Written] = []
        for at, token in enumerate(tokens):
            line.append(token)
            following = tokens[at + 1] if at + 1 < len(tokens) else None
            if following is None:
                break
            ends = _ENDS.search(token.text) is not None and not (_SHORT.match(token.text) and following.text[:1].islower())
            ends = ends and not (_SHORT.match(token.text) and not token.text[:1].isdigit() and len(token.text) > 2)
            silence = self.words[following.first].start - self.words[token.last].end
            if ends or silence > PAUSE or (len(line) >= LONGEST and (token.text.endswith(",") or silence > 0.3 or len(line) > 2 * LONGEST)):
                yield line
                line = []
        if line:
            yield line

    # -- pages --------------------------------------------------------------------------------------------------------

    def _page(self, index: int, sentences: Sequence[Sentence]) -> Page:
        columns = max([_COLUMNS, *(len(sentence.text) for sentence in sentences)]) + 4
        high = _LEADING * (len(sentences) + 2)
        page = Page(index, _WIDTH, high, source="speech", language=self.transcript.language)
        said: list[tuple[int, int]] = []
        self._said.append(said)
        for row, sentence in enumerate(sentences):
            y, tall = (row + 1) * _LEADING / high, _SIZE / high
            x, numbers = 2, list[int]()
            for token in sentence.tokens:
                score = min(word.score for word in self.words[token.first : token.last + 1])
                for text in token.text.split():
                    numbers.append(len(page.words))
                    page.words.append(Word(text, Box(x / columns, y, len(text) / columns, tall, index), score, row, _SIZE))
                    said.append((token.first, token.last))
                    x += len(text) + 1
            stamp = to_the_second(self.words[sentence.first].start)
            speaker = f"{sentence.speaker}: " if sentence.speaker else ""
            text = f"[{stamp}] {speaker}{sentence.text}"
            page.lines.append(Line(text, Box(2 / columns, y, (x - 3) / columns, tall, index), numbers))
        return page


def _under(word: Box, box: Box) -> bool:
    """Whether enough of a word lies in a box on its line."""
    return min(word.x1, box.x1) - max(word.x, box.x) > 0.4 * min(word.w, box.w)


def timed(segment: Segment) -> list[Said]:
    """The words of a segment; of one whose engine gave none, with times in proportion to their letters."""
    if segment.words:
        return [msgspec.structs.replace(word, text=text) for word in segment.words if (text := word.text.strip())]
    texts = segment.text.split()
    letters = sum(len(text) + 1 for text in texts)
    made: list[Said] = []
    at = 0
    for text in texts:
        start = segment.start + (segment.end - segment.start) * at / letters
        at += len(text) + 1
        made.append(Said(text, start, segment.start + (segment.end - segment.start) * at / letters, 1.0))
    return made


def within(words: Sequence[Said], start: float, end: float) -> Sequence[Said]:
    """Those of `words`, which are in order, whose middle lies in `[start, end)`."""
    middles = [(word.start + word.end) / 2 for word in words]
    return words[bisect.bisect_left(middles, start) : bisect.bisect_left(middles, end)]
