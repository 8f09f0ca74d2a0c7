"""What a vision model adds, from files to answers: real reading, and a model server that answers by a script."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image, ImageDraw

from heliograph.config import ModelSettings, Settings
from heliograph.errors import NotConfigured
from heliograph.extraction.answer import Answer, answer
from heliograph.extraction.plan import resolve
from heliograph.models.contract import Dialect
from heliograph.models.errors import ModelUnavailable
from heliograph.models.routes import Routes
from heliograph.models.scripted import Scripted, Turn, When
from heliograph.models.serving import Models
from heliograph.perception.reader import Reader
from tests.conftest import free_port

pytestmark = pytest.mark.asyncio(loop_scope="package")
INVOICE = Path(str(files("heliograph") / "samples")) / "invoice.pdf"
Asked = Callable[..., Awaitable[Answer]]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A red square on white."""
    image = Image.new("RGB", (600, 400), "white")
    ImageDraw.Draw(image).rectangle((60, 40, 180, 160), fill="red")
    image.save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest_asyncio.fixture(loop_scope="package")
async def asked(reader: Reader, tmp_path: Path) -> AsyncIterator[Asked]:
    """Answers a request through a scripted model: `asked(server, path, domain, **config)`."""
    opened: list[Models] = []

    async def ask(
        server: Scripted | str, path: Path, domain: str | None, operation: Any = "generate", *,
        vision: bool | None = True, fallback: str | None = None, **config: Any,
    ) -> Answer:  # fmt: skip
        url = server if isinstance(server, str) else server.url
        model = ModelSettings(url=url, model="scripted", vision=vision, coordinates="0-1000", attempts=1, fallback=fallback)
        settings = Settings(data_dir=tmp_path / "data", models={"default": model})
        opened.append(Models(settings))
        plan = resolve("document", operation, domain, config, route=Routes(settings).find("vlm-1"))
        return await answer(reader, [path], plan, models=opened[-1])

    yield ask
    for models in opened:
        await models.close()


async def test_a_picture_is_captioned_with_metadata_that_claims_nothing(asked: Asked, photo: Path) -> None:
    async with Scripted([{"caption": "A red square on white.", "tags": ["square", "red"]}]) as server:
        made = await asked(server, photo, "image.caption", grounding=True)
    assert made.response["caption"] == "A red square on white."
    assert made.response["tags"] == ["square", "red"]
    citation = made.response["caption_metadata"]
    assert (citation["confidence"], citation["match"], citation["bboxes"]) == ("lo", "none", [])
    assert (made.warnings, made.element_type) == ([], "image")


@pytest.mark.parametrize("dialect", ["openai", "vllm", "llama.cpp", "ollama"])
async def test_things_have_boxes_in_fractions_of_the_picture(asked: Asked, photo: Path, dialect: Dialect) -> None:
    said = {"content": "A red square.", "objects": [{"label": "red square", "box": [100, 100, 300, 400]}]}
    async with Scripted([said], dialect) as server:
        made = await asked(server, photo, "image.object-detection")
    assert made.response["content"] == "A red square."
    assert made.response["red_square_metadata"]["bboxes"] == [{"content": "red_square", "bbox": {"xywh": [0.1, 0.1, 0.2, 0.3]}, "page": 0}]


async def test_a_domain_about_what_is_seen_is_answered_in_its_schema(asked: Asked, photo: Path) -> None:
    said = {"description": "A square.", "category": "apparel", "season": "summer", "gender": "women"}
    async with Scripted([said]) as server:
        made = await asked(server, photo, "retail.product-catalog")
        assert made.response == said
        assert server.requests
    async with Scripted([{"season": "winter"}]) as server:
        assert (await asked(server, photo, "retail.product-catalog", gql_stmt="{ season }")).response == {"season": "winter"}


async def test_a_model_that_turns_out_to_be_blind_is_not_configured(asked: Asked, photo: Path) -> None:
    async with Scripted([], vision=False) as server:
        for domain in ("image.caption", "image.person-detection"):
            with pytest.raises(NotConfigured, match="default takes no pictures"):
                await asked(server, photo, domain, vision=None)
        assert server.requests == []


async def test_markdown_keeps_every_word_and_says_where_a_model_reads_a_table_otherwise(asked: Asked, reader: Reader) -> None:
    before = (await answer(reader, [INVOICE], resolve("document", "generate", "document.markdown"))).response
    script = [
        Turn(when=When(text="Copy this table"), answer={"rows": [{"cells": ["Item", "Price"]}, {"cells": ["Lens", "123456.78"]}]}),
        Turn(when=When(text="Describe what"), answer={"figures": [{"number": 1, "description": "A picture."}]}),
    ]
    async with Scripted(script) as server:
        made = await asked(server, INVOICE, "document.markdown")
        assert server.requests
    assert [page["content"] for page in made.response["pages"]] == [page["content"] for page in before["pages"]]
    tables = [table for page in made.response["pages"] for table in page["tables"]]
    assert tables
    assert all("123456.78" in table["metadata"]["notes"] for table in tables)
    read = [table for page in before["pages"] for table in page["tables"]]
    assert [{**table, "metadata": None} for table in tables] == [{**table, "metadata": None} for table in read]
    assert [warning for warning in made.warnings if warning.startswith("table_differs: ")]


async def test_a_proposed_schema_has_the_models_names_for_what_the_file_holds(asked: Asked) -> None:
    fields = [
        {"name": "invoice_number", "type": "string", "description": "Its number", "words": "BW-2026-0318"},
        {"name": "moon_phase", "type": "string", "description": "The moon", "words": "waxing gibbous"},
    ]
    said = {"category": "finance", "name": "invoice", "description": "An invoice.", "fields": fields, "lists": []}
    async with Scripted([said]) as server:
        made = await asked(server, INVOICE, None, "schema")
    assert list(made.response["json_schema"]["properties"]) == ["invoice_number"]
    assert made.response["description"] == "An invoice."
    async with Scripted(["I would rather not."] * 3) as server:
        made = await asked(server, INVOICE, None, "schema")
    assert "invoice" in made.response["domain"]
    assert made.response["json_schema"]["properties"]
    assert [warning for warning in made.warnings if warning.startswith("schema_without_model: ")]


async def test_where_the_settings_say_so_the_embedded_engine_answers_for_a_model_that_is_away(
    asked: Asked, reader: Reader, photo: Path
) -> None:
    away = f"http://127.0.0.1:{free_port()}/v1"
    alone = (await answer(reader, [INVOICE], resolve("document", "generate", "document.markdown"))).response
    made = await asked(away, INVOICE, "document.markdown", fallback="embedded")
    assert made.response == alone
    assert [warning for warning in made.warnings if warning.startswith("model_unavailable: the embedded engine answered alone")]
    made = await asked(away, INVOICE, None, "schema", fallback="embedded")
    assert made.response["json_schema"]["properties"]
    assert [warning for warning in made.warnings if warning.startswith("model_unavailable: ")]
    for domain, fallback in (("document.markdown", None), ("image.caption", "embedded")):
        with pytest.raises(ModelUnavailable):
            await asked(away, photo if domain == "image.caption" else INVOICE, domain, fallback=fallback)
