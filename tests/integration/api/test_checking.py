"""What a worker would fail at is said at submit, where that is cheap."""

from __future__ import annotations

import asyncio
import base64
import io
import threading
from typing import Any

import pytest
from PIL import Image

from heliograph.api import checking
from heliograph.children import ChildPool
from heliograph.config import Settings
from tests.unit.media.paper import Pdf

from .conftest import PDF, Api, serving
from .test_recordings import tone


def uri(content: bytes) -> str:
    return "data:application/octet-stream;base64," + base64.b64encode(content).decode()


def locked() -> bytes:
    pdf = Pdf()
    pdf.page(b"")
    return pdf.bytes(password=b"sesame")


def picture() -> str:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    return uri(out.getvalue())


INVOICE: dict[str, Any] = {"domain": "document.invoice"}


@pytest.mark.parametrize("batch", [True, False])
async def test_files_that_cannot_be_read_are_refused_with_the_type_that_a_failed_prediction_would_have(api: Api, batch: bool) -> None:
    for content, kind in (
        (locked(), "encrypted_media"),
        (b"%PDF-1.4 broken", "corrupt_media"),
        (b"\x89PNG\r\n\x1a\nbroken", "corrupt_media"),
        (b"\x7fELF" + bytes(range(256)), "unsupported_media"),
    ):
        refused = await api("POST", "/v1/document/generate", json=INVOICE | {"url": uri(content), "batch": batch})
        assert (refused.status, refused.json["error"]["type"]) == (422, kind), refused.content
        assert refused.json["detail"][0]["loc"] == ["body", "url"]
    assert await api.count("predictions") == 0
    assert await api.stored() == [], "what came with them is not kept"
    file = await api.upload(locked())
    refused = await api("POST", "/v1/document/generate", json=INVOICE | {"file_id": file["id"], "batch": batch})
    assert refused.json["detail"][0]["loc"] == ["body", "file_id"]


@pytest.mark.parametrize("claimed", ["image/png", "audio/mpeg"])
async def test_bytes_that_are_nothing_of_what_their_data_url_says_are_refused_as_damaged(api: Api, claimed: str) -> None:
    garbled = f"data:{claimed};base64," + base64.b64encode(b"not one").decode()
    refused = await api("POST", "/v1/document/generate", json=INVOICE | {"url": garbled})
    assert (refused.status, refused.json["error"]["type"]) == (422, "corrupt_media"), refused.content
    assert claimed in refused.json["error"]["message"]
    part = {"type": "image_url", "image_url": {"url": garbled}}
    refused = await api("POST", "/v1/openai/chat/completions", json={"messages": [{"role": "user", "content": [part]}]})
    assert (refused.status, refused.json["error"]["type"]) == (422, "corrupt_media"), refused.content


async def test_chats_and_agents_take_recordings_and_refuse_damaged_ones(api: Api) -> None:
    for content, status in ((tone(), 201), (tone()[:12] + b"broken", 422)):
        link = f"data:audio/wav;base64,{base64.b64encode(content).decode()}"
        part = {"type": "audio_url", "audio_url": {"url": link}}
        chat = {"messages": [{"role": "user", "content": [part, {"type": "text", "text": "What is said?"}]}], "batch": True}
        answered = await api("POST", "/v1/openai/chat/completions", json=chat)
        assert answered.status == status, answered.content
        answered = await api(
            "POST", "/v1/agent/execute", json={"inputs": {"talk": part}, "config": {"prompt": "What is said?"}, "batch": True}
        )
        assert answered.status == status, answered.content


async def test_a_page_that_the_file_has_not_is_refused_over_all_images_together(api: Api) -> None:
    beyond = await api("POST", "/v1/document/generate", json=INVOICE | {"url": uri(PDF), "config": {"page_indices": [0, 1]}})
    assert beyond.status == 422
    assert beyond.json["detail"][0]["loc"] == ["body", "config", "page_indices"]
    body = {"images": [picture(), picture()], "domain": "document.receipt"}
    assert (await api("POST", "/v1/image/generate", json=body | {"config": {"page_indices": [1]}})).status == 201
    assert (await api("POST", "/v1/image/generate", json=body | {"config": {"page_indices": [2]}})).status == 422
    second = await api("POST", "/v1/image/generate", json=body | {"images": [picture(), uri(b"\x89PNG\r\n\x1a\nbroken")]})
    assert second.json["detail"][0]["loc"] == ["body", "images", 1]


async def test_what_takes_long_or_is_large_is_left_to_the_worker(
    settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {"url": uri(b"%PDF-1.4 broken")}
    for seconds in (0.0, 0.001):
        async with serving(settings.model_copy(update={"check_at_submit": seconds}), database_url) as api:
            assert (await api("POST", "/v1/document/generate", json=INVOICE | broken)).status == 201
    async with serving(settings, database_url) as api:
        monkeypatch.setattr(checking, "LARGEST", 14)
        assert (await api("POST", "/v1/document/generate", json=INVOICE | broken)).status == 201


async def test_queued_requests_do_not_wait_for_another_ones_check(
    settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking: list[Any] = []
    released = threading.Event()
    real = ChildPool.call

    async def held(self: ChildPool, *arguments: Any, **options: Any) -> Any:
        looking.append(arguments)
        await asyncio.to_thread(released.wait, 20)
        return await real(self, *arguments, **options)

    monkeypatch.setattr(ChildPool, "call", held)
    body = INVOICE | {"url": uri(PDF)}
    async with serving(settings.model_copy(update={"check_at_submit": 30.0}), database_url) as api:
        first = asyncio.create_task(api("POST", "/v1/document/generate", json=body))
        async with asyncio.timeout(20):
            while not looking:
                await asyncio.sleep(0.01)
        for _ in range(3):
            assert (await api("POST", "/v1/document/generate", json=body)).status == 201
        assert not first.done()
        released.set()
        assert (await first).status == 201
    assert len(looking) == 1
