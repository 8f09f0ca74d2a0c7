from __future__ import annotations

import pytest

from heliograph.perception.ocr import TextReader


@pytest.fixture(scope="session")
def reader() -> TextReader:
    """The text engine, loaded once."""
    return TextReader(2)
