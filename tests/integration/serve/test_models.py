"""`heliograph serve` with a vision model, from outside: what a picture shows, over the API."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image

from heliograph.models.scripted import Heard, Scripted, Turn
from tests.live import Server, data_uri, running_server


def _photo() -> str:
    written = io.BytesIO()
    Image.new("RGB", (300, 200), "red").save(written, "PNG")
    return data_uri(written.getvalue(), "image/png")


def _answer(heard: Heard) -> Any:
    if "objects" in (heard.schema or {}).get("properties", {}):
        return {"content": "All red.", "objects": [{"label": "square", "box": [0, 0, 500, 500]}]}
    return {"caption": "All red.", "tags": ["red"]}


def _generate(server: Server, domain: str, **body: Any) -> tuple[int, Any]:
    return server.call("POST", "/v1/image/generate", {"images": [_photo()], "domain": domain, "batch": False, **body})


def test_a_picture_is_looked_at_by_the_model_and_by_no_other_name(tmp_path: Path) -> None:
    with (
        Scripted([Turn(answer=_answer, times=0)]) as model,
        running_server(tmp_path / "data", HELIOGRAPH_MODEL_URL=model.url, HELIOGRAPH_MODEL_NAME="scripted") as server,
    ):
        status, captioned = _generate(server, "image.caption")
        assert (status, captioned["status"]) == (201, "completed"), captioned
        assert captioned["response"] == {"caption": "All red.", "tags": ["red"]}
        assert captioned["usage"]["element_type"] == "image"
        _, found = _generate(server, "image.object-detection", model="vlmrun-orion-1:auto")
        assert found["response"]["square_metadata"]["bboxes"][0]["bbox"]["xywh"][2:] == [0.5, 0.5]
        asked = len(model.requests)
        status, refused = _generate(server, "image.caption", model="gpt-4")
        assert (status, refused["error"]["type"]) == (404, "model_not_found")
        assert len(model.requests) == asked
        _, pairs = server.call("GET", "/v1/models")
        assert {"model": "vlm-1", "domain": "image.caption"} in pairs


def test_a_model_without_eyes_fails_the_prediction_and_names_the_setting(tmp_path: Path) -> None:
    with (
        Scripted([Turn(answer=_answer, times=0)], vision=False) as model,
        running_server(tmp_path / "data", HELIOGRAPH_MODEL_URL=model.url, HELIOGRAPH_MODEL_NAME="scripted") as server,
    ):
        status, failed = _generate(server, "image.caption")
        assert (status, failed["status"]) == (201, "failed"), failed
        assert failed["error"]["type"] == "not_configured"
        assert "vision = true" in failed["message"]
        assert model.requests == []
