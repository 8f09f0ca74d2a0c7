"""Reading text from pixels: find lines, turn the page upright, read each line, box each word.

The networks are PP-OCRv6 small, from the rapidocr wheel; this module is the pipeline around them. Compared with the
wheel's own pipeline it keeps character positions (for tight word boxes and lost spaces), decides the page's
orientation from the lines it reads anyway, looks again where text is too small for the first look, and shows the
runtime few shapes so that memory stays flat.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Literal

import cv2
import msgspec
import numpy as np

from heliograph.perception import weights
from heliograph.perception.detection import Image, Quad, content, detect, sides
from heliograph.perception.inference import load
from heliograph.perception.ink import ink, tighten
from heliograph.perception.options import Detail
from heliograph.perception.recognition import Glyphs, Recogniser
from heliograph.perception.scripts import DOUBTFUL, LEAST_ASPECT, LEAST_SHARE, UNKNOWN, WHOLE, ScriptGuesser, unread
from heliograph.perception.sideways import LEAN, on_end, strips, unruled
from heliograph.perception.slips import mend
from heliograph.perception.spacing import beginnings
from heliograph.perception.strays import find_strays

Turn = Literal[0, 90, 180, 270]

DETECTION_SIDE: dict[Detail, int] = {"lo": 960, "auto": 1280, "hi": 1920}
"""Longer side of the image that the detector sees. Trade measured in bench/reading.py, see docs/design/reading.md."""
CLOSER_SIDE: dict[Detail, int] = {"lo": 0, "auto": 1920, "hi": 2560}
"""Longer side of the second look at pages with small text; 0 is no second look."""
SMALL_LINE = 14.0
"""A median line height, in pixels as the detector saw it with its margins, below which the detector looks again closer."""
SURE = 0.8
"""A mean score from which a line counts as read the right way up. Columns of digits on end score .6 to .75, stamps .9 and more."""
MUCH_BETTER = 0.25
"""By how much a badly read page must read better upside down to be turned; a page in a script that the recogniser does not know reads
a little better either way."""
ENOUGH_LETTERS = 8
"""Characters read in all probes together, below which nothing is turned: a logo or a code has no way up."""
AT_ONCE = 96
"""Lines cut out of the image at one time."""
LEAST_ON_END = 3
"""Letters and digits that a line on end must have to be believed: tall rules and single letters read as anything."""
LEAST_SCORE = 0.5
"""Lines read with a lower mean score are noise, not text (RapidOCR's own threshold)."""

CERTAIN = 0.95
"""Least score of a mark that the detector passed over: of 50 on receipts those below were edges of paper (eval of 2026-11-21)."""
ALONE = "*@#%&"
"""Marks that may stand alone beside a line; dots and dashes of dirt and of leaders look like the others."""


class ReadWord(msgspec.Struct, gc=False):
    """A word: `box` is left, top, right, bottom in pixels of the upright image; `height` that of its line's ink."""

    text: str
    box: tuple[float, float, float, float]
    score: float
    height: float


class ReadLine(msgspec.Struct, gc=False):
    """A detected line with its words, left to right. `quad` is what was cut out, `angle` in degrees, clockwise, its reading direction."""

    words: list[ReadWord]
    score: float
    angle: float
    quad: Quad

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of its words together."""
        boxes = [word.box for word in self.words]
        return min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)

    @property
    def letters(self) -> int:
        """How many letters and digits it has."""
        return sum(char.isalnum() for word in self.words for char in word.text)

    @property
    def stands(self) -> bool:
        """Whether it is text that runs up or down the page, and no column of single characters, which stand further apart."""
        if not on_end(self.angle) or self.letters < LEAST_ON_END or self.score < SURE:
            return False
        places = sum(len(word.text) + 1 for word in self.words) - 1
        return self.box[3] - self.box[1] <= places * max(word.height for word in self.words)


class UnreadLine(msgspec.Struct, gc=False):
    """A detected line in a `script` that the recogniser does not know, or in one that nobody knows (`unknown`); `box` as of a word."""

    script: str
    box: tuple[float, float, float, float]


class ReadImage(msgspec.Struct, gc=False):
    """What an image says. Boxes are in pixels of the image turned clockwise by `turn` degrees, then upright and `width` x `height`.

    `unread`: lines that are there and cannot be read.
    """

    lines: list[ReadLine]
    turn: Turn
    width: int
    height: int
    unread: list[UnreadLine] = []


class _Doubtful(msgspec.Struct):
    """A line that was read badly or not at all."""

    quad: Quad
    crop: Image
    line: ReadLine | None


class TextReader:
    """PP-OCRv6, loaded once. `threads` is all the CPU it uses. Raises `NotConfigured` when weights or runtimes are missing."""

    def __init__(self, threads: int) -> None:
        self._detector = load(weights.weights(*weights.DETECTION), threads)
        self._recogniser = Recogniser(load(weights.weights(*weights.RECOGNITION), threads, side_by_side=True))
        self._threads = threads
        self._guesser: ScriptGuesser | None = None

    def read(self, image: Image, detail: Detail = "auto", *, upright: bool = False) -> ReadImage:
        """Read `image` (height x width x 3, RGB). `upright`: its orientation is known to be right and is not asked for."""
        quads = detect(self._detector, image, DETECTION_SIDE[detail])
        turn: Turn = 0
        known: dict[int, Glyphs] = {}
        if not upright and quads:
            turn, known = self._turn(image, quads)
        if turn:
            image = turned(image, turn)
            quads = detect(self._detector, image, DETECTION_SIDE[detail])
        quads, seen = self._look_closer(image, quads, detail), quads
        lines, doubtful = self._lines(image, quads, known if quads is seen else {})
        unread = self._unread(lines, doubtful, WHOLE if upright else LEAST_SHARE)
        lines = [line for line in lines if not any(line is other for other, _ in unread)]
        lines = self._on_end(image, self._with_strays(image, lines, quads), detail)
        return ReadImage(lines, turn, image.shape[1], image.shape[0], [line for _, line in unread])

    def read_line(self, line: Image) -> str:
        """The text of `line`, an upright RGB image of one line."""
        if min(line.shape[:2]) <= 2:
            return ""
        glyphs = self._recogniser.read([line])[0]
        starts = set(beginnings(glyphs, ink(line))[1:])
        return "".join(" " * (number in starts) + char for number, char in enumerate(glyphs.text))

    def _look_closer(self, image: Image, quads: list[Quad], detail: Detail) -> list[Quad]:
        """Detect again, larger and only where there is text, when lines came out too small to be told apart."""
        x0, y0, x1, y1 = content(image)
        closer, longer = CLOSER_SIDE[detail], max(x1 - x0, y1 - y0)
        scale = min(1.0, DETECTION_SIDE[detail] / longer)
        if not closer or scale == 1:
            return quads
        if not quads:
            return detect(self._detector, image, closer)
        seen = float(np.median([min(sides(quad)) for quad in quads])) * scale
        if seen >= SMALL_LINE:
            return quads
        points = np.concatenate(quads)
        margin = 4 * seen / scale
        left, top = np.maximum(points.min(axis=0) - margin, 0).astype(int)
        right, bottom = np.minimum(points.max(axis=0) + margin, (image.shape[1], image.shape[0])).astype(int)
        region = image[top:bottom, left:right]
        wanted = round(max(region.shape[:2]) * scale * 2 * SMALL_LINE / seen)
        again = detect(self._detector, region, min(closer, max(DETECTION_SIDE[detail], wanted)))
        return [quad + np.array([left, top], np.float32) for quad in again] or quads

    def _turn(self, image: Image, quads: list[Quad]) -> tuple[Turn, dict[int, Glyphs]]:
        """How far clockwise `image` must be turned to be upright, from the shapes of its lines and how well a few read.

        With what those few say, by their number in `quads`, when it need not be turned.
        """
        lengths = [(max(sides(quad)), sides(quad)) for quad in quads]
        elongated = [(length, size) for length, size in lengths if max(size) > 2 * min(size)]
        lying = bool(elongated) and sum(length for length, (w, h) in elongated if h > w) > 0.6 * sum(length for length, _ in elongated)
        shapes = [min(max(width, height) / max(1.0, min(width, height)), 15) * min(width, height) for width, height in map(sides, quads)]
        probes = sorted(range(len(quads)), key=lambda number: -shapes[number])[:5]
        turns: tuple[Turn, ...] = (90, 270) if lying else (0, 180)
        scores: dict[Turn, float] = {}
        letters = 0
        for turn in turns:
            read = self._recogniser.read([cut(image, np.roll(quads[number], turn // 90, axis=0)) for number in probes])
            scores[turn] = float(np.mean([glyphs.score for glyphs in read]))
            letters = max(letters, sum(len(glyphs.text) for glyphs in read))
            if turn == 0 and scores[turn] >= SURE:
                return 0, dict(zip(probes, read, strict=True))
        best = max(scores, key=lambda turn: scores[turn])
        if letters < ENOUGH_LETTERS or scores[best] < LEAST_SCORE:
            return 0, {}
        return (best if lying or scores[best] >= SURE or scores[best] > scores[0] + MUCH_BETTER else 0), {}

    def _with_strays(self, image: Image, lines: list[ReadLine], detected: list[Quad]) -> list[ReadLine]:
        """The lines, with marks beside them that the detector passed over. A longer reading must hold all of the shorter."""
        strays = find_strays(image, [line.quad for line in lines], detected)
        size = np.array([image.shape[1], image.shape[0]], np.float32)
        quads = [np.clip(quad, 0, size) for quad in (*strays.longer.values(), *strays.marks)]
        crops = [cut(image, quad) for quad in quads]
        found = self._recogniser.read(crops)
        mend(found)
        read = [_line(glyphs, quad, crop) for glyphs, quad, crop in zip(found, quads, crops, strict=True)]
        result = list(lines)
        for number, longer in zip(strays.longer, read, strict=False):
            before, _, after = _letters(longer).partition(_letters(lines[number])) if longer else ("", "", "")
            if longer and longer.score >= SURE and len(before + after) < len(_letters(longer)) and _says(before + after, ":" + ALONE):
                result[number] = longer
        marks = [mark for mark in read[len(strays.longer) :] if mark and mark.score >= CERTAIN]
        return result + [mark for mark in marks if _says(_letters(mark), ALONE)]

    def _unread(self, lines: list[ReadLine], doubtful: list[_Doubtful], least: float) -> list[tuple[ReadLine | None, UnreadLine]]:
        """The doubtful lines that are in a script which the recogniser does not know, with what it made of them.

        `least`: share of doubtful text from which on they are looked at. Pictures on a page hold much that only looks like text.
        """
        sure = sum(line.words[-1].box[2] - line.words[0].box[0] for line in lines if line.words and line.score >= DOUBTFUL)
        length = sum(item.crop.shape[1] for item in doubtful if item.crop.shape[1] > LEAST_ASPECT * item.crop.shape[0])
        share = length / max(1.0, length + sure)
        if not doubtful or share < least:
            return []
        self._guesser = self._guesser or ScriptGuesser(self._threads)
        wide = [item for item in doubtful if item.crop.shape[1] > LEAST_ASPECT * item.crop.shape[0]]
        named = unread(self._guesser.scripts, self._guesser.probabilities([item.crop for item in wide]), share)
        names: list[str | None] = list(named)
        if share >= WHOLE:
            # what is too short to be judged is in the page's script too
            names += [Counter(named).most_common(1)[0][0] if named else UNKNOWN] * (len(doubtful) - len(wide))
            wide += [item for item in doubtful if item.crop.shape[1] <= LEAST_ASPECT * item.crop.shape[0]]
        found: list[tuple[ReadLine | None, UnreadLine]] = []
        for item, script in zip(wide, names, strict=True):
            if script is not None:
                (x0, y0), (x1, y1) = item.quad.min(axis=0).tolist(), item.quad.max(axis=0).tolist()
                found.append((item.line, UnreadLine(script, (x0, y0, x1, y1))))
        return found

    def _lines(self, image: Image, quads: list[Quad], known: dict[int, Glyphs]) -> tuple[list[ReadLine], list[_Doubtful]]:
        """What the lines say, and which were read badly; `known` are those that were read on the way here, by their number in `quads`."""
        # A tall box is a narrow character, or a line that runs up or down the margin: what reads best, it is.
        candidates: list[tuple[int, int, Quad]] = []
        for number, quad in enumerate(quads):
            width, height = sides(quad)
            ways = (0,) if height < 1.5 * width else (0, 1, -1)
            candidates += [(number, way, np.roll(quad, way, axis=0)) for way in ways]
        lines: list[ReadLine] = []
        doubtful: list[_Doubtful] = []
        for start in range(0, len(candidates), AT_ONCE):
            part = candidates[start : start + AT_ONCE]
            crops = [cut(image, quad) for _, _, quad in part]
            fresh = iter(
                self._recogniser.read([crop for (number, way, _), crop in zip(part, crops, strict=True) if way or number not in known])
            )
            best: dict[int, tuple[Glyphs, Quad, Image]] = {}
            for (number, way, quad), crop in zip(part, crops, strict=True):
                glyphs = next(fresh) if way or number not in known else known[number]
                if number not in best or glyphs.score > best[number][0].score:
                    best[number] = glyphs, quad, crop
            mend([glyphs for glyphs, _, _ in best.values()])
            for glyphs, quad, crop in best.values():
                line = _line(glyphs, quad, crop)
                if line is not None:
                    lines.append(line)
                if glyphs.score < DOUBTFUL:
                    doubtful.append(_Doubtful(quad, crop, line))
        return lines, doubtful

    def _on_end(self, image: Image, lines: list[ReadLine], detail: Detail) -> list[ReadLine]:
        """`lines`, with those that stand on end read again, each in a turned strip of its own, in place of its pieces."""
        pieces = [(line.box, line.angle) for line in lines if line.stands]
        for strip in strips(pieces, image.shape[1], image.shape[0]):
            region = turned(image[strip.top : strip.bottom, strip.left : strip.right], strip.turn)
            readings = [self._level(region, detail)]
            if (clear := unruled(region)) is not None:
                readings.append(self._level(clear, detail))
            ends = [
                ReadLine(
                    [msgspec.structs.replace(word, box=strip.on_image(word.box)) for word in line.words],
                    line.score,
                    strip.direction + line.angle,
                    strip.quad_on_image(line.quad),
                )
                for line in max(readings, key=lambda read: sum(line.score * line.letters for line in read))
            ]
            ends = [end for end in ends if end.stands]
            lines = [line for line in lines if not any(_covers(end.box, line.box) for end in ends)] + ends
        return lines

    def _level(self, region: Image, detail: Detail) -> list[ReadLine]:
        """The level lines of a region that mixes them with lines on end."""
        lines, _ = self._lines(region, detect(self._detector, region, DETECTION_SIDE[detail]), {})
        read = [line for line in lines if abs(line.angle) < LEAN]
        found = [line for line in read if line.score >= SURE and line.letters >= LEAST_ON_END]
        return _joined([*found, *_between(read, found)])


def _between(read: list[ReadLine], found: list[ReadLine]) -> list[ReadLine]:
    """Short pieces of the lines `found`: on their row, and not far from one of them."""
    long = {id(line) for line in found}
    return [line for line in read if id(line) not in long and any(_follows(line, other) for other in found)]


def _follows(line: ReadLine, other: ReadLine) -> bool:
    """Whether two almost level pieces can be of one line, as the longer one leans."""
    (left, top, right, bottom), (other_left, other_top, other_right, other_bottom) = line.box, other.box
    height = max(word.height for word in (*line.words, *other.words))
    lean = np.tan(np.radians(max(line, other, key=lambda piece: piece.letters).angle))
    across = (left + right - other_left - other_right) / 2
    apart = (top + bottom - other_top - other_bottom) / 2 - lean * across
    return abs(apart) < 0.5 * height and max(left, other_left) - min(right, other_right) < 2 * height


def _joined(pieces: list[ReadLine]) -> list[ReadLine]:
    """Level pieces as whole lines, those of one row from the left."""
    lines: list[ReadLine] = []
    for piece in sorted(pieces, key=lambda piece: piece.box[0]):
        before = next((n for n, line in enumerate(lines) if _follows(piece, line)), None)
        if before is None:
            lines.append(piece)
        else:
            line = lines[before]
            lines[before] = ReadLine([*line.words, *piece.words], max(line.score, piece.score), line.angle, line.quad)
    return lines


def _covers(box: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return box[0] <= (other[0] + other[2]) / 2 <= box[2] and box[1] <= (other[1] + other[3]) / 2 <= box[3]


def _line(glyphs: Glyphs, quad: Quad, crop: Image) -> ReadLine | None:
    if glyphs.score < LEAST_SCORE or not glyphs.text:
        return None
    along = quad[1] - quad[0]
    return ReadLine(_words(glyphs, quad, crop), glyphs.score, float(np.degrees(np.arctan2(along[1], along[0]))), quad)


def _letters(line: ReadLine) -> str:
    return "".join(word.text for word in line.words)


def _says(text: str, marks: str) -> bool:
    return any(char.isalnum() or char in marks for char in text)


def _words(glyphs: Glyphs, quad: Quad, crop: Image) -> list[ReadWord]:
    mask = ink(crop)
    starts = beginnings(glyphs, mask)
    groups = [range(start, end) for start, end in pairwise([*starts, len(glyphs.text)])]
    within = [glyphs.centres[b] - glyphs.centres[a] for group in groups for a, b in pairwise(group)]
    pitch = float(np.median(within)) if within else min(1.0, crop.shape[0] / crop.shape[1] / 2)
    spans = [(glyphs.centres[group[0]], glyphs.centres[group[-1]]) for group in groups]
    rectangles = tighten(mask, spans, pitch)
    origin, along, down = quad[0], quad[1] - quad[0], quad[3] - quad[0]
    tall = float(np.linalg.norm(down)) * (max(r[3] for r in rectangles) - min(r[1] for r in rectangles))
    words: list[ReadWord] = []
    for group, (x0, y0, x1, y1) in zip(groups, rectangles, strict=True):
        points = [origin + along * x + down * y for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))]
        xs, ys = [float(p[0]) for p in points], [float(p[1]) for p in points]
        score = sum(glyphs.scores[i] for i in group) / len(group)
        words.append(ReadWord(glyphs.text[group.start : group.stop], (min(xs), min(ys), max(xs), max(ys)), score, tall))
    return words


def cut(image: Image, quad: Quad) -> Image:
    """The part of `image` in `quad` as an upright image of its own."""
    width, height = (max(1, round(side)) for side in sides(quad))
    left, top = quad[0]
    if abs(quad[1][1] - top) < 1 and abs(quad[3][0] - left) < 1 and quad[1][0] > left and quad[3][1] > top:
        return np.ascontiguousarray(image[int(top) : int(top) + max(2, height), int(left) : int(left) + max(2, width)])
    target = np.array([[0, 0], [width, 0], [0, height]], np.float32)
    matrix = cv2.getAffineTransform(np.array([quad[0], quad[1], quad[3]], np.float32), target)
    warped = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, dtype=np.uint8)


def turned(image: Image, turn: Turn) -> Image:
    """`image` turned clockwise by `turn` degrees."""
    return np.ascontiguousarray(np.rot90(image, -turn // 90)) if turn else image
