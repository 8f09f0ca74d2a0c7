"""Tools of pictures on real files, through the children that do the work."""

from __future__ import annotations

import base64
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib
import msgspec
import numpy as np
import pytest
import pytest_asyncio
import zxingcpp
from aiohttp import web
from PIL import Image, ImageDraw

from heliograph.agents import tools, toolsets
from heliograph.agents.artifacts import Artifact
from heliograph.agents.context import Context
from heliograph.agents.memory import MemoryWorkspace
from heliograph.agents.task import Task
from heliograph.config import ModelSettings, ProviderSettings, Settings
from heliograph.errors import CorruptMedia, InvalidRequest, MediaLimitExceeded, NotConfigured, NotFound
from heliograph.models.scripted import Scripted
from heliograph.models.serving import Models
from heliograph.perception.reader import Reader
from tests.integration.agents.services import serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
PORTRAIT = Path(matplotlib.get_data_path(), "sample_data", "grace_hopper.jpg")


@dataclass
class Run:
    """A run with tools, in memory. `cards`: what it showed."""

    reader: Reader
    settings: Settings
    models: Models
    workspace: MemoryWorkspace = field(default_factory=MemoryWorkspace)
    cards: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    route: str | None = None
    providers: list[Any] = field(default_factory=list)

    async def call(self, name: str, **arguments: Any) -> Any:
        """The answer of a tool, as JSON."""

        async def say(_line: str) -> None: ...

        async def show(card: str, data: dict[str, Any]) -> None:
            self.cards.append((card, data))

        task = Task(kind="completion", model="vlmrun-orion-1", route=self.route, providers=self.providers)
        at = Context(
            task=task, workspace=self.workspace, settings=self.settings, reader=self.reader, models=self.models, route=self.route,
            say=say, show=show,  # type: ignore[arg-type]
        )  # fmt: skip
        return await tools.REGISTRY[name].call(at, arguments)

    async def bring(self, content: bytes | Image.Image, media_type: str = "image/png") -> str:
        """The reference of a picture that is brought."""
        if not isinstance(content, bytes):
            sink = io.BytesIO()
            content.save(sink, media_type.partition("/")[2].upper())
            content = sink.getvalue()
        async with self.workspace.step(f"bring:{len(await self.workspace.artifacts.list())}"):
            return (await self.workspace.artifacts.put(content, kind="img", media_type=media_type)).ref

    async def picture(self, ref: str) -> Image.Image:
        return Image.open(io.BytesIO(await self.workspace.artifacts.read(ref)))

    async def artifact(self, ref: str) -> Artifact:
        return await self.workspace.artifacts.get(ref)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Reader]:
    toolsets.load()
    async with Reader(Settings(data_dir=tmp_path_factory.mktemp("reader"), max_pixels=20_000_000)) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def run(reader: Reader, tmp_path: Path) -> AsyncIterator[Run]:
    settings = Settings(data_dir=tmp_path)
    models = Models(settings)
    yield Run(reader, settings, models)
    await models.close()


@pytest.fixture
def square() -> Image.Image:
    """A red square at the top left of a white picture of 600 x 400."""
    made = Image.new("RGB", (600, 400), "white")
    ImageDraw.Draw(made).rectangle((60, 40, 179, 159), fill="red")
    return made


async def test_what_is_made_is_an_artifact_with_its_size_and_a_card(run: Run, square: Image.Image) -> None:
    ref = await run.bring(square)
    made = await run.call("crop_image", image=ref, xywh=[0.1, 0.1, 0.2, 0.3])
    kept = await run.artifact(made["id"])
    assert (made["width"], made["height"]) == (120, 120)
    assert kept.media_type == "image/png"
    assert kept.facts == {"width": 120, "height": 120}
    assert (await run.picture(made["id"])).getcolors() == [(14_400, (255, 0, 0))]
    assert run.cards == [("preview.image", {"image": {"id": made["id"]}, "width": 120, "height": 120})]


async def test_photos_stay_jpeg_and_drawings_png_unless_asked(run: Run, square: Image.Image) -> None:
    drawing, photo = await run.bring(square), await run.bring(PORTRAIT.read_bytes(), "image/jpeg")
    for ref, form, media_type in (
        (drawing, None, "image/png"), (photo, None, "image/jpeg"), (drawing, "jpeg", "image/jpeg"), (photo, "png", "image/png"),
        (photo, "webp", "image/png"), (drawing, "jpg", "image/jpeg"),
    ):  # fmt: skip
        made = await (run.call("convert_image", image=ref, format=form) if form else run.call("flip_image", image=ref))
        assert (await run.artifact(made["id"])).media_type == media_type
        assert (await run.picture(made["id"])).format == media_type.partition("/")[2].upper()


