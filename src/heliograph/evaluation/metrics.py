"""The measures, as plain functions over values.

Sources: exact match after normalisation as ICDAR 2019 SROIE task 3 scores it; fuzzy match, hallucination and omission as
ExtractBench (arXiv 2602.12247) names them; optimal matching of lists by Kuhn (1955) and Munkres (1957); calibration error by
Naeini et al. (AAAI 2015); AUROC as the Mann-Whitney statistic; risk and coverage as El-Yaniv and Wiener (JMLR 2010); ANLS* by
Peer et al. (arXiv 2402.03848); word F1 as SROIE task 2 counts words.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

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


def risk_coverage(judged: Iterable[tuple[float, bool]]) -> list[tuple[float, float]]:
    """`(coverage, risk)` for each threshold, surest answers first: the share that is kept, and the share of the kept that is wrong."""
    pairs = sorted(judged, key=lambda pair: -pair[0])
    points: list[tuple[float, float]] = []
    wrong = 0
    for count, (probability, right) in enumerate(pairs, 1):
        wrong += not right
        if count == len(pairs) or pairs[count][0] != probability:
            points.append((count / len(pairs), wrong / count))
    return points


def accuracy_at_coverage(judged: Iterable[tuple[float, bool]], coverage: float = 0.8) -> float | None:
    """Share right of the `coverage` surest answers; answers as sure as the last one count in proportion. None when there are none."""
    pairs = list(judged)
    if not pairs:
        return None
    wanted = left = coverage * len(pairs)
    right = 0.0
    for probability in sorted({p for p, _ in pairs}, reverse=True):
        tied = [ok for p, ok in pairs if p == probability]
        taken = min(left, len(tied))
        right += taken * sum(tied) / len(tied)
        left -= taken
    return right / wanted


def anls_star(got: object, want: object) -> float:
    """Average normalised Levenshtein similarity of two trees of dicts, lists, texts and None (arXiv 2402.03848), 0 to 1.

    Texts less than half alike count 0; lists are matched in the best way; what only one of the trees has counts 0 for each of its
    leaves; keys that are null or missing on both sides do not count. Two empty trees are alike.
    """
    score, leaves = _anls(got, want)
    return score / leaves if leaves else 1.0


def _anls(got: object, want: object) -> tuple[float, int]:
    trees: tuple[object, object] = (got, want)
    if isinstance(got, dict) and isinstance(want, dict):
        a, b = cast("dict[str, object]", got), cast("dict[str, object]", want)
        keys = [key for key in dict.fromkeys([*b, *a]) if a.get(key) is not None or b.get(key) is not None]
        parts = [_anls(a.get(key), b.get(key)) for key in keys]
        return sum(score for score, _ in parts), sum(leaves for _, leaves in parts)
    if isinstance(got, list) and isinstance(want, list):
        a, b = cast("list[object]", got), cast("list[object]", want)
        table = [[_anls(x, y) for y in b] for x in a]
        pairs = assignment([[score / leaves if leaves else 1.0 for score, leaves in row] for row in table])
        rows, columns = {r for r, _ in pairs}, {c for _, c in pairs}
        alone = [x for r, x in enumerate(a) if r not in rows] + [y for c, y in enumerate(b) if c not in columns]
        return sum(table[r][c][0] for r, c in pairs), sum(table[r][c][1] for r, c in pairs) + sum(map(_leaves, alone))
    if got is None and want is None:
        return 1.0, 1
    texts = [plain_text(tree) for tree in trees]
    if any(tree is None or isinstance(tree, (dict, list)) for tree in trees):
        return 0.0, max(map(_leaves, trees))
    alike = Levenshtein.normalized_similarity(*texts)
    return (alike if alike >= 0.5 else 0.0), 1


def _leaves(tree: object) -> int:
    if isinstance(tree, dict):
        return sum(_leaves(value) for value in cast("dict[str, object]", tree).values() if value is not None)
    if isinstance(tree, list):
        return sum(map(_leaves, cast("list[object]", tree)))
    return 1


def words_right(read: Iterable[str], true: Iterable[str]) -> tuple[int, int, int]:
    """Words read rightly, read, and true, as multisets in upper case."""
    a, b = Counter(word.upper() for word in read), Counter(word.upper() for word in true)
    return sum((a & b).values()), sum(a.values()), sum(b.values())


def inside(box: Box, lines: Sequence[Box]) -> float:
    """Which share of `box` lies in `lines` (of its page), overlaps of the lines counted once along y."""
    if box.area <= 0:
        return 0.0
    return min(1.0, sum(box.intersection(line) for line in lines) / box.area)
