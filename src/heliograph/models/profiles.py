"""What is known of a model, kept between processes: settings first, then what was found, then careful assumptions."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, TypeVar

import msgspec

from heliograph.config import ModelSettings
from heliograph.models.contract import Calling, Dialect, JsonMode, Profile
from heliograph.models.parts import PARTS, Part, Parts
from heliograph.models.servers import HOSTED, Server

log = logging.getLogger(__name__)

T = TypeVar("T")
Source = Literal["set", "probed", "assumed"]

FRESH = 86_400.0
"""Seconds for which what was found is taken as it is."""
AGAIN = 300.0
"""Seconds after which a part that stayed unknown is asked about again."""
TROUBLE = 15.0
"""Seconds for which a server that could not be asked is left alone."""
HOSTED_CONTEXT = 128_000
"""The least context, in tokens, of the models that OpenAI, Google and Anthropic offer for such work (their lists, November 2026)."""
_HELD: tuple[Part, ...] = ("json_schema", "json_object")
DOCUMENTED: Final[Mapping[Dialect, tuple[Part, ...]]] = {
    "vllm": (*_HELD, "logprobs"),
    "sglang": (*_HELD, "logprobs"),
    "llama.cpp": (*_HELD, "logprobs"),
    "ollama": _HELD,
    "openai": _HELD,
}
"""What a server of this kind takes by its documentation, whatever its model: assumed where it was too busy to be asked. Without, a slow
model would be held to JSON by words alone, and a small one answers those with the schema itself."""
JSON_MODES: tuple[JsonMode, ...] = ("json_schema", "tool", "json_object", "prompt")
UNRELIABLE: Final = frozenset({"llama.cpp", "ollama"})
"""Whose small models' native calls are seldom well formed: they are held to JSON of a schema instead."""
NOT_PROBED = {"key", "key_env", "key_file", "price_input", "price_output", "concurrency", "timeout", "idle_timeout", "attempts"}
"""Settings that change nothing about what a server accepts."""


class Found(msgspec.Struct, kw_only=True, frozen=True):
    """What came of asking a server, and when (`at`, seconds of the epoch)."""

    at: float
    server: Server = msgspec.field(default_factory=Server)
    parts: Parts = msgspec.field(default_factory=Parts)

    @property
    def due(self) -> float:
        """When it should be asked again, seconds of the epoch."""
        if self.server.trouble is not None:
            return self.at + TROUBLE
        return self.at + (FRESH if self.parts.complete else AGAIN)


class ProfileCache:
    """What was found, by address, model and settings: a small file each in `folder`, shared by every process that has it.

    A file is replaced whole, so readers see the old one or the new one; one that cannot be read is as good as none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, settings: ModelSettings, url: str | None = None) -> Found | None:
        """What was found last, however long ago. `url`: the address asked, when it is not that of the settings."""
        try:
            return msgspec.json.decode(self._file(settings, url).read_bytes(), type=Found)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None

    def keep(self, found: Found, settings: ModelSettings, url: str | None = None) -> None:
        """Keep what was found; trouble is not kept. A folder that cannot be written to costs later processes a probe, no more."""
        if found.server.trouble is not None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=self.folder, prefix=".", suffix=".json")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(msgspec.json.encode(found))
                Path(draft).replace(self._file(settings, url))
            except OSError:
                Path(draft).unlink(missing_ok=True)
                raise
        except OSError as error:
            log.warning("What a model can do is not kept: %s", error)

    def _file(self, settings: ModelSettings, url: str | None) -> Path:
        told = settings.model_dump(mode="json", exclude=NOT_PROBED) | {"url": url or settings.url}
        return self.folder / f"{hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]}.json"


def profile_of(found: Found | None, settings: ModelSettings) -> Profile:
    """The profile of a model; `known_from` says of each field where it comes from."""
    server, parts = (found.server, found.parts) if found is not None else (Server(), Parts())
    known: dict[str, Source] = {}

    def choose(field: str, wanted: T | None, probed: T | None, assumed: T) -> T:
        known[field] = "set" if wanted is not None else "probed" if probed is not None else "assumed"
        return wanted if wanted is not None else probed if probed is not None else assumed

    def accepts(field: str, part: Part, *, wanted: bool | None = None, assumed: bool = False) -> bool:
        return choose(field, wanted, parts.accepts.get(part), assumed or part in DOCUMENTED.get(server.dialect or "plain", ()))

    dialect: Dialect = choose("dialect", settings.dialect if settings.dialect != "auto" else None, server.dialect, "plain")
    context = choose("context", settings.context, server.context, HOSTED_CONTEXT if dialect in HOSTED else Profile().context)
    output = choose("max_output", settings.max_output, server.max_output, min(Profile().max_output, context // 2))
    most = parts.pictures if parts.accepts.get("images") else None
    wanted = settings.concurrency if "concurrency" in settings.model_fields_set else None
    slots = min(server.slots, settings.concurrency) if server.slots is not None else None
    coordinates = settings.coordinates if settings.coordinates != "auto" else None
    tools = accepts("tools", "tool")
    native: Calling = "native" if tools and dialect not in UNRELIABLE else "schema"
    return Profile(
        vision=accepts("vision", "images", wanted=settings.vision),
        audio=choose("audio", settings.audio, server.audio, False),
        video=choose("video", settings.video, None, False),
        json_modes=_json_modes(settings, parts, server.dialect, known),
        dialect=dialect,
        tools=tools,
        calls=choose("calls", settings.tool_calls if settings.tool_calls != "auto" else None, None, native),
        streaming=accepts("streaming", "streaming", assumed=True),
        logprobs=accepts("logprobs", "logprobs"),
        prefill=accepts("prefill", "prefill"),
        context=context,
        max_output=min(output, context),
        max_pictures=choose("max_pictures", settings.max_pictures, most, Profile().max_pictures),
        longest_side=choose("longest_side", settings.longest_side, None, Profile().longest_side),
        coordinates=choose("coordinates", coordinates, None, "0-1000-yx" if dialect == "gemini" else "0-1000"),
        concurrency=choose("concurrency", wanted, slots, settings.concurrency),
        model=choose("model", settings.model, server.model or None, ""),
        known_from=known,
    )


def _json_modes(settings: ModelSettings, parts: Parts, dialect: Dialect | None, known: dict[str, Source]) -> tuple[JsonMode, ...]:
    """Those accepted, the strongest first; below one that is set, only weaker ones."""
    likely = DOCUMENTED.get(dialect or "plain", ())
    accepted: list[JsonMode] = [mode for mode in JSON_MODES if mode == "prompt" or parts.accepts.get(mode, mode in likely)]
    if settings.json_mode != "auto":
        known["json_modes"] = "set"
        weaker = JSON_MODES[JSON_MODES.index(settings.json_mode) + 1 :]
        return (settings.json_mode, *(mode for mode in accepted if mode in weaker))
    known["json_modes"] = "probed" if all(part in parts.accepts for part in PARTS[:3]) else "assumed"
    return tuple(accepted)
