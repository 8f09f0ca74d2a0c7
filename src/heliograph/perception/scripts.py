"""Which script badly read lines are written in, so that what the recogniser cannot read is named instead of handed out as garbage.

The recogniser knows Latin, Greek, Han and kana. On a line in any other script it finds little that it is sure of: on drawn print its
mean score is .99 for Latin and Han, .82 for Greek and .2 to .7 for others (docs/design/reading.md), so its own doubt says *that* a line
may be unreadable, at no cost. A small network trained on drawn lines (`scripts.onnx`, training/scripts) then says *what* the doubtful
lines are. It errs on a fourth of single lines; a page's doubtful lines are judged together, and a script is named only when several agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from heliograph.perception.detection import Image
from heliograph.perception.inference import load

WEIGHTS = Path(__file__).with_name("scripts.onnx")
READ = frozenset({"Latin", "Greek", "Han", "Figures", "Handwriting", "None"})
"""Classes that are read, or are no script at all."""
HEIGHT, WIDTH = 32, 256
"""The network's window. A longer line is seen through several."""
MOST_WINDOWS = 3
AT_ONCE = 8
"""Windows looked at together, always as many, so that the runtime meets one shape."""
DOUBTFUL = 0.8
"""A mean score below which a line may be in a script that the recogniser does not know."""
LEAST_ASPECT = 1.5
"""Width over height from which a doubtful line is looked at; less is a character or a mark."""
LEAST_SHARE = 0.08
"""Share of a page's text, by length, that must be doubtful before anything is looked at; ordinary scans stay below."""
LEAST_LINES = 3.0
"""Lines of one script, each counting with its probability, from which the script is named."""
LEAST_PART = 0.15
"""Share of a page's doubtful lines that a script must have beside others."""
WHOLE = 0.6
"""Share of doubtful text from which a page as a whole cannot be read: fewer lines then suffice to name its script, lines that look like
nothing are in it too, and without a name it is `unknown`."""
UNKNOWN = "unknown"
AGREEMENT = 0.35
"""Mean probability, before a page's lines are judged together, of a script among the lines that are then taken to be in it."""
NO_TEXT = 0.3
"""Share of doubtful lines that look like no text from which a page without a named script is a picture, not a page that cannot be read."""
ALONE = 0.85
"""The same for fewer than three lines, which a picture without any text may hold too."""


class ScriptGuesser:
    """The network, loaded once. Raises `NotConfigured` when no runtime loads it."""

    def __init__(self, threads: int = 1) -> None:
        self._network = load(WEIGHTS, threads)
        self.scripts = self._network.metadata["classes"].split("\n")

    def probabilities(self, lines: Sequence[Image]) -> NDArray[np.float64]:
        """For each of `lines`, upright RGB images of one line, the probability of each of `scripts`."""
        windows = [(number, window) for number, line in enumerate(lines) for window in _windows(line)]
        sums = np.zeros((len(lines), len(self.scripts)))
        for start in range(0, len(windows), AT_ONCE):
            part = windows[start : start + AT_ONCE]
            batch = np.zeros((AT_ONCE, 1, HEIGHT, WIDTH), np.float32)
            for slot, (_, window) in enumerate(part):
                batch[slot, 0] = window
            logits = self._network(batch)[0][: len(part)].astype(np.float64)
            likely = np.exp(logits - logits.max(axis=1, keepdims=True))
            likely /= likely.sum(axis=1, keepdims=True)
            for (number, _), row in zip(part, np.log(likely + 1e-3), strict=True):
                sums[number] += row
        counts = np.bincount([number for number, _ in windows], minlength=len(lines))[:, None]
        mean = np.exp(sums / np.maximum(1, counts))
        return mean / mean.sum(axis=1, keepdims=True)


def unread(scripts: Sequence[str], probabilities: NDArray[np.float64], share: float) -> list[str | None]:
    """The script of each doubtful line that the recogniser does not know (`UNKNOWN` when it has no name here), or None.

    `probabilities`: as `ScriptGuesser` gives them, a row for each doubtful line; `share`: of the page's text that these lines are. What
    most lines of a page are makes the same likelier of each (three rounds of expectation maximisation over the page's mixture).
    """
    if not len(probabilities):
        return []
    together = probabilities
    for _ in range(3):
        together = probabilities * together.mean(axis=0)
        together /= together.sum(axis=1, keepdims=True)
    chosen = together.argmax(axis=1)
    names: list[str | None] = [None] * len(probabilities)
    for number, script in enumerate(scripts):
        mine = np.flatnonzero(chosen == number)
        if script in READ or not len(mine):
            continue
        enough = 1.0 if share >= WHOLE and len(mine) >= 0.5 * len(probabilities) else max(LEAST_LINES, LEAST_PART * len(probabilities))
        agreement = AGREEMENT if len(mine) >= LEAST_LINES else ALONE
        if probabilities[mine, number].mean() >= agreement and together[mine, number].sum() >= enough - 0.5:
            for line in mine:
                names[int(line)] = script
    if share < WHOLE:
        return names
    if not any(names) and (len(names) < LEAST_LINES or np.mean(chosen == scripts.index("None")) > NO_TEXT):
        return names
    named = Counter(name for name in names if name)
    main = named.most_common(1)[0][0] if named else UNKNOWN
    return [name or main for name in names]


def _windows(line: Image) -> list[NDArray[np.float32]]:
    """Up to three windows of a line, each of mean 0 and deviation 1 and zero beyond the line's end."""
    grey = cv2.cvtColor(line, cv2.COLOR_RGB2GRAY)
    width = max(8, round(grey.shape[1] * HEIGHT / grey.shape[0]))
    shrinks = grey.shape[0] > HEIGHT
    grey = np.asarray(cv2.resize(grey, (width, HEIGHT), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR), np.float32)
    count = min(MOST_WINDOWS, -(-width // WIDTH))
    made: list[NDArray[np.float32]] = []
    for number in range(count):
        start = round(number * (width - WIDTH) / (count - 1)) if count > 1 else 0
        part = grey[:, start : start + WIDTH]
        window = np.zeros((HEIGHT, WIDTH), np.float32)
        window[:, : part.shape[1]] = (part - part.mean()) / max(8.0, float(part.std()))
        made.append(window)
    return made
