"""The tools of `core`: files, text, schemas, pictures."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image

from heliograph.agents.memory import Brought
from heliograph.config import Settings
from heliograph.errors import FetchError, InvalidRequest, NotFound, UnsupportedMedia
from heliograph.models.serving import Models
from heliograph.perception.reader import Reader
from tests.integration.agents.tooling import INVOICE, Tools, pdf

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest.fixture
def run(settings: Settings, reader: Reader, models: Models) -> Tools:
    return Tools(settings, reader, models)


def png(color: str = "red") -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (40, 30), color).save(sink, "PNG")
    return sink.getvalue()


async def test_an_image_is_taken_from_a_url_and_anything_else_by_its_own_tool(run: Tools) -> None:
    run.memory.web["https://pictures.example/a.png"] = Brought(content=png(), kind="img", media_type="image/png")
    run.memory.web["https://papers.example/a.pdf"] = Brought(content=pdf(*INVOICE), kind="doc", media_type="application/pdf")
    assert (await run.call("put_image_url", url="https://pictures.example/a.png"))["id"].startswith("img_")
    with pytest.raises(UnsupportedMedia, match=r"application/pdf.* doc_"):
        await run.call("put_image_url", url="https://papers.example/a.pdf")
    assert (await run.call("put_file_url", file="https://papers.example/a.pdf"))["id"].startswith("doc_")
    with pytest.raises(FetchError):
        await run.call("put_file_url", file="https://nowhere.example/")


async def test_a_file_is_taken_by_its_id(run: Tools) -> None:
    run.memory.files["file-1"] = Brought(content=pdf(*INVOICE), kind="doc", media_type="application/pdf", filename="invoice.pdf")
    taken = await run.call("put_file_url", file="file-1")
    assert (taken["id"][:4], taken["filename"]) == ("doc_", "invoice.pdf")
    assert (await run.call("put_file_url", file=taken["id"]))["id"] == taken["id"]
    with pytest.raises(NotFound):
        await run.call("put_file_url", file="file-2")


async def test_artifacts_are_listed_picked_and_shown(run: Tools) -> None:
    images = [await run.bring(png(color), "img", "image/png") for color in ("red", "blue")]
    paper = await run.bring(pdf(*INVOICE))
    assert [file["id"] for file in (await run.call("list_artifacts"))["files"]] == [*images, paper]
    assert [file["id"] for file in (await run.call("list_artifacts", kind="img"))["files"]] == images
    assert (await run.call("get_image_from_index", index=-1))["id"] == images[1]
    with pytest.raises(InvalidRequest, match="no image 2; there are 2"):
        await run.call("get_image_from_index", images=images, index=2)
    await run.call("preview_image", image=images[0], title="Red")
    assert run.shown == [("preview.image", {"image": {"id": images[0]}, "title": "Red"})]
    linked = await run.call("preview_file_url", file=paper)
    assert (linked["id"], linked["url"], run.shown[-1]) == (paper, f"memory:{paper}", ("preview.document", {"document": {"id": paper}}))
    with pytest.raises(InvalidRequest, match="is no image"):
        await run.call("preview_image", image=paper)


async def test_text_is_written_read_and_worked_on_by_reference(run: Tools) -> None:
    made = await run.call("write_file", path="notes.csv", text="name,price\ncafé,3\ntea,2\n")
    assert (made["filename"], made["id"][:4]) == ("notes.csv", "doc_")
    first = await run.call("read_file", path="notes.csv", characters=10)
    assert (first["text"], first["next"], first["characters"]) == ("name,price", 10, 24)
    assert (await run.call("read_file", path=made["id"], start=10))["text"] == "\ncafé,3\ntea,2\n"
    counted = await run.call("count_text", text=made["id"], query="CAFÉ")
    assert (counted["lines"], counted["matches"]) == (3, 1)
    found = await run.call("search_text", text=made["id"], query=r"(\w+),(\d)", regex=True)
    assert [(hit["line"], hit["groups"]) for hit in found["matches"]] == [(2, ["café", "3"]), (3, ["tea", "2"])]
    assert (await run.call("replace_text", text="a.b.c", query=".", replacement=r"\1"))["text"] == r"a\1b\1c"
    assert (await run.call("split_text", text="a; b;c", separator=r";\s*", regex=True))["parts"] == ["a", "b", "c"]


async def test_names_of_files_cannot_leave_their_place(run: Tools) -> None:
    for name in ("../x", "a/b", ".hidden", "", "a\nb"):
        with pytest.raises(InvalidRequest, match="path"):
            await run.call("write_file", path=name, text="x")


async def test_an_artifact_is_kept_under_a_name(run: Tools) -> None:
    ref = await run.bring(png(), "img", "image/png")
    saved = await run.call("save_artifact", artifact=ref, filename="red.png")
    assert saved["id"] != ref
    assert await run.workspace.artifacts.read("red.png") == png()
    assert (await run.workspace.artifacts.get("red.png")).source == "workspace"


async def test_the_text_of_a_document_is_that_of_its_pages(run: Tools) -> None:
    ref = await run.bring(pdf(*INVOICE))
    assert "INV-4711" in (await run.call("read_file", path=ref))["text"]
    assert (await run.call("read_file", path=await run.bring(b"", media_type="text/plain")))["text"] == ""


async def test_texts_are_compared_by_lines(run: Tools) -> None:
    same = await run.call("compare_texts", first="a\nb", second="a\nb")
    assert (same["equal"], same["similarity"], same["diff"]) == (True, 1.0, "")
    other = await run.call("compare_texts", first="a\nb", second="a\nc")
    assert not other["equal"]
    assert {"-b", "+c"} <= set(other["diff"].split("\n"))


async def test_sums_are_exact(run: Tools) -> None:
    assert await run.call("calculate", expression="0.1 + 0.2") == {"value": 0.3, "text": "0.3"}
    with pytest.raises(InvalidRequest):
        await run.call("calculate", expression="open('x')")


async def test_schemas_are_found_and_made(run: Tools) -> None:
    assert (await run.call("get_hub_info"))["domains"] > 40
    assert [entry["domain"] for entry in (await run.call("list_domains", query="bank statement"))["domains"]] == ["document.bank-statement"]
    assert "invoice_id" in (await run.call("get_schema", domain="document.invoice"))["json_schema"]["properties"]
    of_words = await run.call("create_schema", prompt="Extract the order number and the delivery date")
    assert list(of_words["json_schema"]["properties"]) == ["order_number", "delivery_date"]
    of_paper = await run.call("create_schema", document=await run.bring(pdf(*INVOICE)))
    assert "due_date" in of_paper["json_schema"]["properties"]
    with pytest.raises(InvalidRequest, match="names no fields"):
        await run.call("create_schema", prompt="hello")


async def test_a_schema_is_changed_and_kept(run: Tools) -> None:
    before = {"type": "object", "properties": {"total": {"type": "number"}, "note": {"type": "string"}}, "required": ["total", "note"]}
    changed = (await run.call("update_schema", json_schema=before, add="Add the order number and total", remove=["note"]))["json_schema"]
    assert list(changed["properties"]) == ["total", "order_number"]
    assert (changed["properties"]["total"], changed["required"]) == ({"type": "number"}, ["total"])
    saved = await run.call("save_schema", json_schema=changed, name="order")
    assert saved["filename"] == "order.json"
    assert json.loads(await run.workspace.artifacts.read("order.json")) == changed
    for name, arguments, why in (
        ("update_schema", {"json_schema": before, "remove": ["tax"]}, "no tax; it has total, note"),
        ("update_schema", {"json_schema": before, "add": "?!"}, "names no fields"),
        ("save_schema", {"json_schema": {"type": "nonsense"}}, "nonsense"),
        ("save_schema", {"json_schema": before, "name": "../x"}, "name"),
    ):
        with pytest.raises(InvalidRequest, match=why):
            await run.call(name, **arguments)
