"""Transcripts as subtitles: cues that can be read while they are shown, written as SubRip (.srt) and WebVTT, and read from both.

The rules are those that broadcasters agree on: at most two lines of 42 columns, at most 7 seconds, no more than 21 columns a second
where the next cue leaves room, and breaks where the sentence has its own (BBC Subtitle Guidelines 1.2; Netflix Timed Text Style Guide).
A Chinese or Japanese letter is two columns wide.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import zip_longest

import msgspec

from heliograph.errors import InvalidRequest
from heliograph.media.recording import Segment, Transcript

WIDTH = 42
LINES = 2
LONGEST, SHORTEST = 7.0, 1.0
"""Seconds that a cue is shown; the shorter only where the next leaves room."""
PACE = 21.0
"""Columns that people read in a second."""
PAUSE = 0.6
LULL = 2.0
"""Seconds of silence between two words after which a cue may as well end, and after which it does."""

_ENDS, _RESTS = frozenset(".!?…。！？"), frozenset(",;:，、；：)")
_CLOSING = "\"'”’»)]」』"
_TIME = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{3})")
_TIMES = re.compile(rf"^\s*({_TIME.pattern})\s*-->\s*({_TIME.pattern})(?:\s.*)?$")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]*)>")
_TAG = re.compile(r"</?(?:[ibucv]|ruby|rt|lang|font)\b[^>]*>|<(?:\d+:)?\d+:\d\d\.\d{3}>|\{\\an\d\}", re.IGNORECASE)


class Cue(msgspec.Struct):
    """What is shown at once: `lines` of text from `start` up to `end` in seconds. `speaker`: who says it, where that is known."""

    start: float
    end: float
    lines: list[str]
    speaker: str | None = None

    @property
    def text(self) -> str:
        """The lines as one."""
        return " ".join(self.lines)


class _Piece(msgspec.Struct, gc=False):
    """Text that is not broken: a word with what stands around it, or one letter of a script without spaces. `space`: one before it."""

    text: str
    start: float
    end: float
    space: bool


def cues(transcript: Transcript, *, width: int = WIDTH, lines: int = LINES, longest: float = LONGEST) -> list[Cue]:
    """A transcript as cues of at most `lines` lines of `width` columns and `longest` seconds, in order, none over another.

    Where a segment has no words with times, they are taken to be spread evenly over it.
    """
    found: list[Cue] = []
    for segment in sorted(transcript.segments, key=lambda each: (each.start, each.end)):
        pieces = [part for piece in _pieces(segment) for part in _cut(piece, width)]
        for group in _grouped(pieces, width, lines, longest):
            laid = _laid(group, width)
            found.append(Cue(group[0].start, max(group[-1].end, group[0].start), laid, segment.speaker))
    return _timed(found, max([transcript.duration, *(cue.end for cue in found)]))


def srt(shown: Iterable[Cue]) -> str:
    """Cues as SubRip text. A speaker is named on the first line when another one spoke before; `-->`, which ends a text, is an arrow."""
    blocks: list[str] = []
    before: str | None = None
    for number, cue in enumerate(shown, 1):
        text = [line.replace("-->", "→") for line in cue.lines]
        if cue.speaker and cue.speaker != before and text:
            text[0] = f"{_called(cue.speaker)}: {text[0]}"
        before = cue.speaker
        blocks.append("\n".join([str(number), f"{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}", *text]) + "\n")
    return "\n".join(blocks)


def vtt(shown: Iterable[Cue], *, language: str | None = None) -> str:
    """Cues as WebVTT text, speakers as voices (`<v Speaker A>`), `&`, `<` and `>` escaped. `language`: ISO 639-1, for the head."""
    blocks = ["WEBVTT\n" + (f"Language: {language}\n" if language else "")]
    for cue in shown:
        text = [html.escape(line, quote=False) for line in cue.lines]
        if cue.speaker and text:
            text[0] = f"<v {html.escape(_called(cue.speaker), quote=False)}>{text[0]}"
        blocks.append("\n".join([f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}", *text]) + "\n")
    return "\n".join(blocks)


def parse(text: str) -> list[Cue]:
    """The cues of SubRip or WebVTT text, by time, without styling. Raises InvalidRequest where there are none, or one ends too early."""
    found: list[Cue] = []
    for block in re.split(r"\n[^\S\n]*\n", text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")):
        rows = block.strip("\n").split("\n")
        place = next((index for index, row in enumerate(rows[:2]) if _TIMES.match(row)), None)
        if place is None:
            continue
        times = [_seconds(*match) for match in _TIME.findall(rows[place])[:2]]
        if times[1] <= times[0]:
            raise InvalidRequest(
                f"The caption at {_clock(times[0], '.')} ends before it begins ({_clock(times[1], '.')}).", param="captions"
            )
        voice = _VOICE.search(block)
        lines = [html.unescape(_TAG.sub("", row)).strip() for row in rows[place + 1 :]]
        lines = [line for line in lines if line]
        if lines:
            found.append(Cue(times[0], times[1], lines, voice[1].strip() if voice else None))
    if not found:
        raise InvalidRequest("These are no captions: neither SubRip (.srt) nor WebVTT (.vtt) text with times was found.", param="captions")
    return sorted(found, key=lambda cue: (cue.start, cue.end))


def laid(text: str, width: int = WIDTH) -> list[str]:
    """Text on as few lines of `width` columns as it needs, of about one length where it needs two."""
    pieces = [piece for word in _pieces(Segment(0.0, 0.0, text)) for piece in _cut(word, width)]
    return _laid(pieces, width)


def columns(text: str) -> int:
    """How wide text is: 1 a letter, 2 for those of East Asian width, 0 for marks that stand on others."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.combining(letter) or unicodedata.category(letter) in ("Cf", "Me")
        else 1 + (unicodedata.east_asian_width(letter) in ("W", "F"))
        for letter in text
    )


