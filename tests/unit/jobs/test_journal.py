"""A reader behind the journal does all that a reader does."""

from __future__ import annotations

from typing import Any, cast

import pytest

from heliograph.config import Settings
from heliograph.jobs.journal import JournalledReader
from heliograph.perception.reader import Reader

PUBLIC = [name for name in dir(Reader) if not name.startswith("_")]


@pytest.mark.parametrize("name", [*PUBLIC, "studio"])
async def test_whatever_a_reader_can_do_can_be_asked_of_one_that_journals(settings: Settings, name: str) -> None:
    async with Reader(settings) as reader:
        assert getattr(JournalledReader(reader, cast("Any", None), {}), name) is not None
