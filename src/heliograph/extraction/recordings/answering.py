"""The whole way from a recording to an answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from heliograph.errors import NotConfigured
from heliograph.extraction.answered import Answer
from heliograph.extraction.plan import Plan
from heliograph.perception.reader import Reader
from heliograph.perception.steps import Progress, Steps

if TYPE_CHECKING:
    from heliograph.extraction.examples import Examples
    from heliograph.models.serving import Models


async def answer_recording(
    reader: Reader,
    path: Path,
    plan: Plan,
    *,
    models: Models | None = None,
    steps: Steps | None = None,
    examples: Examples | None = None,
    progress: Progress | None = None,
) -> Answer:
    """Answer `plan` from the recording at `path`. `progress` is told of media time."""
    raise NotConfigured(f"Heliograph does not read {plan.kind} yet; documents and images work.")
