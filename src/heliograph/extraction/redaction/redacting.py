"""A request for a copy, from read pages to the file and the report of what was found where."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from heliograph.extraction.plan import Plan
from heliograph.extraction.prompted.request import Steps
from heliograph.extraction.redaction.copying import Made, Maker, copy
from heliograph.extraction.redaction.finding import find
from heliograph.extraction.redaction.inventing import Inventor
from heliograph.extraction.redaction.suspecting import suspected
from heliograph.media.document import Document
from heliograph.models.contract import Backend


async def redacted(
    maker: Maker,
    paths: Sequence[Path],
    document: Document,
    plan: Plan,
    warnings: list[str],
    *,
    backend: Backend | None = None,
    steps: Steps | None = None,
) -> tuple[dict[str, Any], Made]:
    """The report that answers `plan` (mode `redact` or `replace`), and the copy, which is the caller's to close.

    `backend`: a model that is asked what identifies people beside what the rules find; `steps`: where its answers are kept. Adds to
    `warnings` what a person must look at.
    """
    suspects = await suspected(backend, document, plan, warnings, steps=steps) if backend is not None else []
    found = await asyncio.to_thread(find, document, suspects)
    inventor = Inventor(document) if plan.mode == "replace" else None
    made, report = await copy(maker, paths, document, found, inventor=inventor, detail=plan.detail, warnings=warnings)
    return report, made