def _pieces(segment: Segment) -> list[_Piece]:
    """A segment's text in pieces with times. The text is what counts: words lend their times to the letters that they are found on."""
    text = " ".join(segment.text.split())
    if not text:
        return []
    times = _letter_times(text, segment)
    pieces: list[_Piece] = []
    for word in re.finditer(r"\S+", text):
        at, space = word.start(), word.start() > 0
        for part in _unspaced(word[0]):
            end = at + len(part)
            pieces.append(_Piece(part, times[at][0], max(times[end - 1][1], times[at][0]), space))
            at, space = end, False
    return pieces


def _letter_times(text: str, segment: Segment) -> list[tuple[float, float]]:
    """When each letter begins and ends to be said."""
    length, lasts = len(text), max(segment.end - segment.start, 0.0)
    times = [(segment.start + lasts * place / length, segment.start + lasts * (place + 1) / length) for place in range(length)]
    folded, at, before = text.casefold(), 0, segment.start
    if len(folded) != length:  # letters that fold to two
        folded = text.lower() if len(text.lower()) == length else text
    for word in segment.words:
        said = word.text.strip()
        place = folded.find(said.casefold(), at) if said else -1
        if place < 0:
            continue
        for letter in range(at, place):  # what stands between words, such as an opening quote, goes with the next
            times[letter] = (max(word.start, before), max(word.start, before))
        step = max(word.end - word.start, 0.0) / len(said)
        for number in range(min(len(said), length - place)):
            times[place + number] = (max(word.start + step * number, before), max(word.start + step * (number + 1), before))
        at, before = place + len(said), max(word.start, before)
        for letter in range(at, length):
            if text[letter].isspace():
                break
            times[letter] = (max(word.end, before), max(word.end, before))
    latest = segment.start
    for place, (begins, ends) in enumerate(times):  # letters that no word was found on were only spread out
        times[place] = (max(begins, latest), max(ends, latest))
        latest = times[place][0]
    return times


def _unspaced(word: str) -> list[str]:
    """A word as it is, or its letters where it is of a script that writes none of the spaces; closing marks stay with what they close."""
    if not any(unicodedata.east_asian_width(letter) == "W" for letter in word):
        return [word]
    parts: list[str] = []
    for letter in word:
        wide = unicodedata.east_asian_width(letter) == "W" and unicodedata.category(letter)[0] not in ("P", "M")
        opened = bool(parts) and unicodedata.category(parts[-1][-1]) in ("Ps", "Pi")
        joined = bool(parts) and not wide and (unicodedata.category(letter) not in ("Ps", "Pi"))
        if parts and (opened or joined):
            parts[-1] += letter
        else:
            parts.append(letter)
    return parts


