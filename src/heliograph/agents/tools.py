"""Tools: functions that a model, a program or the embedded planner calls, each with a name, a group, typed arguments and a docstring.

    @tool("image")
    async def rotate_image(at: Context, image: ImageRef, angle: Annotated[float, Field(description="Degrees, counter-clockwise.")]) -> Made:
        "Turn an image."

The signature is the contract: the JSON Schema of the arguments comes from it, arguments are checked against it before the function runs,
and what it
returns is a struct, sent on as JSON. The docstring is what a model reads.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import msgspec
from pydantic import BaseModel, Field, ValidationError, create_model

from heliograph.agents.task import Toolset
from heliograph.config import Settings
from heliograph.errors import InvalidRequest

if TYPE_CHECKING:
    from heliograph.agents.context import Context

Json = Any
Effect = Literal["none", "reads-outside", "acts-outside"]
"""What a call does beyond its answer: nothing but artifacts, a look at the network, or something that others notice."""

ImageRef = Annotated[str, Field(description="Reference of an image, such as img_a1b2c3.")]
DocumentRef = Annotated[str, Field(description="Reference of a document or an image of one, such as doc_a1b2c3.")]
AnyRef = Annotated[str, Field(description="Reference of an artifact, such as img_a1b2c3, or the name of a file.")]
XYWH = Annotated[
    list[float],
    Field(description="Box [x, y, width, height], fractions 0-1 of the image from its top left.", min_length=4, max_length=4),
]


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact that a tool made, as its answer names it."""

    id: str
    width: int | None = None
    height: int | None = None
    pages: int | None = None
    filename: str | None = None


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A tool. `parameters`: JSON Schema of its arguments, an object. `group`: where programs find it, `vlmrun.<group>.<name>`.

    `needs`: given the settings, what is missing before it can work, as a sentence that names the setting; None when nothing is.
    `idempotent`: whether doing it again after a crash does no harm.
    """

    name: str
    toolset: Toolset
    group: str
    doc: str
    parameters: dict[str, Json]
    run: Callable[..., Awaitable[Json]]
    effect: Effect = "none"
    idempotent: bool = True
    needs: Callable[[Settings], str | None] = field(default=lambda _settings: None)
    arguments: type[BaseModel] = BaseModel

    async def call(self, at: Context, arguments: dict[str, Json]) -> Json:
        """Check the arguments and run. Returns JSON. Raises InvalidRequest, whose sentence a model can mend its call by."""
        try:
            given = self.arguments.model_validate(arguments)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "arguments"
            raise InvalidRequest(f"{self.name}: {where}: {first['msg']}", param=where) from None
        values = {name: getattr(given, name) for name in type(given).model_fields}
        return msgspec.to_builtins(await self.run(at, **values))


REGISTRY: dict[str, Tool] = {}
"""Every tool by name; modules of `toolsets` fill it when they are imported (`toolsets.load`)."""


def tool(
    toolset: Toolset,
    *,
    group: str | None = None,
    name: str | None = None,
    effect: Effect = "none",
    idempotent: bool | None = None,
    needs: Callable[[Settings], str | None] | None = None,
) -> Callable[[Callable[..., Awaitable[Any]]], Callable[..., Awaitable[Any]]]:
    """Registers an async function as a tool. `group` is the toolset's own unless said; `idempotent` holds unless it acts outside."""

    def register(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        arguments = _arguments(function)
        made = Tool(
            name=name or function.__name__,
            toolset=toolset,
            group=group or toolset.replace("-", "_"),
            doc=inspect.getdoc(function) or "",
            parameters=_schema(arguments),
            run=function,
            effect=effect,
            idempotent=effect != "acts-outside" if idempotent is None else idempotent,
            needs=needs or (lambda _settings: None),
            arguments=arguments,
        )
        if made.name in REGISTRY:
            raise ValueError(f"two tools are called {made.name}")
        REGISTRY[made.name] = made
        return function

    return register


def of(toolsets: Iterable[Toolset]) -> list[Tool]:
    """The tools of these toolsets, in the order in which they were registered."""
    wanted = set(toolsets)
    return [found for found in REGISTRY.values() if found.toolset in wanted]


def _arguments(function: Callable[..., Awaitable[Any]]) -> type[BaseModel]:
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], default)
    return create_model(f"{function.__name__}_arguments", __config__={"extra": "forbid"}, **fields)


def _schema(arguments: type[BaseModel]) -> dict[str, Json]:
    schema = arguments.model_json_schema()
    schema.pop("title", None)
    for value in schema.get("properties", {}).values():
        value.pop("title", None)
    return schema