async def test_the_camera_was_held_sideways_and_notes_of_it_are_gone(run: Run, square: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "A camera"
    sink = io.BytesIO()
    square.save(sink, "JPEG", exif=exif)
    made = await run.call("convert_image", image=await run.bring(sink.getvalue(), "image/jpeg"), format="jpeg")
    upright = await run.picture(made["id"])
    assert upright.size == (400, 600)
    assert not upright.getexif()
    red = np.asarray(upright)[:, :, 1] < 100
    assert red[100, 300]
    assert not red[100, 100]


async def test_a_picture_is_turned_counter_clockwise(run: Run, square: Image.Image) -> None:
    made = await run.call("rotate_image", image=await run.bring(square), angle=90)
    assert (made["width"], made["height"]) == (400, 600)
    assert (await run.picture(made["id"])).getpixel((100, 500)) == (255, 0, 0)


async def test_sizes_and_enlarging(run: Run, square: Image.Image) -> None:
    ref = await run.bring(square)
    assert (await run.call("resize_image", image=ref, width=300))["height"] == 200
    assert (await run.call("resize_image", image=ref, scale=0.25))["width"] == 150
    large = await run.call("super_resolution", image=ref, factor=4)
    assert (large["width"], large["height"]) == (2400, 1600)
    assert "Lanczos" in large["method"]
    with pytest.raises(InvalidRequest, match="a width, a height or a scale"):
        await run.call("resize_image", image=ref)
    with pytest.raises(MediaLimitExceeded, match="64,000,000"):
        await run.call("resize_image", image=ref, width=16_000)


@pytest.mark.parametrize(
    ("xywh", "says"),
    [
        ([10, 20, 100, 50], "fractions from 0 to 1"),
        ([0.5, 0.5, 0.0, 0.1], "no box"),
        ([0.5, 0.5, 0.7, 0.1], "outside"),
        ([0.1, 0.1, 0.1], "4"),
    ],
)
async def test_what_is_no_box_is_said_so_that_the_call_can_be_mended(run: Run, square: Image.Image, xywh: list[float], says: str) -> None:
    ref = await run.bring(square)
    with pytest.raises(InvalidRequest, match=says):
        await run.call("crop_image", image=ref, xywh=xywh)
    with pytest.raises(InvalidRequest, match=says):
        await run.call("visualize_bboxes", image=ref, boxes=[xywh])


async def test_missing_damaged_and_huge_pictures_are_errors_of_the_tree(run: Run) -> None:
    with pytest.raises(NotFound):
        await run.call("grayscale_image", image="img_000000")
    with pytest.raises(CorruptMedia):
        await run.call("grayscale_image", image=await run.bring(b"\x89PNG\r\n\x1a\n" + b"\0" * 50))
    with pytest.raises(MediaLimitExceeded, match="pixels"):
        await run.call("grayscale_image", image=await run.bring(Image.new("1", (6000, 4000))))


async def test_boxes_are_taken_as_finders_give_them_as_citations_write_them_and_as_four_numbers(run: Run, square: Image.Image) -> None:
    ref = await run.bring(square)
    boxes = [{"xywh": [0.1, 0.1, 0.2, 0.3], "label": "face", "confidence": 0.9, "landmarks": {}}, [0.5, 0.5, 0.2, 0.2],
             {"bbox": {"xywh": [0.7, 0.1, 0.2, 0.2]}, "page": 0, "content": "x"}]  # fmt: skip
    drawn = np.asarray(await run.picture((await run.call("visualize_bboxes", image=ref, boxes=boxes))["id"])).astype(int)
    scale = drawn.shape[1] / 600
    for x in (0.1, 0.5, 0.7):
        column = round(x * 600 * scale) + 1
        assert (np.abs(drawn[:, column] - 255).max(axis=1) > 60).sum() > 60


async def test_boxes_of_a_page_are_drawn_on_that_page(run: Run) -> None:
    pages = [Image.new("RGB", (850, 1100), "white") for _ in range(2)]
    ImageDraw.Draw(pages[1]).rectangle((85, 110, 170, 220), fill="red")
    sink = io.BytesIO()
    pages[0].save(sink, "PDF", save_all=True, append_images=pages[1:])
    async with run.workspace.step("bring"):
        ref = (await run.workspace.artifacts.put(sink.getvalue(), kind="doc", media_type="application/pdf")).ref
    made = await run.call("crop_image", image=ref, xywh=[0.12, 0.12, 0.06, 0.06], page=1)
    low = np.asarray(await run.picture(made["id"])).astype(int)
    assert low[:, :, 0].min() > 200
    assert low[:, :, 1].max() < 60
    with pytest.raises(InvalidRequest, match="no page 2; the file has 2"):
        await run.call("crop_image", image=ref, xywh=[0, 0, 1, 1], page=2)


async def test_points_masks_and_grids(run: Run, square: Image.Image) -> None:
    ref = await run.bring(square)
    mask = Image.new("L", (60, 40), 0)
    mask.paste(255, (30, 0, 60, 40))
    pointed = await run.call("visualize_keypoints", image=ref, keypoints=[{"xy": [0.5, 0.5], "label": "middle"}, [0.1, 0.9]])
    masks = [{"image": await run.bring(mask)}, {"polygon": [[0, 0], [0.2, 0], [0, 0.2]], "label": "corner"}, {"xywh": [0, 0.8, 0.1, 0.1]}]
    tinted = await run.call("visualize_masks", image=ref, masks=masks)
    assert (np.asarray(await run.picture(tinted["id"]))[200, 500] != 255).any()
    grid = await run.call("image_grid", images=[ref, pointed["id"], tinted["id"]], captions=["one", "two", 3], columns=3)
    assert grid["width"] > 2 * grid["height"]
    assert run.cards[-1][0] == "preview.grid"
    assert [image["title"] for image in run.cards[-1][1]["images"]] == ["one", "two", "3"]
    with pytest.raises(InvalidRequest, match="3 images and 1 captions"):
        await run.call("image_grid", images=[ref] * 3, captions=["one"])
    with pytest.raises(InvalidRequest, match="an image, a polygon or an xywh"):
        await run.call("visualize_masks", image=ref, masks=[{"label": "nothing"}])


async def test_a_chart_is_drawn_and_its_card_says_what_it_shows(run: Run) -> None:
    made = await run.call("make_chart", kind="bar", values=[3, 5], labels=["a", 2024], title="Sales", x_label=None, unit="$")
    assert made["width"] == 1600
    ((card, data),) = run.cards
    assert card == "preview.chart"
    assert (data["kind"], data["title"], data["labels"]) == ("bar", "Sales", ["a", "2024"])
    assert data["series"] == [{"name": "", "values": [3.0, 5.0]}]
    table = await run.call("make_chart", kind="table", labels=["Item", "Price"], rows=[["Lens", 12.5], ["Case", None]])
    assert (await run.artifact(table["id"])).media_type == "image/png"
    with pytest.raises(InvalidRequest, match="1 labels and 2 values"):
        await run.call("make_chart", kind="pie", values=[3, 5], labels=["a"])


async def test_faces_are_found_and_blurred_until_none_is_left(run: Run) -> None:
    ref = await run.bring(PORTRAIT.read_bytes(), "image/jpeg")
    (face,) = (await run.call("detect_faces", image=ref))["faces"]
    assert face["confidence"] > 0.9
    assert set(face["landmarks"]) == {"left_eye", "right_eye", "nose", "mouth_left", "mouth_right"}
    assert face["landmarks"]["left_eye"][0] < face["landmarks"]["right_eye"][0]
    for cover in ("blur", "pixelate", "black"):
        blurred = await run.call("blur_faces", image=ref, cover=cover)
        assert blurred["faces"] == 1
        assert (await run.call("detect_faces", image=blurred["id"]))["faces"] == []


async def test_without_a_face_nothing_is_made_and_it_says_so(run: Run, square: Image.Image) -> None:
    answer = await run.call("blur_faces", image=await run.bring(square))
    assert (answer["id"], answer["faces"]) == (None, 0)
    assert "nothing was changed" in answer["note"]
    assert run.cards == []


async def test_text_and_codes_are_read_where_they_stand(run: Run) -> None:
    page = Image.new("RGB", (900, 500), "white")
    ImageDraw.Draw(page).text((60, 50), "Invoice 4711", fill="black", font_size=48)
    code = zxingcpp.create_barcode("https://example.org/r/4711", zxingcpp.BarcodeFormat.QRCode).to_image(scale=6)
    page.paste(Image.fromarray(np.array(code)).convert("RGB"), (600, 220))
    ref = await run.bring(page)
    texts = (await run.call("detect_texts", image=ref))["texts"]
    assert [text["text"] for text in texts] == ["Invoice 4711"]
    assert texts[0]["xywh"][0] == pytest.approx(60 / 900, abs=0.02)
    assert 0.5 < texts[0]["confidence"] <= 1
    words = (await run.call("detect_texts", image=ref, level="word"))["texts"]
    assert [word["text"] for word in words] == ["Invoice", "4711"]
    (found,) = (await run.call("detect_barcodes", image=ref))["barcodes"]
    assert (found["data"], found["type"]) == ("https://example.org/r/4711", "QRCode")
    assert found["xywh"][0] > 0.6


async def test_a_template_is_found_where_it_stands(run: Run, square: Image.Image) -> None:
    ref = await run.bring(square)
    small = await run.bring(square.crop((50, 30, 190, 170)))
    (hit,) = (await run.call("find_template", image=ref, template=small, most=1))["matches"]
    assert hit["xywh"] == pytest.approx([50 / 600, 30 / 400, 140 / 600, 140 / 400], abs=0.01)
    assert (await run.call("find_template", image=small, template=ref))["matches"] == []


@pytest.mark.parametrize("name", ["detect_objects", "detect_persons", "detect_logos", "detect_keypoints"])
async def test_what_needs_a_model_says_which_setting_is_missing(run: Run, square: Image.Image, name: str) -> None:
    arguments = {"targets": ["cup"]} if name == "detect_keypoints" else {}
    with pytest.raises(NotConfigured, match="HELIOGRAPH_MODEL_URL"):
        await run.call(name, image=await run.bring(square), **arguments)
    assert "HELIOGRAPH_MODEL_URL" in (tools.REGISTRY[name].needs(run.settings) or "")


@pytest_asyncio.fixture(loop_scope="module")
async def seeing(reader: Reader, tmp_path: Path) -> AsyncIterator[Any]:
    """Makes a run with a model that answers by a script and writes boxes in some way."""
    opened: list[Models] = []

    def make(server: Scripted, coordinates: str = "0-1000", vision: bool = True) -> Run:
        model = ModelSettings(url=server.url, model="scripted", vision=vision, coordinates=coordinates, attempts=1)  # type: ignore[arg-type]
        settings = Settings(data_dir=tmp_path, models={"default": model})
        opened.append(Models(settings))
        return Run(reader, settings, opened[-1], route="default")

    yield make
    for models in opened:
        await models.close()


@pytest.mark.parametrize(
    ("coordinates", "box", "point"),
    [
        ("0-1000", [100, 100, 300, 400], [200, 250]), ("fraction", [0.1, 0.1, 0.3, 0.4], [0.2, 0.25]),
        ("pixels", [60, 40, 180, 160], [120, 100]),
        ("0-1000-yx", [100, 100, 400, 300], [250, 200]),
    ],
)  # fmt: skip
async def test_a_models_boxes_and_points_come_out_of_its_own_way_of_writing_them(
    seeing: Any, square: Image.Image, coordinates: str, box: list[float], point: list[float]
) -> None:
    said = [
        {"found": [{"label": "red square", "box": box}, {"label": "red square", "box": box}]},
        {"found": [{"label": "middle", "point": point}]},
    ]
    async with Scripted(said) as server:
        run = seeing(server, coordinates)
        ref = await run.bring(square)
        found = await run.call("detect_objects", image=ref, targets=["red square"])
        assert "red square" in msgspec.json.encode(server.requests[0].body).decode()
        pointed = await run.call("detect_keypoints", image=ref, targets=["middle"])
    (thing,) = found["detections"]
    assert (thing["label"], thing["confidence"], found["by"]) == ("red square", None, "default")
    assert thing["xywh"] == pytest.approx([0.1, 0.1, 0.2, 0.3], abs=0.01)
    (one,) = pointed["keypoints"]
    assert one["xy"] == pytest.approx([0.2, 0.25], abs=0.01)
    await run.call("visualize_bboxes", image=ref, boxes=found["detections"])
    await run.call("visualize_keypoints", image=ref, keypoints=pointed["keypoints"])


async def test_places_outside_the_picture_are_left_out_with_a_warning(seeing: Any, square: Image.Image) -> None:
    said = {"found": [{"label": "ghost", "box": [1200, 1200, 1300, 1400]}, {"label": "red square", "box": [100, 100, 300, 400]}]}
    async with Scripted([said]) as server:
        run = seeing(server)
        found = await run.call("detect_persons", image=await run.bring(square))
    assert [thing["label"] for thing in found["detections"]] == ["red square"]
    assert any("1 of 2" in warning for warning in found["warnings"])


async def test_a_model_without_eyes_is_not_configured(seeing: Any, square: Image.Image) -> None:
    async with Scripted([], vision=False) as server:
        run = seeing(server, vision=False)
        with pytest.raises(NotConfigured, match="takes no pictures"):
            await run.call("detect_logos", image=await run.bring(square))
        assert server.requests == []


def encoded(picture: Image.Image) -> dict[str, str]:
    sink = io.BytesIO()
    picture.save(sink, "PNG")
    return {"media_type": "image/png", "data": base64.b64encode(sink.getvalue()).decode()}


async def test_a_detector_answers_before_the_model_unless_the_request_names_one(seeing: Any, square: Image.Image) -> None:
    boxes = [{"label": "cup", "xywh": [0.1, 0.1, 0.2, 0.2], "confidence": 0.8}, {"label": "cup", "xywh": [7, 1, 2, 2]}]

    def detect(_request: web.Request, body: Any) -> web.Response:
        assert body["labels"] == ["cup"]
        return web.json_response({"detections": boxes})

    async with Scripted([{"found": [{"label": "cup", "box": [0, 0, 500, 500]}]}]) as server, serving({"/detect": detect}) as url:
        run = seeing(server)
        named = {"mine": ProviderSettings(url=url, does=["detect"]), "qwen-qwen3-vl-8b": ProviderSettings(route="default")}
        run.settings = run.settings.model_copy(update={"providers": named})
        ref = await run.bring(square)
        found = await run.call("detect_objects", image=ref, targets=["cup"])
        assert server.requests == []
        run.providers = ["qwen-qwen3-vl-8b"]
        seen = await run.call("detect_objects", image=ref, targets=["cup"])
    assert [thing["xywh"] for thing in found["detections"]] == [[0.1, 0.1, 0.2, 0.2]]
    assert (found["by"], found["warnings"]) == ("provider", ["1 of 2 boxes were none"])
    assert (seen["by"], seen["detections"][0]["xywh"]) == ("default", [0.0, 0.0, 0.5, 0.5])


async def test_outlines_come_back_as_pictures_that_can_be_drawn(run: Run, square: Image.Image) -> None:
    mask = Image.new("L", square.size, 0)
    mask.paste(255, (60, 40, 180, 160))

    def segment(_request: web.Request, body: Any) -> web.Response:
        assert (body["labels"], body["boxes"]) == ([], [[0.1, 0.1, 0.2, 0.3]])
        return web.json_response({"masks": [{"label": "square", "xywh": [0.1, 0.1, 0.2, 0.3], "mask": encoded(mask)}]})

    ref = await run.bring(square)
    with pytest.raises(NotConfigured, match="segmentation model is needed"):
        await run.call("segment_objects", image=ref, targets=["square"])
    with pytest.raises(InvalidRequest, match="name targets, or give boxes"):
        await run.call("segment_objects", image=ref)
    async with serving({"/segment": segment}) as url:
        run.settings = run.settings.model_copy(update={"providers": {"meta-sam3": ProviderSettings(url=url)}})
        (found,) = (await run.call("segment_objects", image=ref, boxes=[[0.1, 0.1, 0.2, 0.3]]))["masks"]
    tinted = await run.call("visualize_masks", image=ref, masks=[found])
    after = np.asarray(await run.picture(tinted["id"]))
    assert (after[100, 120] != (255, 0, 0)).any()
    assert (after[350, 550] == 255).all()


async def test_a_dark_picture_is_made_lighter(run: Run) -> None:
    ref = await run.bring(Image.new("RGB", (60, 40), (40, 40, 40)))
    made = await run.call("enhance_image", image=ref, brightness=0.8, contrast=0, sharpness=0)
    assert np.asarray(await run.picture(made["id"])).mean() > 80


async def test_an_image_model_enlarges_only_where_the_request_names_it(run: Run, square: Image.Image) -> None:
    def generate(_request: web.Request, body: Any) -> web.Response:
        assert "2 times" in body["prompt"]
        return web.json_response({"made": encoded(Image.new("RGB", (90, 60), "blue"))})

    async with serving({"/generate": generate}) as url:
        run.settings = run.settings.model_copy(update={"providers": {"google-gemini-3-image": ProviderSettings(url=url)}})
        ref = await run.bring(square)
        assert "Lanczos" in (await run.call("super_resolution", image=ref, factor=2))["method"]
        run.providers = ["google-gemini-3-image"]
        made = await run.call("super_resolution", image=ref, factor=2)
    assert made["method"] == "drawn anew by google-gemini-3-image, which may invent details"
    assert (await run.picture(made["id"])).size == (1200, 800)