def _cut(piece: _Piece, width: int) -> list[_Piece]:
    """A piece that fits a line, or several that do."""
    if columns(piece.text) <= width:
        return [piece]
    most = max(1, width // 2 if columns(piece.text) > len(piece.text) else width)
    parts = [piece.text[at : at + most] for at in range(0, len(piece.text), most)]
    step = (piece.end - piece.start) / len(parts)
    return [
        _Piece(part, piece.start + step * number, piece.start + step * (number + 1), piece.space and not number)
        for number, part in enumerate(parts)
    ]


def _grouped(pieces: Sequence[_Piece], width: int, lines: int, longest: float) -> list[list[_Piece]]:
    """Pieces in cues: the cheapest way to cut them, where a cut costs least after a sentence, less after a comma or a pause."""
    best: list[tuple[float, int]] = [(0.0, 0)]
    wide = [columns(piece.text) for piece in pieces]
    for end in range(1, len(pieces) + 1):
        options: list[tuple[float, int]] = []
        for begin in range(end - 1, -1, -1):
            lasts = pieces[end - 1].end - pieces[begin].start
            if end - begin > 1 and (
                lasts > longest or pieces[begin + 1].start - pieces[begin].end > LULL or _rows(pieces, wide, begin, end, width) > lines
            ):
                break
            options.append((best[begin][0] + 1.0 + _price(pieces, end) + max(0.0, SHORTEST - lasts), begin))
        best.append(min(options))
    groups: list[list[_Piece]] = []
    end = len(pieces)
    while end:
        begin = best[end][1]
        groups.append(list(pieces[begin:end]))
        end = begin
    return groups[::-1]


def _price(pieces: Sequence[_Piece], end: int) -> float:
    """Of ending a cue before the piece at `end`."""
    if end == len(pieces):
        return 0.0
    last = pieces[end - 1].text.rstrip(_CLOSING)[-1:]
    if last in _ENDS:
        return -1.1  # a sentence that can be read alone gets a cue of its own
    if pieces[end].start - pieces[end - 1].end >= PAUSE:
        return -0.5
    return 0.2 if last in _RESTS else 1.0


def _rows(pieces: Sequence[_Piece], wide: Sequence[int], begin: int, end: int, width: int) -> int:
    """How many lines these pieces fill."""
    rows, filled = 1, wide[begin]
    for place in range(begin + 1, end):
        longer = filled + wide[place] + pieces[place].space
        rows, filled = (rows, longer) if longer <= width else (rows + 1, wide[place])
    return rows


def _filled(pieces: Sequence[_Piece], width: int) -> list[str]:
    """Lines as full as they get."""
    rows: list[str] = []
    for piece in pieces:
        longer = f"{rows[-1]} {piece.text}" if rows and piece.space else f"{rows[-1] if rows else ''}{piece.text}"
        if rows and columns(longer) <= width:
            rows[-1] = longer
        else:
            rows.append(piece.text)
    return rows


def _laid(pieces: Sequence[_Piece], width: int) -> list[str]:
    """Lines of about one length, broken after a comma where that is not far off."""
    rows = _filled(pieces, width)
    if len(rows) != 2:
        return rows
    ways = [(_joined(pieces[:place]), _joined(pieces[place:])) for place in range(1, len(pieces))]
    fitting = [way for way in ways if max(map(columns, way)) <= width]

    def badness(way: tuple[str, str]) -> float:
        upper, lower = map(columns, way)
        return abs(upper - lower) + (2.0 if upper > lower else 0.0) - (8.0 if way[0][-1] in _ENDS | _RESTS else 0.0)

    return list(min(fitting, key=badness)) if fitting else rows


def _joined(pieces: Sequence[_Piece]) -> str:
    return "".join(f" {piece.text}" if piece.space and number else piece.text for number, piece in enumerate(pieces))


def _timed(shown: list[Cue], duration: float) -> list[Cue]:
    """Cues that stay long enough to be read, where the next leaves room, and never over it; times in whole milliseconds."""
    floor = 0.0
    for cue in shown:
        cue.start = max(round(cue.start, 3), floor)
        floor = round(cue.start + 0.001, 3)
    for cue, after in zip_longest(shown, shown[1:]):
        wanted = max(cue.end, cue.start + max(SHORTEST, columns(cue.text) / PACE))
        room = after.start if after else max(duration, cue.start + 0.001)
        cue.end = round(max(min(wanted, max(cue.start + LONGEST, cue.end), room), cue.start + 0.001), 3)
    return shown


def _called(speaker: str) -> str:
    """`A` is nobody's name."""
    return f"Speaker {speaker}" if len(speaker) <= 2 else speaker


def _clock(seconds: float, point: str) -> str:
    whole, thousandths = divmod(round(max(seconds, 0.0) * 1000), 1000)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d}{point}{thousandths:03d}"


def _seconds(hours: str, minutes: str, seconds: str, thousandths: str) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int(thousandths) / 1000
