"""What runs in the child of `writing.py`."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from heliograph.config import Settings
from heliograph.models.errors import ModelUnavailable
from heliograph.skills.archive import Files
from heliograph.skills.writing import draft


class Author(msgspec.Struct, kw_only=True):
    """The model that writes: its route, the settings that it is asked with, and the seconds that it has."""

    route: str
    settings: dict[str, Any]
    seconds: float


def write(
    prompt: str, json_schema: dict[str, Any] | None, name: str | None, author: Author | None, talk: str | None = None
) -> tuple[Files, str | None]:
    """The files of the skill, and why the template wrote them where a model should have.

    Raises InvalidRequest, and ModelUnavailable where the route's settings do not let the embedded engine stand in.
    """
    if author is None:
        return draft(prompt, json_schema, name, talked=talk is not None), None
    return asyncio.run(_asked(prompt, json_schema, name, author, talk))


async def _asked(
    prompt: str, json_schema: dict[str, Any] | None, name: str | None, author: Author, talk: str | None
) -> tuple[Files, str | None]:
    from heliograph.models.serving import Models  # noqa: PLC0415 - not paid for where no model is
    from heliograph.skills.authoring import written  # noqa: PLC0415

    models = Models(Settings(**author.settings))
    try:
        async with asyncio.timeout(author.seconds):
            made = await written(models.backend(author.route), prompt, json_schema, name, talk=talk)
    except TimeoutError:
        trouble = f"The model did not finish within {author.seconds:g} seconds."
        return draft(prompt, json_schema, name, because="the model did not finish in time", talked=talk is not None), trouble
    except ModelUnavailable as error:
        if not models.ends_embedded(author.route):
            raise
        return draft(prompt, json_schema, name, because="the model could not be reached", talked=talk is not None), error.message
    else:
        return made.files, made.trouble
    finally:
        await models.close()
