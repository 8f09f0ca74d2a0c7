"""Providers: services on loopback that detect, segment, tell depth, draw and build, as the settings say."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from aiohttp import web
from PIL import Image
from pydantic import SecretStr, ValidationError

from heliograph.agents import providers
from heliograph.agents.memory import Brought
from heliograph.agents.sending import sent
from heliograph.agents.task import PROVIDERS
from heliograph.agents.tools import REGISTRY
from heliograph.config import ModelSettings, ProviderSettings, Settings
from heliograph.errors import CorruptMedia, FetchError, MediaError, NotConfigured
from heliograph.models.serving import Models
from heliograph.perception.reader import Reader
from tests.integration.agents.services import serving
from tests.integration.agents.tooling import Tools

pytestmark = pytest.mark.asyncio(loop_scope="package")


def png(color: str = "red", size: tuple[int, int] = (40, 30)) -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", size, color).save(sink, "PNG")
    return sink.getvalue()


def written(content: bytes, media_type: str = "image/png") -> dict[str, str]:
    return {"media_type": media_type, "data": base64.b64encode(content).decode()}


def tools(
    settings: Settings, reader: Reader, models: Models, given: dict[str, ProviderSettings], named: Any = None, **changes: Any
) -> Tools:
    return Tools(settings.model_copy(update={"providers": given, **changes}), reader, models, providers=named)


async def photo(run: Tools) -> str:
    run.memory.inputs[0] = Brought(content=png(), kind="img", media_type="image/png")
    return (await run.workspace.bring(0)).ref


async def test_a_detector_is_shown_the_picture_and_its_boxes_come_back(settings: Settings, reader: Reader, models: Models) -> None:
    asked: list[Any] = []

    def detect(request: web.Request, body: Any) -> web.Response:
        asked.append(
            (request.headers["Authorization"], body["labels"], body["image"]["media_type"], base64.b64decode(body["image"]["data"])[:2])
        )
        return web.json_response({"detections": [{"label": "cell", "xywh": [0.1, 0.2, 0.3, 0.4], "confidence": 0.9}]})

    async with serving({"/v1/detect": detect}) as url:
        run = tools(settings, reader, models, {"mine": ProviderSettings(url=f"{url}/v1", does=["detect"], key=_key("k1"))})
        found = await providers.detect(run.at, await sent(run.at, await photo(run)), ["cell"])
    assert found == [providers.Detection(label="cell", xywh=[0.1, 0.2, 0.3, 0.4], confidence=0.9)]
    assert asked == [("Bearer k1", ["cell"], "image/jpeg", b"\xff\xd8")]
    assert await providers.detect(tools(settings, reader, models, {}).at, providers.Encoded("image/png", ""), []) is None


async def test_the_provider_that_a_request_names_is_asked_before_others(settings: Settings, reader: Reader, models: Models) -> None:
    def depth(color: str) -> Any:
        return lambda _request, _body: web.json_response({"depth": written(png(color))})

    async with serving({"/a/depth": depth("black"), "/b/depth": depth("white")}) as url:
        given = {"other": ProviderSettings(url=f"{url}/a", does=["depth"]), "depth-anything-3": ProviderSettings(url=f"{url}/b")}
        for named, grey in ((["depth-anything-3"], 255), ([], 0)):
            run = tools(settings, reader, models, given, named)
            made = await run.call("estimate_depth", image=await photo(run))
            with Image.open(io.BytesIO(await run.workspace.artifacts.read(made["id"]))) as drawn:
                assert (made["width"], made["height"], drawn.convert("L").getpixel((5, 5))) == (40, 30, grey)


async def test_pictures_are_drawn_and_things_built_as_artifacts(settings: Settings, reader: Reader, models: Models) -> None:
    asked: list[Any] = []

    def generate(_request: web.Request, body: Any) -> web.Response:
        asked.append((body["prompt"], len(body["images"]), body["medium"]))
        return web.json_response({"made": written(png("blue"))})

    def build(_request: web.Request, _body: Any) -> web.Response:
        return web.json_response({"made": written(b"ply\n", "application/octet-stream")})

    async with serving({"/generate": generate, "/reconstruct": build}) as url:
        run = tools(
            settings, reader, models, {"google-gemini-3-image": ProviderSettings(url=url), "meta-sam3d": ProviderSettings(url=url)}
        )  # fmt: skip
        ref = await photo(run)
        assert (await run.call("generate_image", prompt="a lighthouse"))["id"].startswith("img_")
        assert (await run.call("edit_image", image=ref, prompt="make it blue"))["width"] == 40
        assert (await run.call("reconstruct_3d", images=[ref]))["id"].startswith("recon_")
        with pytest.raises(NotConfigured, match="film model"):
            await run.call("generate_video", prompt="waves")
    assert asked == [("a lighthouse", 0, "image"), ("make it blue", 1, "image")]
    assert [card for card, _ in run.shown] == ["preview.image", "preview.image"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"detections": [{"label": "x"}]}, FetchError),
        ({"boxes": []}, FetchError),
        ([], FetchError),
    ],
)
async def test_an_answer_in_another_form_is_refused(
    settings: Settings, reader: Reader, models: Models, answer: Any, error: type[Exception]
) -> None:
    async with serving({"/detect": lambda _request, _body: web.json_response(answer)}) as url:
        run = tools(settings, reader, models, {"mine": ProviderSettings(url=url, does=["detect"])})
        with pytest.raises(error, match="The provider mine"):
            await providers.detect(run.at, providers.Encoded("image/png", ""), [])


async def test_a_picture_that_is_none_never_becomes_an_artifact(settings: Settings, reader: Reader, models: Models) -> None:
    broken = {"made": written(b"\x89PNG\r\n\x1a\nbroken")}
    async with serving({"/generate": lambda _request, _body: web.json_response(broken)}) as url:
        run = tools(settings, reader, models, {"mine": ProviderSettings(url=url, does=["generate"])})
        with pytest.raises(MediaError) as caught:
            await run.call("generate_image", prompt="x")
    assert isinstance(caught.value, CorruptMedia)
    assert run.memory.artifacts == {}


async def test_what_is_not_configured_is_named_with_its_setting(settings: Settings, reader: Reader, models: Models) -> None:
    run = tools(settings, reader, models, {})
    ref = await photo(run)
    for name, arguments, setting in (
        ("estimate_depth", {"image": ref}, r"\[providers\.depth-anything-3\]"),
        ("generate_image", {"prompt": "x"}, r"\[providers\.google-gemini-3-image\]"),
        ("reconstruct_3d", {"images": [ref]}, r"\[providers\.meta-sam3d\]"),
        ("generate_video", {"prompt": "x"}, r'\[providers\."google-veo-3\.1"\]'),
    ):
        with pytest.raises(NotConfigured, match=setting):
            await run.call(name, **arguments)
        assert REGISTRY[name].needs(run.at.settings)
    offline = tools(settings, reader, models, {"mine": ProviderSettings(url="https://seg.example", does=["segment"])}, offline=True)
    with pytest.raises(NotConfigured, match="offline"):
        await providers.segment(offline.at, providers.Encoded("image/png", ""), ["x"], [])
    lost = tools(settings, reader, models, {"mine": ProviderSettings(url="http://127.0.0.1:1", does=["depth"], key_env="NOT_SET")})
    with pytest.raises(NotConfigured, match="NOT_SET"):
        await lost.call("estimate_depth", image=await photo(lost))


async def test_a_request_that_names_providers_is_told_which_are_missing() -> None:
    settings = Settings(providers={"meta-sam2": ProviderSettings(url="http://127.0.0.1:9")})
    assert providers.unconfigured(["meta-sam2"], settings) is None
    said = providers.unconfigured(["meta-sam2", "google-veo-3.1", "meta-sam3"], settings) or ""
    assert '[providers."google-veo-3.1"], [providers.meta-sam3]' in said
    assert "meta-sam2" not in said


async def test_a_provider_that_is_a_model_answers_by_its_route(settings: Settings, reader: Reader, models: Models) -> None:
    given = {"qwen-qwen3-vl-8b": ProviderSettings(route="qwen")}
    assert providers.route(tools(settings, reader, models, given).at, "look") == "qwen"
    assert providers.route(tools(settings, reader, models, {}).at, "look") is None
    routes = {"qwen": ModelSettings(url="http://127.0.0.1:9/v1")}
    assert Settings(models=routes, providers=given).providers == given
    with pytest.raises(ValidationError, match="not configured"):
        Settings(providers=given)
    with pytest.raises(ValidationError, match="one of the two"):
        ProviderSettings(route="a", url="http://b")


async def test_every_published_provider_can_be_asked_something() -> None:
    assert set(providers.DOES) == set(PROVIDERS)


def _key(text: str) -> SecretStr:
    return SecretStr(text)
