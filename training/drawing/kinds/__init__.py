"""What documents of each kind hold, and what they are asked with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from training.drawing.content import Content, Json


@dataclass(frozen=True)
class Kind:
    """A kind of document: the set it is written to, the schemas it may be asked with, and how one is invented."""

    set: str
    schemas: dict[str, Json]
    content: Callable[[Random], Content]
