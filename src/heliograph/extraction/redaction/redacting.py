"""A request for a copy, from read pages to the file and the report of what was found where."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from heliograph.extraction.plan import Plan
from heliograph.extraction.redaction.copying import Made, Maker, copy
from heliograph.extraction.redaction.finding import Suspect, find
from heliograph.extraction.redaction.inventing import Inventor
from heliograph.extraction.redaction.suspecting import suspected
from heliograph.media.document import Document
from heliograph.models.contract import Backend
from heliograph.models.errors import ModelUnavailable
from heliograph.perception.steps import Steps


async def redacted(
    maker: Maker,
    paths: Sequence[Path],
    document: Document,
    plan: Plan,
    warnings: list[str],
    *,
    backend: Backend | None = None,
    alone: bool = False,
    steps: Steps | None = None,
) -> tuple[dict[str, Any], Made]:
    """The report that answers `plan` (mode `redact` or `replace`), and the copy, which is the caller's to close.

    `backend`: a model that is asked what identifies people beside what the rules find; `alone`: whether the rules may go on alone while
    it is away; `steps`: where its answers are kept. Adds to `warnings` what a person must look at.
    """
    suspects: list[Suspect] = []
    if backend is not None:
        try:
            suspects = await suspected(backend, document, plan, warnings, steps=steps)
        except ModelUnavailable as problem:
            if not alone:
                raise
            warnings.append(f"model_unavailable: the rules found alone, as the fallback of {backend.name} says. {problem.message}")
    found = await asyncio.to_thread(find, document, suspects)
    inventor = Inventor(document) if plan.mode == "replace" else None
    made, report = await copy(maker, paths, document, found, inventor=inventor, detail=plan.detail, warnings=warnings)
    return report, made
