from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance import clients
from tests.conformance.report import write_report


@pytest.fixture(scope="session")
def collected() -> Iterator[list[clients.Result]]:
    """What the drivers found, from which the page is written."""
    results: list[clients.Result] = []
    yield results
    if target := os.environ.get("HELIOGRAPH_CONFORMANCE_REPORT"):
        write_report(Path(target), results)
