"""`python -m training.drawing OUT_DIR --documents N --seed S [--kinds ...] [--layouts train|held-out] [--wear ...]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.drawing.dataset import ALL, KINDS, WEARS, write


def main() -> None:
    """Draw, and say how many of each kind."""
    parser = argparse.ArgumentParser(prog="python -m training.drawing", description="Draw documents with their true values and boxes.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--documents", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", nargs="+", choices=sorted(ALL), default=list(KINDS), help="default: those that are no domain")
    parser.add_argument("--layouts", choices=("train", "held-out"), default="train")
    parser.add_argument("--wear", nargs="+", choices=("none", "scan", "fax", "photo"), help="by turns of chance (default: half none)")
    options = parser.parse_args()
    wears = tuple(None if name == "none" else name for name in options.wear) if options.wear else WEARS
    counts: dict[str, int] = {}
    for drawn in write(options.folder, options.documents, options.seed, options.kinds, options.layouts, wears):
        counts[drawn.kind] = counts.get(drawn.kind, 0) + 1
    print(", ".join(f"{count} {kind}" for kind, count in counts.items()))


if __name__ == "__main__":
    main()
