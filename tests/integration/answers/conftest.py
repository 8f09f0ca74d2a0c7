from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from heliograph.config import Settings
from heliograph.perception.reader import Reader


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def reader(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Reader]:
    """One reader for all tests here: starting its engines costs seconds."""
    async with Reader(Settings(data_dir=tmp_path_factory.mktemp("reader"))) as made:
        yield made
