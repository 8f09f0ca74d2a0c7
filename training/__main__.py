"""Makes `extraction/confidence.json`: `python -m training FOLDER ... --pages PAGES`.

FOLDERs hold labelled documents as `heliograph eval` reads them, real or drawn; PAGES is the folder into which `heliograph eval FOLDER
--pages PAGES` has read them. What is printed was measured out of fold, on real documents only.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np

from heliograph.evaluation.metrics import accuracy_at_coverage, auroc, calibration_error, risk_coverage
from heliograph.extraction import confidence
from heliograph.extraction.confidence import HI, MED, Weights
from training.examples import Example, examples
from training.forest import Growth
from training.learning import is_drawn, learned, out_of_fold

TARGET = Path(confidence.__file__).with_suffix(".json")


def main() -> None:
    """Measure out of fold, train on everything, write."""
    parser = argparse.ArgumentParser(prog="python -m training", description="Train the confidence of answers.")
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--pages", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=TARGET)
    parser.add_argument("--dry", action="store_true", help="measure only")
    options = parser.parse_args()
    found = examples(options.folders, options.pages)
    growth = Growth()
    held_out = out_of_fold(found, growth)
    real = [(example, p) for example, p in zip(found, held_out, strict=True) if not is_drawn(example)]
    for line in report(real):
        print(line)
    print(f"HI may be {least(real, 1.0, 0.95):.2f} (is {HI}); then MED may be {least(real, HI, 0.75):.2f} (is {MED})")
    if not options.dry:
        names, trees = learned(found, growth)
        made = Weights(datetime.now(UTC).date().isoformat(), described(found, real), names, trees)
        options.out.write_bytes(msgspec.json.encode(made) + b"\n")
        print(f"{options.out}: {options.out.stat().st_size / 1000:.0f} kB")


def report(judged: Sequence[tuple[Example, float]]) -> list[str]:
    """Calibration, ranking and the risk at some coverages, of each set and of all, and the precision of the words."""
    asked = [(example, p) for example, p in judged if not example.row]
    lines = [f"{'set':24} {'asked':>6} {'right':>6} {'ECE':>6} {'AUROC':>6} {'acc@80':>7}   risk at coverage .5 .6 .7 .8 .9 1"]
    for name in [*sorted({example.set for example, _ in asked}), "all"]:
        pairs = [(p, example.right) for example, p in asked if name in (example.set, "all")]
        risks = " ".join(f"{_risk(pairs, share):.3f}" for share in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0))
        lines.append(
            f"{name:24} {len(pairs):6} {np.mean([ok for _, ok in pairs]):6.3f} {calibration_error(pairs):6.3f}"
            f" {auroc(pairs) or 0:6.3f} {accuracy_at_coverage(pairs) or 0:7.3f}   {risks}"
        )
    return [*lines, *(f"{word}: {share}" for word, share in precision(judged).items())]


def precision(judged: Sequence[tuple[Example, float]]) -> dict[str, str]:
    """Share right of the answers that get each word, and of the fields left empty."""
    parts = {
        "hi": [e.right for e, p in judged if not e.empty and p >= HI],
        "med": [e.right for e, p in judged if not e.empty and MED <= p < HI],
        "lo": [e.right for e, p in judged if not e.empty and p < MED],
        "empty hi": [e.right for e, p in judged if e.empty and p >= HI],
        "empty rest": [e.right for e, p in judged if e.empty and p < HI],
    }
    return {name: f"{np.mean(right):.3f} of {len(right)}" if right else "none" for name, right in parts.items()}


def least(judged: Sequence[tuple[Example, float]], below: float, share: float) -> float:
    """The lowest probability (in hundredths) from which up to `below` at least `share` of the answers were right."""
    for percent in range(50, 100):
        right = [example.right for example, p in judged if not example.empty and percent / 100 <= p and (p < below or below == 1.0)]
        if right and np.mean(right) >= share:
            return percent / 100
    return 1.0


def described(found: Sequence[Example], real: Sequence[tuple[Example, float]]) -> str:
    """What the model was trained on, and how it did out of fold, in a sentence or two."""
    pairs = [(p, example.right) for example, p in real if not example.row]
    sets = ", ".join(sorted({example.set for example in found}))
    return (
        f"{len(found)} answers ({sum(example.empty for example in found)} of them empty) on {len({example.group for example in found})}"
        f" groups of like documents of {sets}; out of fold, real documents: ECE {calibration_error(pairs):.3f},"
        f" AUROC {auroc(pairs) or 0:.3f},"
        f" accuracy at 80 % coverage {accuracy_at_coverage(pairs) or 0:.3f}, precision {precision(real)}"
    )


def _risk(pairs: Sequence[tuple[float, bool]], coverage: float) -> float:
    """Share wrong of the surest answers, of at least `coverage` of all."""
    return next(risk for share, risk in risk_coverage(pairs) if share >= coverage - 1e-9)


if __name__ == "__main__":
    main()
