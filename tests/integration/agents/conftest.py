from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from heliograph.config import Settings
from heliograph.models.serving import Models
from heliograph.perception.reader import Reader


@pytest.fixture(scope="package")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(data_dir=tmp_path_factory.mktemp("agents"))


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def reader(settings: Settings) -> AsyncIterator[Reader]:
    """One reader for all tests here: starting its engines costs seconds."""
    async with Reader(settings) as made:
        yield made


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def models(settings: Settings) -> AsyncIterator[Models]:
    made = Models(settings)
    yield made
    await made.close()
