"""Skills written from a prompt, in a killable child: understanding words takes time with some of them, and models bring packages along.

With a configured model (the one that `vlm-1` leads to) the model writes; without one, or where its answer is no use, the template does,
which the skill's description says.
"""

from __future__ import annotations

import logging
import os
from typing import Any

from heliograph.api._writing import Author
from heliograph.children import ChildPool
from heliograph.config import ModelSettings, Settings
from heliograph.errors import CorruptMedia, MediaLimitExceeded, Unavailable
from heliograph.models.errors import ModelUnavailable
from heliograph.models.routes import Routes
from heliograph.skills.archive import Files

TEMPLATE = 20.0
"""Seconds for the template."""
AROUND = 20.0
"""Seconds for what is done before and after a model is asked."""
MEMORY = 1 << 30
NO_LIMIT = 1 << 45
"""Bytes of address space, where the child may start the server of a GGUF file, which inherits its limit."""
KEPT = 512 << 20
AT_A_TIME = 4
"""Skills that models write at the same time: the child mostly waits."""

log = logging.getLogger(__name__)


class Writer:
    """Children, started by the first skills that are written."""

    def __init__(self, settings: Settings, model: str | None = None) -> None:
        """`wait_timeout` is how long a model may take: as long as other calls that wait for an answer. Raises ModelNotFound.

        `model`: the one that writes, in the place of that which `vlm-1` leads to.
        """
        route = Routes(settings).find(model).name
        self._author = Author(route=route, settings=_told(settings), seconds=settings.wait_timeout) if route is not None else None
        served = any(model.kind == "gguf" for model in settings.routes().values())
        self._pool = ChildPool(
            "heliograph.api._writing",
            size=1 if self._author is None else AT_A_TIME,
            memory=MEMORY if self._author is None else NO_LIMIT if served else 4 * MEMORY,
            most_kept=KEPT,
            recycle_after=settings.child_recycle,
            env=None if self._author is None else os.environ,  # where the keys of models are, and what their clients read
        )

    async def write(
        self, prompt: str, json_schema: dict[str, Any] | None = None, name: str | None = None, *, talk: str | None = None
    ) -> Files:
        """The files of a skill that does what `prompt` says, by their paths in its folder. `json_schema` becomes its schema.json.
        `talk`: the conversation that both were taken from, which a model is shown.

        Raises InvalidRequest for a prompt or schema that is no use, NotConfigured where the model's settings are, Unavailable when the
        skill could not be written for now.
        """
        seconds = TEMPLATE if self._author is None else self._author.seconds + AROUND
        try:
            files, trouble = await self._pool.call(
                "write", prompt, json_schema, name, self._author, talk, timeout=seconds, returns=tuple[Files, str | None]
            )
        except ModelUnavailable as error:
            raise Unavailable(f"The skill was not written, since the model that writes cannot be asked: {error.message}") from None
        except (MediaLimitExceeded, CorruptMedia):
            raise Unavailable("The skill could not be written: the process that does so took too long, or died.") from None
        if trouble is not None:
            log.warning("a skill was written by the template: %s", trouble)
        return files

    async def close(self) -> None:
        """Stop the children."""
        await self._pool.close()


def _told(settings: Settings) -> dict[str, Any]:
    """The settings that a model is asked with, so that the child asks as this process would."""
    told = settings.model_dump(mode="json", include={"data_dir", "offline", "fetch_allow", "fetch_timeout", "cpu_budget"})
    return told | {"models": {route: _revealed(model) for route, model in settings.routes().items()}}


def _revealed(model: ModelSettings) -> dict[str, Any]:
    told = model.model_dump(mode="json", exclude_unset=True)
    return told | ({"key": model.key.get_secret_value()} if model.key is not None else {})
