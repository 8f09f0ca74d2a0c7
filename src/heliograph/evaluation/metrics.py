"""The measures, as plain functions over values.

Sources: exact match after normalisation as ICDAR 2019 SROIE task 3 scores it; fuzzy match, hallucination and omission as
ExtractBench (arXiv 2602.12247) names them; optimal matching of lists by Kuhn (1955) and Munkres (1957); calibration error by
Naeini et al. (AAAI 2015); AUROC as the Mann-Whitney statistic; word F1 as SROIE task 2 counts words.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from rapidfuzz import fuzz

from heliograph.extraction.normalise import amounts, dates
from heliograph.media.geometry import Box

FUZZY = 90.0
"""Similarity (0-100, rapidfuzz ratio) from which two texts count as the same."""


def plain_text(value: object) -> str:
    """NFKC, upper case, single spaces."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", str(value))).strip().upper()


def money(value: object) -> Decimal | None:
    """A number, or a written amount, as a Decimal; currency signs do not count."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float, Decimal)):
        return Decimal(str(value))
    text = str(value).strip()
    try:
        return Decimal(text)
    except InvalidOperation:
        found = amounts(text, "," if re.search(r",\d{1,2}(?!\d)", text) else ".")
        return found[0].value if found else None


def day(value: object, *, day_first: bool = True) -> str | None:
    """A written date as ISO 8601."""
    found = dates(str(value), compact=True)
    settled = found[0].settle(day_first=day_first) if found else None
    return settled.isoformat() if settled else None


def same(got: object, want: object, kind: str, *, day_first: bool = True) -> bool:
    """Whether an answer equals the truth after normalisation. `kind`: `date`, `number`, `boolean` or `text`."""
    if got is None or want is None:
        return got is None and want is None
    if kind == "date":
        return day(got, day_first=day_first) == day(want, day_first=day_first) is not None
    if kind == "number":
        a, b = money(got), money(want)
        return a is not None and b is not None and abs(a - b) < Decimal("0.005")
    if kind == "boolean":
        return bool(got) == bool(want)
    return plain_text(got) == plain_text(want)


def similar(got: object, want: object, kind: str, *, day_first: bool = True) -> bool:
    """`same`, or for texts at least FUZZY alike."""
    if same(got, want, kind, day_first=day_first):
        return True
    return kind == "text" and got is not None and want is not None and fuzz.ratio(plain_text(got), plain_text(want)) >= FUZZY


def f1(right: float, answered: float, present: float) -> float:
    """Harmonic mean of precision (right / answered) and recall (right / present); 1 when there was nothing to answer and nothing was."""
    return 2 * right / (answered + present) if answered + present else 1.0


def assignment(scores: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """The pairs (row, column) with the greatest total score, each row and column at most once: the Hungarian method, O(n^3)."""
    if not scores or not scores[0]:
        return []
    rows, columns = len(scores), len(scores[0])
    if rows > columns:
        turned = [[scores[r][c] for r in range(rows)] for c in range(columns)]
        return sorted((r, c) for c, r in assignment(turned))
    infinite = float("inf")
    u, v = [0.0] * (rows + 1), [0.0] * (columns + 1)
    match, way = [0] * (columns + 1), [0] * (columns + 1)
    for row in range(1, rows + 1):
        match[0], column = row, 0
        least, used = [infinite] * (columns + 1), [False] * (columns + 1)
        while True:
            used[column] = True
            current, delta, following = match[column], infinite, 0
            for other in range(1, columns + 1):
                if used[other]:
                    continue
                cost = -scores[current - 1][other - 1] - u[current] - v[other]
                if cost < least[other]:
                    least[other], way[other] = cost, column
                if least[other] < delta:
                    delta, following = least[other], other
            for other in range(columns + 1):
                if used[other]:
                    u[match[other]] += delta
                    v[other] -= delta
                else:
                    least[other] -= delta
            column = following
            if match[column] == 0:
                break
        while column:
            match[column] = match[way[column]]
            column = way[column]
    return sorted((match[column] - 1, column - 1) for column in range(1, columns + 1) if match[column])


def rows_right(
    got: Sequence[dict[str, Any]], want: Sequence[dict[str, Any]], score: Callable[[dict[str, Any], dict[str, Any]], float]
) -> float:
    """Sum of `score` (0-1) over the best matching of answered rows to true rows."""
    table = [[score(g, w) for w in want] for g in got]
    return sum(table[r][c] for r, c in assignment(table))


def calibration_error(judged: Iterable[tuple[float, bool]], bins: int = 10) -> float:
    """Expected calibration error over equal-width bins: mean |share right - mean probability|, weighted by bin size."""
    sums = [[0.0, 0.0, 0.0] for _ in range(bins)]
    for probability, right in judged:
        cell = sums[min(bins - 1, int(probability * bins))]
        cell[0] += 1
        cell[1] += probability
        cell[2] += right
    total = sum(cell[0] for cell in sums)
    return sum(abs(cell[2] - cell[1]) for cell in sums) / total if total else 0.0


def auroc(judged: Iterable[tuple[float, bool]]) -> float | None:
    """The chance that a right answer has a higher probability than a wrong one, ties half; None when there are only one sort."""
    pairs = list(judged)
    right = [p for p, ok in pairs if ok]
    wrong = [p for p, ok in pairs if not ok]
    if not right or not wrong:
        return None
    ordered = sorted({p for p, _ in pairs})
    rights, wrongs = Counter(right), Counter(wrong)
    below, won = 0, 0.0
    for probability in ordered:
        won += rights[probability] * (below + wrongs[probability] / 2)
        below += wrongs[probability]
    return won / (len(right) * len(wrong))


def words_right(read: Iterable[str], true: Iterable[str]) -> tuple[int, int, int]:
    """Words read rightly, read, and true, as multisets in upper case."""
    a, b = Counter(word.upper() for word in read), Counter(word.upper() for word in true)
    return sum((a & b).values()), sum(a.values()), sum(b.values())


def inside(box: Box, lines: Sequence[Box]) -> float:
    """Which share of `box` lies in `lines` (of its page), overlaps of the lines counted once along y."""
    if box.area <= 0:
        return 0.0
    return min(1.0, sum(box.intersection(line) for line in lines) / box.area)
