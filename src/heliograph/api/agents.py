"""Which agent a request means: by its id, its name, or what it is told to do."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.errors import InvalidRequest, NotFound
from heliograph.store import agents
from heliograph.store.agents import LATEST, Agent

Json = Any
LONGEST_NAME = 200
MOST_WORDS = 5
"""Of a prompt in the name that is made of it."""

_NAME = re.compile(r"[A-Za-z0-9][\w .@/-]*")
_WORD = re.compile(r"[a-z0-9]+")
_IDLE = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "by",
        "for",
        "from",
        "in",
        "is",
        "it",
        "its",
        "me",
        "of",
        "on",
        "or",
        "please",
        "that",
        "the",
        "this",
        "to",
        "with",
        "you",
        "your",
    ]
)


class InvalidName(InvalidRequest):
    """This cannot be the name of an agent."""

    status = 400


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent is. `skills`: references, as `config.skills` has them."""

    prompt: str = ""
    json_schema: dict[str, Json] | None = None
    skills: list[dict[str, Json]] = []
    service_tier: str | None = None
    orchestration_mode: bool | None = None
    mode: str | None = None

    @property
    def says_anything(self) -> bool:
        """Whether there is something to do."""
        return bool(self.prompt.strip() or self.json_schema or self.skills)

    @property
    def digest(self) -> str:
        """What two agents share that are the same: SHA-256 of all of it."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()

    @property
    def name(self) -> str:
        """A name made of the prompt's first words, the same for the same prompt."""
        said = self.prompt or " ".join(str(skill.get("skill_id") or skill.get("skill_name") or "") for skill in self.skills) or "schema"
        words = [word for word in _WORD.findall(said[:1000].lower()) if word not in _IDLE][:MOST_WORDS]
        return f"{'-'.join(words)[:60] or 'agent'}-{hashlib.sha256(said.encode()).hexdigest()[:6]}"

    @property
    def description(self) -> str:
        """The prompt's first sentence."""
        first = re.split(r"(?<=[.!?])\s|\n", self.prompt.strip(), maxsplit=1)[0]
        return first if len(first) <= 200 else first[:199].rstrip() + "…"


def definition(agent: Agent) -> Definition:
    """What a stored agent is."""
    config = msgspec.json.decode(agent.config, type=_Config)
    schema = msgspec.json.decode(agent.json_schema) if agent.json_schema else None
    return Definition(
        prompt=agent.prompt, json_schema=schema, skills=config.skills, service_tier=config.service_tier,
        orchestration_mode=config.orchestration_mode, mode=config.mode,
    )  # fmt: skip


async def publish(conn: AsyncConnection, tenant: str, name: str, what: Definition, inputs: Json = None) -> Agent:
    """The version of `name` that is this."""
    config = _Config(
        skills=what.skills, service_tier=what.service_tier, orchestration_mode=what.orchestration_mode, mode=what.mode, inputs=inputs
    )
    return await agents.publish(
        conn, tenant, name, description=what.description, prompt=what.prompt, digest=what.digest,
        json_schema=None if what.json_schema is None else msgspec.json.encode(what.json_schema).decode(),
        config=msgspec.json.encode(config).decode(),
    )  # fmt: skip


async def named(conn: AsyncConnection, tenant: str, asked: str) -> Agent:
    """The agent called `<name>` or `<name>:<version>`. Raises InvalidName and NotFound."""
    name, version = parsed(asked)
    found = await agents.named(conn, tenant, name, version)
    if found is None:
        raise NotFound(f"There is no agent {name[:100]!r}.", param="name")
    return found


def parsed(asked: str) -> tuple[str, str]:
    """The name and the version of `<name>[:<version>]`. Raises InvalidName."""
    name, _, version = asked.strip().partition(":")
    name = name.strip()
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME or (version and not re.fullmatch(r"latest|[0-9]{1,8}", version)):
        raise InvalidName(
            f"{asked[:100]!r} is no name of an agent: <name> or <name>:<version>, the name of letters, digits, spaces and . _ - / @, "
            "the version a number or latest.",
            param="name",
        )
    return name, version or LATEST


class _Config(msgspec.Struct):
    skills: list[dict[str, Json]] = []
    service_tier: str | None = None
    orchestration_mode: bool | None = None
    mode: str | None = None
    inputs: Json = None
