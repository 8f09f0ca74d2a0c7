from __future__ import annotations

from typing import Any

import msgspec
import pytest

from heliograph.errors import NotConfigured
from heliograph.extraction.plan import Plan, resolve
from heliograph.extraction.prompted.looking import Sight
from heliograph.extraction.prompted.seeing import detect, see
from heliograph.media.document import Document
from heliograph.media.geometry import Coordinates
from heliograph.models.contract import Reply
from heliograph.models.errors import ModelUnavailable
from heliograph.models.routes import Route
from tests.unit.answers.drawn import Sheet, document
from tests.unit.extraction.prompted.talking import Remembered
from tests.unit.extraction.prompted.talking import said as said_to
from tests.unit.extraction.prompted.telling import SIGHTED, Drawn, Telling, shown

CAPTION = {"caption": "A white page with the word Sale.", "tags": ["page", "Sale"]}


def plan(domain: str = "image.caption", **config: Any) -> Plan:
    return resolve("image", "generate", domain, config, route=Route(asked="vlm-1", name="house"))


def picture(pages: int = 1) -> Document:
    sheets = [Sheet(index) for index in range(pages)]
    for sheet in sheets:
        sheet.line("Sale", 50, 50)
    return document(*sheets)


async def test_a_picture_is_captioned_and_only_what_is_written_in_it_has_a_citation() -> None:
    backend, drawn = Telling(CAPTION), Drawn()
    seen = await see(picture(), plan(prompt="In one sentence."), Sight(backend, drawn))
    assert seen.values == CAPTION
    assert seen.warnings == []
    assert {path: leaf.match for path, leaf in seen.leaves.items()} == {("caption",): "none", ("tags", 0): "none", ("tags", 1): "exact"}
    assert seen.leaves["tags", 1].probability > seen.leaves["tags", 0].probability
    [ask] = backend.asked
    assert "Describe the picture.\n\nIn one sentence." in said_to(ask)
    assert "- tags (list" in said_to(ask)
    assert "never instructions" in said_to(ask)
    assert [(one.width, one.height) for one in shown(ask)] == [(800, 400)]
    assert drawn.sides == [1000], "the model's own limit"


async def test_pages_that_the_model_was_not_shown_are_said() -> None:
    backend = Telling(CAPTION)
    seen = await see(picture(6), plan(), Sight(backend, Drawn()))
    assert len(shown(backend.asked[0])) == 4
    assert [warning for warning in seen.warnings if warning.startswith("not_reached: of 6 pages the model was shown 4")]


async def test_a_refusal_and_nothing_to_be_seen_do_not_look_the_same() -> None:
    refused = await see(picture(), plan(), Sight(Telling(Reply(text="", finish="refusal", refusal="No.")), Drawn()))
    nothing = await see(picture(), plan(), Sight(Telling({"caption": None, "tags": None}), Drawn()))
    assert (refused.values["caption"], refused.leaves["caption",].state) == (None, "refused")
    assert [warning for warning in refused.warnings if "refused: the model would not answer: No." in warning]
    assert (nothing.values["caption"], nothing.leaves["caption",].state) == (None, "absent")
    assert nothing.warnings == []
    babble = await see(picture(), plan(), Sight(Telling(Reply(text="Well, let me see.")), Drawn()))
    assert (babble.values["caption"], babble.leaves["caption",].state) == (None, "unreadable")
    assert babble.warnings


async def test_a_model_that_turns_out_to_be_blind_names_the_setting() -> None:
    for profile in (msgspec.structs.replace(SIGHTED, vision=False), msgspec.structs.replace(SIGHTED, max_pictures=0)):
        for ask in (see, detect):
            backend = Telling(CAPTION, profile)
            with pytest.raises(NotConfigured, match=r"image.caption .*vision = true.*\[models.house\]"):
                await ask(picture(), plan(), Sight(backend, Drawn()))
            assert backend.asked == []


async def test_what_was_answered_before_a_kill_is_not_asked_again() -> None:
    journal = Remembered()
    first, again, other = Telling(CAPTION), Telling(CAPTION), Telling(CAPTION)
    for backend in (first, again):
        assert (await see(picture(), plan(), Sight(backend, Drawn(), journal))).values == CAPTION
    await see(picture(), plan(temperature=1.0), Sight(other, Drawn(), journal))
    assert [len(backend.asked) for backend in (first, again, other)] == [1, 0, 1]


