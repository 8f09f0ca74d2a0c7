"""A tool's signature is its contract."""

from __future__ import annotations

from typing import Annotated, Any, cast

import pytest
from pydantic import Field

from heliograph.agents import tools
from heliograph.agents.context import Context
from heliograph.agents.tools import ImageRef, Made, Tool, tool
from heliograph.errors import InvalidRequest

AT = cast("Context", None)


@pytest.fixture
def turn(monkeypatch: pytest.MonkeyPatch) -> Tool:
    monkeypatch.setattr(tools, "REGISTRY", {})

    @tool("image")
    async def turn_image(at: Context, image: ImageRef, angle: Annotated[float, Field(description="Degrees.", ge=-360)] = 90) -> Made:
        """Turn an image."""
        return Made(id=image, width=int(angle))

    return tools.REGISTRY["turn_image"]


def test_the_schema_of_the_arguments_is_that_of_the_signature(turn: Tool) -> None:
    properties: dict[str, Any] = turn.parameters["properties"]
    assert list(properties) == ["image", "angle"]
    assert properties["angle"] == {"default": 90, "description": "Degrees.", "minimum": -360, "type": "number"}
    assert turn.parameters["required"] == ["image"]
    assert (turn.group, turn.doc, turn.idempotent) == ("image", "Turn an image.", True)


async def test_what_a_tool_returns_is_json(turn: Tool) -> None:
    assert await turn.call(AT, {"image": "img_a1b2c3", "angle": 45}) == {
        "id": "img_a1b2c3", "width": 45, "height": None, "pages": None, "filename": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "where"), [({}, "image"), ({"image": "img_a1b2c3", "angle": "far"}, "angle"), ({"image": "img_a1b2c3", "by": 1}, "by")]
)
async def test_a_wrong_call_says_which_argument_is_wrong(turn: Tool, arguments: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidRequest, match=f"turn_image: {where}") as caught:
        await turn.call(AT, arguments)
    assert caught.value.param == where
