"""Skills written in the child of the API."""

from __future__ import annotations

from pathlib import Path

import pytest

from heliograph.api.writing import Writer
from heliograph.config import Settings
from heliograph.errors import InvalidRequest
from heliograph.skills import package

PROMPT = "Extract invoice_id, date and total_amount"


async def test_the_template_writes_where_no_model_is(tmp_path: Path) -> None:
    writer = Writer(Settings(data_dir=tmp_path))
    try:
        made = package.read(await writer.write(PROMPT))
        assert made.name == "extract-invoice-id-date-total-amount"
        assert made.schema is not None
        assert list(made.schema["properties"]) == ["invoice_id", "date", "total_amount"]
        with pytest.raises(InvalidRequest) as refused:
            await writer.write(PROMPT, {"type": "nonsense"})
        assert refused.value.param == "json_schema"
    finally:
        await writer.close()