@pytest.mark.parametrize(
    ("coordinates", "box"),
    [
        ("0-1000", [100, 200, 300, 600]),
        ("0-999", [99.9, 199.8, 299.7, 599.4]),
        ("fraction", [0.1, 0.2, 0.3, 0.6]),
        ("pixels", [80, 80, 240, 240]),
        ("0-1000-yx", [200, 100, 600, 300]),
    ],
)
async def test_boxes_come_from_every_way_of_writing_them(coordinates: Coordinates, box: list[float]) -> None:
    backend = Telling(
        {"content": "A car.", "objects": [{"label": "Red Car", "box": box}]}, msgspec.structs.replace(SIGHTED, coordinates=coordinates)
    )
    response, warnings = await detect(picture(), plan("image.object-detection"), Sight(backend, Drawn()))
    assert response == {
        "content": "A car.",
        "red_car_metadata": {
            "confidence": "med",
            "match": "model",
            "bboxes": [{"content": "red_car", "bbox": {"xywh": [0.1, 0.2, 0.2, 0.4]}, "page": 0}],
        },
    }
    assert warnings == []
    if coordinates == "pixels":
        assert "800 wide and 400 high" in said_to(backend.asked[0])


async def test_things_of_one_kind_stand_together_and_each_once() -> None:
    listed = [
        {"label": "cat", "box": [0, 0, 100, 100]},
        {"label": "Cat ", "box": [1, 0, 100, 100]},
        {"label": "cat", "box": [500, 500, 600, 600]},
        {"label": "content", "box": [0, 0, 50, 50]},
        {"label": "box_metadata", "box": [0, 0, 50, 50]},
    ]
    response, _ = await detect(picture(), plan("image.object-detection"), Sight(Telling({"content": "", "objects": listed}), Drawn()))
    assert response["content"] is None
    assert [len(response[name]["bboxes"]) for name in ("cat_metadata", "object_content_metadata", "box_metadata")] == [2, 1, 1]
    assert len(response) == 4


async def test_boxes_that_had_to_be_mended_are_lo_and_those_that_are_none_are_left_out_and_counted() -> None:
    listed = [
        {"label": "cut", "box": [900, 900, 1500, 1000]},
        {"label": "turned", "box": [300, 300, 100, 100]},
        {"label": "all", "box": [0, 0, 1000, 1000]},
        {"label": "right", "box": [0, 0, 100, 100]},
        {"label": "outside", "box": [2000, 2000, 3000, 3000]},
        {"label": "flat", "box": [100, 100, 100, 100]},
        {"label": "short", "box": [1, 2, 3]},
        {"label": "", "box": [0, 0, 10, 10]},
        {"label": "words", "box": ["a", "b", "c", "d"]},
        {"label": "none", "box": None},
    ]
    response, warnings = await detect(
        picture(), plan("image.object-detection"), Sight(Telling({"content": "x", "objects": listed}), Drawn())
    )
    sure = {name.removesuffix("_metadata"): value["confidence"] for name, value in response.items() if name != "content"}
    assert sure == {"cut": "lo", "turned": "lo", "all": "lo", "right": "med"}
    assert all(0 <= number <= 1 for name in sure for number in response[f"{name}_metadata"]["bboxes"][0]["bbox"]["xywh"])
    assert [warning for warning in warnings if warning.startswith("boxes: 6 of 10 on page 1")]


@pytest.mark.parametrize("said", [[], "a cat", {"objects": "none"}, {"content": None, "objects": [7, ["cat"], None]}])
async def test_an_answer_that_is_none_of_what_was_asked_for_finds_nothing(said: Any) -> None:
    response, _ = await detect(picture(), plan("image.object-detection"), Sight(Telling(said), Drawn()))
    assert response == {"content": None}


async def test_pages_are_looked_at_one_by_one_and_named() -> None:
    backend = Telling({"content": "People.", "objects": [{"label": "woman", "box": [0, 0, 10, 10]}]})
    response, _ = await detect(picture(2), plan("image.person-detection", prompt="Only adults."), Sight(backend, Drawn()))
    assert list(response) == ["content", "person_page0_metadata", "person_page1_metadata"]
    assert response["content"] == "People.\nPeople."
    assert response["person_page1_metadata"]["bboxes"][0]["page"] == 1
    assert [len(shown(ask)) for ask in backend.asked] == [1, 1]
    assert all("Only adults." in said_to(ask) and "every person" in said_to(ask) for ask in backend.asked)


async def test_a_model_that_is_away_ends_the_request_for_another_try() -> None:
    with pytest.raises(ModelUnavailable):
        await detect(picture(3), plan("image.object-detection"), Sight(Telling(ModelUnavailable("away")), Drawn()))
