"""What a transcript is about, in its own words: the sentences that say most, phrases that recur, and where one subject ends.

Nothing here is written anew. A summary is sentences as they were said, in their order; a topic is a phrase that was said; a chapter is a
stretch of time with such a sentence. After Luhn (1958) for sentences, Rose et al. (RAKE, 2010) for phrases, Hearst (TextTiling, 1997) for
chapters.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from heliograph.extraction.recordings.speech import Sentence, Span, Speech

_STOP_WORDS = """
a about above after again all also am an and any are aren't as at back be because been before being below between both but by can
can't could did didn't do does doesn't doing don't down during each even every few for from further get gets getting go goes going
gonna good got had has have haven't having he he'd he'll he's hello her here hers hey hi him his how i i'd i'll i'm i've if in into
is isn't it it'd it'll it's its just kind know let let's like little look lot made make many may maybe me mean might more most much
must my need no not now of off oh ok okay on one only or other our out over own please put quite really right said same say says see
she she's should so some something sort still such sure take tell than thank thanks that that's the their them then there there's
these they they'd they'll they're they've thing things think this those though through time to today too two um uh under until up us
use used very want wanted was wasn't way we we'd we'll we're we've well were what what's when where which while who why will with
won't would yeah yes yet you you'd you'll you're you've your bye goodbye great morning afternoon evening welcome everyone everybody
guys first second next last new come comes came actually basically ever never always often try tried
"""
STOP: Final = frozenset(_STOP_WORDS.split())
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d[\d.,:/-]*\d|\d")
_CUES = re.compile(
    r"\b(?:in summary|to sum up|in conclusion|the main|most important|important(?:ly)?|the point is|the reason|we (?:decided|agreed)|"
    r"the decision|as a result|therefore|the problem|the plan|the goal)\b",
    re.IGNORECASE,
)
_MANNERS = re.compile(
    r"^(?:(?:hi|hello|hey|thanks?|thank you|good (?:morning|afternoon|evening)|bye|okay|welcome)\b[^.?!]{0,60})$", re.IGNORECASE
)
_LEAST, _MOST = 5, 60
"""Words of a sentence that can stand in a summary."""
CHAPTER: Final = 120.0
"""Seconds that a chapter has at least, and half of what a recording has that is divided."""
_BLOCK = 6
"""Sentences on either side of a place that are compared."""
_PAUSED = 4.0
"""Seconds of silence after which a chapter is the likelier to begin."""


class Chapter(msgspec.Struct, frozen=True):
    """A stretch about one subject. `title`: a phrase that recurs in it; `said`: the sentence that says most of it."""

    start: float
    end: float
    title: str | None
    said: Span | None


def words_of(text: str) -> list[str]:
    """The words of a text in lower case."""
    return [word.casefold().replace("’", "'") for word in _WORD.findall(text)]


def telling(text: str) -> list[str]:
    """The words of a text that say something: no stop words, none of two letters."""
    return [_stem(word) for word in words_of(text) if word not in STOP and (len(word) > 2 or word.isdigit())]


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith("ss") else word


def summary(speech: Speech, sentences: Sequence[Sentence] | None = None, *, most: int | None = None) -> list[Span]:
    """The sentences that say most, as they were said and in their order; fewer of a short recording, none of one without sentences."""
    pool = [one for one in (sentences if sentences is not None else speech.sentences) if _can_stand(one)]
    if not pool:
        return []
    minutes = (speech.whole(pool[-1]).end - speech.whole(pool[0]).start) / 60
    count = most or max(1, min(7, round(1.5 + minutes / 3), math.ceil(len(pool) / 3)))
    chosen = _best(pool, count)
    return [speech.whole(one) for one in sorted(chosen, key=lambda one: one.first)]


def _can_stand(sentence: Sentence) -> bool:
    text = sentence.text
    count = len(text.split())
    return _LEAST <= count <= _MOST and not text.rstrip().endswith("?") and not _MANNERS.match(text) and len(telling(text)) >= 2


def _best(pool: Sequence[Sentence], count: int) -> list[Sentence]:
    bags = [Counter(telling(one.text)) for one in pool]
    spread = Counter(word for bag in bags for word in bag)
    worth = {word: math.log1p(number) for word, number in spread.items()}
    scores: list[float] = []
    for place, (one, bag) in enumerate(zip(pool, bags, strict=True)):
        score = sum(worth[word] for word in bag) / math.sqrt(4 + sum(bag.values()))
        if _CUES.search(one.text):
            score *= 1.4
        if any(char.isdigit() for char in one.text):
            score *= 1.1
        ends = min(place, len(pool) - 1 - place) / max(1, len(pool))
        scores.append(score * (1.15 if ends < 0.1 else 1.0))
    chosen: list[int] = []
    while len(chosen) < min(count, len(pool)):
        best = max(
            (at for at in range(len(pool)) if at not in chosen),
            key=lambda at: scores[at] * (1 - max((_alike(bags[at], bags[other]) for other in chosen), default=0.0)),
        )
        chosen.append(best)
    return [pool[at] for at in chosen]


def _alike(a: Counter[str], b: Counter[str]) -> float:
    """Cosine of two bags of words."""
    shared = sum(count * b[word] for word, count in a.items())
    return shared / math.sqrt(sum(v * v for v in a.values()) * sum(v * v for v in b.values())) if shared else 0.0


def topics(texts: Sequence[str], *, most: int = 8) -> list[str]:
    """Phrases of up to three words that recur in `texts`, those that say most first; of short ones, names that are said."""
    counts: Counter[tuple[str, ...]] = Counter()
    spelled: dict[tuple[str, ...], Counter[str]] = {}
    names: set[tuple[str, ...]] = set()
    for text in texts:
        for run, opens in _runs(text):
            for length in (1, 2, 3):
                for at in range(len(run) - length + 1):
                    piece = run[at : at + length]
                    key = tuple(_stem(word.casefold()) for word in piece)
                    counts[key] += 1
                    spelled.setdefault(key, Counter())[" ".join(piece)] += 1
                    if all(word[:1].isupper() for word in piece) and not (opens and at == 0 and length == 1):
                        names.add(key)
    scores = {
        key: count * (1 + 0.7 * (len(key) - 1)) * (1.3 if key in names else 1.0)
        for key, count in counts.items()
        if (count > 1 or (key in names and len(key) > 1)) and (len(key) > 1 or len("".join(key)) > 3)
    }
    chosen: list[tuple[str, ...]] = []
    for key in sorted(scores, key=lambda key: (-scores[key], key)):
        if not any(set(key) & set(other) for other in chosen):
            chosen.append(key)
        if len(chosen) == most:
            break
    return [spelled[key].most_common(1)[0][0] for key in chosen]


def _runs(text: str) -> list[tuple[list[str], bool]]:
    """Stretches of telling words without a stop word or a mark between them, and whether one opens its sentence."""
    made: list[tuple[list[str], bool]] = []
    run: list[str] = []
    end, opens = 0, True
    for found in _WORD.finditer(text):
        word = found.group()
        between = text[end : found.start()]
        if re.search(r"[^\w\s'-]", between) or word.casefold().replace("’", "'") in STOP or word.isdigit() or len(word) < 3:
            if run:
                made.append((run, opens))
            run, opens = [], bool(re.search(r"[.?!]", between)) or not made
            if word.casefold() in STOP or word.isdigit() or len(word) < 3:
                end, opens = found.end(), False
                continue
        run.append(word)
        end = found.end()
    if run:
        made.append((run, opens))
    return made


def chapters(speech: Speech, duration: float, cuts: Sequence[float] = ()) -> list[Chapter]:
    """The recording in chapters, without gaps. They part where the words change most, at a pause or at one of `cuts` (of shots) near by;
    a recording under twice `CHAPTER` is one."""
    sentences = speech.sentences
    if not sentences:
        return []
    starts = [0]
    if duration >= 2 * CHAPTER:
        starts += _borders(speech, duration, cuts)
    made: list[Chapter] = []
    for first, after in pairwise([*starts, len(sentences)]):
        part = sentences[first:after]
        start = 0.0 if first == 0 else speech.whole(part[0]).start
        end = duration if after == len(sentences) else speech.whole(sentences[after]).start
        said = summary(speech, part, most=1)
        title = topics([one.text for one in part], most=1)
        made.append(Chapter(start, end, title[0] if title else None, said[0] if said else None))
    return made


def _borders(speech: Speech, duration: float, cuts: Sequence[float]) -> list[int]:
    """The sentences that open a chapter, but the first."""
    sentences = speech.sentences
    bags = [Counter(telling(one.text)) for one in sentences]
    depth: dict[int, float] = {}
    for at in range(2, len(sentences) - 1):
        before, after = _sum(bags[max(0, at - _BLOCK) : at]), _sum(bags[at : at + _BLOCK])
        silence = speech.words[sentences[at].first].start - speech.words[sentences[at - 1].last].end
        start = speech.words[sentences[at].first].start
        cut = any(abs(time - start) < 2.0 for time in cuts)
        depth[at] = 1 - _alike(before, after) + (0.25 if silence > _PAUSED else 0.0) + (0.1 if cut else 0.0)
    mean = sum(depth.values()) / max(1, len(depth))
    spread = math.sqrt(sum((value - mean) ** 2 for value in depth.values()) / max(1, len(depth)))
    times = {at: speech.words[sentences[at].first].start for at in depth}
    chosen: list[int] = []
    for at in sorted(depth, key=lambda at: -depth[at]):
        if depth[at] < mean + spread / 2 or len(chosen) >= duration / CHAPTER:
            break
        borders = [0.0, duration, *(times[other] for other in chosen)]
        if all(abs(times[at] - other) >= CHAPTER / 2 for other in borders):
            chosen.append(at)
    return sorted(chosen)


def _sum(bags: Sequence[Counter[str]]) -> Counter[str]:
    made: Counter[str] = Counter()
    for bag in bags:
        made.update(bag)
    return made
