"""How likely a value that a model said is right, from what is known of it: a logistic function of named traits.

The shipped weights (`calibration.json`; how they were made stands in it) hold for no model in particular and are cautious. `heliograph
eval --calibrate` fits weights to a route's own answers on labelled documents and keeps them in `DATA_DIR/models/<route>.calibration.json`,
where workers find them.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec

VERSION = 1
"""Of the traits and of the file. A file of another version is not used: its weights would mean something else."""
FURTHEST = 6.0
"""Log-odds beyond which no answer is surer."""

log = logging.getLogger(__name__)


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Weights by trait, in log-odds, made on a day for the model of a route, from so many answers on so many documents.

    `right` of the answers were so. `ece` and `auroc`, the expected calibration error and the area under the ROC curve, were measured on
    documents that were left out of the fit.
    """

    version: int
    weights: dict[str, float]
    made_from: str
    made: str
    route: str = ""
    model: str = ""
    documents: int = 0
    answers: int = 0
    right: int = 0
    ece: float | None = None
    auroc: float | None = None

    def probability(self, traits: Mapping[str, float]) -> float:
        """The probability (0-1) that an answer with these traits is right."""
        odds = sum(self.weights.get(name, 0.0) * value for name, value in traits.items())
        return 1 / (1 + math.exp(-max(-FURTHEST, min(FURTHEST, odds))))


@cache
def shipped() -> Calibration:
    """The weights for models of which nothing was measured."""
    return msgspec.json.decode(files("heliograph.extraction").joinpath("calibration.json").read_bytes(), type=Calibration)


def path_of(data_dir: Path, route: str) -> Path:
    """Where the calibration of a route is kept."""
    return data_dir / "models" / f"{''.join(c if c.isalnum() or c in '-_.' else '_' for c in route)}.calibration.json"


def calibration(data_dir: Path, route: str) -> Calibration:
    """The route's own calibration, else the shipped one; a file that cannot be used is left alone, with a warning in the log."""
    path = path_of(data_dir, route)
    try:
        made = msgspec.json.decode(path.read_bytes(), type=Calibration)
    except FileNotFoundError:
        return shipped()
    except (OSError, msgspec.DecodeError) as error:
        log.warning("%s cannot be read (%s); answers of %s get the shipped confidence", path, error, route)
        return shipped()
    if made.version != VERSION or not made.weights or not all(math.isfinite(weight) for weight in made.weights.values()):
        log.warning(
            "%s is of another version; `heliograph eval --calibrate` makes it anew, until then %s gets the shipped one", path, route
        )
        return shipped()
    return made


def keep(made: Calibration, data_dir: Path) -> Path:
    """Store a route's calibration, whole or not at all."""
    path = path_of(data_dir, made.route)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n")
    partial.replace(path)
    return path
