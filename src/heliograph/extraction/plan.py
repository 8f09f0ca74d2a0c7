"""From what a request asks to what shall be done: every option decided once, at submit, before any work.

`resolve` takes a request's domain and `config` and gives a `Plan`, or raises with a sentence. Where the schema comes from, first
match wins: `config.json_schema`, `config.gql_stmt` (a selection from the domain's schema, else the skills'), the skills, the domain.

What becomes of each option of `config` (docs/reference/options.md has the same table):

- implemented: `prompt`, `detail`, `json_schema`, `skills`, `gql_stmt`, `confidence`, `grounding`, `page_indices`,
  `use_context_cache`, `service_tier`;
- for the model that answers, without effect where that is the embedded engine: `max_retries`, `max_tokens`, `temperature`;
- a warning when set, since they belong to video: `keyframes`, `video_*`, `chat_context`;
- unknown options: a warning that names them.

Null is absent, everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, cast

import msgspec

from heliograph.errors import InvalidRequest, NotConfigured
from heliograph.extraction import domains, gql
from heliograph.extraction.domains import Domain
from heliograph.extraction.schema import Schema, compile_schema
from heliograph.models.routes import EXTRACTOR, Route

Kind = Literal["document", "image", "audio", "video"]
Operation = Literal["generate", "execute", "schema"]
Mode = Literal["extract", "markdown", "layout", "detect", "propose", "redact", "replace"]
Detail = Literal["auto", "hi", "lo"]
Tier = Literal["standard", "flex", "priority"]
SchemaSource = Literal["json_schema", "gql_stmt", "skill", "domain", "instructions", "document"]
"""Where a plan's schema was found. `instructions`: derived from a skill's text. `document`: to be proposed from the file itself."""

Positive = Annotated[int, msgspec.Meta(ge=1)]


class SkillUse(msgspec.Struct, frozen=True, kw_only=True):
    """Which skill a request used, so that it can be repeated. An inline skill has no id and no version."""

    name: str
    version: str | None = None
    hash: str
    """SHA-256 of its content, hexadecimal."""
    id: str | None = None


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A document with its right answer, from a skill's `resources/`: its text, or where the file stands in the skill's package."""

    answer: Any
    text: str | None = None
    package: str | None = None
    """The hash of the package that holds the file."""
    path: str | None = None
    """The file within the package."""
    choice: str | None = None
    """Which of the skill's several schemas the answer is in."""


class Skill(msgspec.Struct, kw_only=True):
    """What a skill brings to a request. `derived`: it had no schema.json, and `schema` was read from its text."""

    name: str
    prompt: str
    description: str | None = None
    schema: dict[str, Any] | None = None
    choices: dict[str, dict[str, Any]] = {}
    """The schemas of a skill that has several, by name (`schemas/<name>.json`): each document is answered in the one that fits it."""
    derived: bool = False
    examples: list[Example] = []
    model: str | None = None
    """The model that it was made for (`vlmrun.yaml`)."""
    use: SkillUse | None = None
    """What is recorded of it with the prediction."""


SkillReader = Callable[[dict[str, Any]], Skill]
"""Turns one item of `config.skills` into a `Skill`; raises InvalidRequest, NotFound or NotConfigured."""
Finder = Callable[[str | None], Route]
"""Finds who answers a request; is given the model of its first skill, which counts where the request names none."""


class Plan(msgspec.Struct, kw_only=True, frozen=True):
    """What shall be done with the files of a request. Keeps well as JSON; `schema` keeps its order.

    `schema` is None only where `schema_from` is `document`, or where there are `choices`. `page_indices` ascend without repeats; None is
    all pages.
    """

    kind: Literal["document", "image"]
    operation: Operation
    mode: Mode
    domain: str | None = None
    schema: dict[str, Any] | None = None
    schema_from: SchemaSource = "document"
    choices: dict[str, dict[str, Any]] = {}
    """Schemas by name, of which the document decides."""
    instructions: str | None = None
    examples: list[Example] = []
    skills: list[SkillUse] = []
    detail: Detail = "auto"
    page_indices: list[int] | None = None
    grounding: bool = False
    confidence: bool = False
    strict: bool = False
    cache: bool = True
    service_tier: Tier = "standard"
    model: str = EXTRACTOR
    """The model's name as it was asked for."""
    route: str | None = None
    """The configured model that answers; None is the embedded engine."""
    vision: bool = False
    """Whether only a model that takes pictures can answer."""
    temperature: float = 0.0
    max_tokens: int = 65_535
    max_retries: int = 1
    warnings: list[str] = []

    def check_pages(self, page_count: int) -> None:
        """Raise `InvalidRequest` when a page is asked for that a file of `page_count` pages does not have."""
        if self.page_indices and self.page_indices[-1] >= page_count:
            beyond = [index for index in self.page_indices if index >= page_count]
            pages = f"{page_count} pages, 0 to {page_count - 1}" if page_count != 1 else "one page, 0"
            raise InvalidRequest(f"page_indices asks for page {beyond[0]}, but there is only {pages}.", param="config.page_indices")


class _Config(msgspec.Struct):
    """GenerationConfig, typed. Null was taken out before."""

    prompt: str | None = None
    detail: Detail = "auto"
    json_schema: dict[str, Any] | None = None
    skills: list[dict[str, Any]] = []
    gql_stmt: str | None = None
    max_retries: int = 1
    max_tokens: int = 65535
    temperature: float = 0.0
    confidence: bool = False
    grounding: bool = False
    keyframes: bool = False
    video_segment_duration: Annotated[float, msgspec.Meta(ge=1)] | None = None
    video_frames_per_segment: Positive | None = None
    video_model: str | None = None
    video_input_mode: Literal["frames", "native_video"] | None = None
    video_transcribe_audio: bool = False
    chat_context: str | None = None
    page_indices: list[int] | None = None
    use_context_cache: bool = True
    service_tier: Literal["auto", "default", "standard", "flex", "priority"] = "auto"


_OF_VIDEO = (
    "keyframes", "video_segment_duration", "video_frames_per_segment", "video_model", "video_input_mode", "video_transcribe_audio",
    "chat_context",
)  # fmt: skip
_FOUR_WAYS = (
    "Say what to extract in one of four ways: a domain, config.json_schema, config.skills, or config.gql_stmt beside a domain or skill."
)
_MAX_SKILLS = 16
_MAX_PROMPT = 200_000


def resolve(
    kind: Kind,
    operation: Operation = "generate",
    domain: str | None = None,
    config: dict[str, Any] | None = None,
    *,
    skills: SkillReader | None = None,
    route: Route | Finder | None = None,
) -> Plan:
    """Decide everything about a request that can be decided without its file.

    `route`: who answers (`models.routes`), or finds it; the embedded engine when not given.
    `domain` is the request's domain; for `execute` its `name`, which is a domain, else a skill. `skills` reads the items of
    `config.skills` (`heliograph.skills.reader`). Raises `InvalidRequest`, `NotConfigured`, `NotFound` or `ModelNotFound`, with the
    parameter at fault.
    """
    if kind in ("audio", "video"):
        raise NotConfigured(f"Heliograph does not read {kind} yet; documents and images work.")
    asked, warnings = _config(config or {})
    plan = Plan(
        kind=kind,
        operation=operation,
        mode="propose",
        detail=asked.detail,
        page_indices=_pages(asked.page_indices, warnings),
        grounding=asked.grounding,
        confidence=asked.confidence,
        cache=asked.use_context_cache,
        service_tier="standard" if asked.service_tier in ("auto", "default") else asked.service_tier,
        temperature=asked.temperature,
        max_tokens=asked.max_tokens,
        max_retries=asked.max_retries,
        warnings=warnings,
    )
    if operation == "schema":
        return _routed(msgspec.structs.replace(plan, instructions=_instructions(None, [], asked.prompt)), _route(route, []))

    found, attached = _domain(domain, operation, asked.skills, skills)
    answering = _route(route, attached)
    plan = _routed(plan, answering)
    if found is None and not attached and asked.json_schema is None:
        raise InvalidRequest(_FOUR_WAYS, param="domain")
    schema, source, strict = _schema(asked, found, attached, warnings)
    mode: Mode = "extract"
    if found is not None and source == "domain":
        mode = found.mode
        if found.note:
            warnings.append(found.note)
    if found is not None and source in ("domain", "gql_stmt"):
        _check_able(found, answering, warnings)
    if mode == "markdown" and (asked.grounding or asked.confidence):
        warnings.append("markdown carries its own boxes: grounding and confidence have no effect on it")
    if mode in ("redact", "replace") and (asked.grounding or asked.confidence):
        warnings.append("the report says where each finding is: grounding and confidence have no effect on it")
    return msgspec.structs.replace(
        plan,
        mode=mode,
        vision=found is not None and found.vision == "needed" and source in ("domain", "gql_stmt"),
        domain=found.domain if found else None,
        schema=schema,
        schema_from=source,
        strict=strict,
        instructions=_instructions(found, attached, asked.prompt),
    )


def _route(route: Route | Finder | None, skills: Sequence[Skill]) -> Route:
    if route is None:
        return Route(asked=EXTRACTOR)
    return route if isinstance(route, Route) else route(skills[0].model if skills else None)


def _routed(plan: Plan, route: Route) -> Plan:
    return msgspec.structs.replace(plan, model=route.asked, route=route.name)


def _check_able(domain: Domain, route: Route, warnings: list[str]) -> None:
    """Raise NotConfigured when this server, or the model that answers, certainly cannot do what `domain` asks for."""
    if domain.needs:
        raise NotConfigured(f"{domain.domain} {domain.needs}.", param="domain")
    if domain.vision is None:
        return
    if route.name is None:
        lacking = "needs a vision model, and none answers here: set HELIOGRAPH_MODEL_URL, or add [models.<route>] to heliograph.toml"
    elif route.vision is False:
        lacking = f"needs a vision model, and [models.{route.name}] says vision = false"
    else:
        return
    if domain.vision == "needed":
        written = "Text and barcodes are read without one: ask for them with config.json_schema."
        raise NotConfigured(f"{domain.domain} asks for what a picture shows. That {lacking}. {written}", param="domain")
    warnings.append(f"{domain.domain} asks for what a picture shows too: only what is written in it is answered. The rest {lacking}")


def schema_of(
    domain: str | None, config: dict[str, Any] | None, *, skills: SkillReader | None = None
) -> tuple[Domain | None, dict[str, Any]]:
    """The schema that a request with this domain and config would answer in, for `POST /v1/schema`. Raises as `resolve`."""
    asked, warnings = _config(config or {})
    found, attached = _domain(domain, "generate", asked.skills, skills)
    if found is None and not attached and asked.json_schema is None:
        raise InvalidRequest(_FOUR_WAYS, param="domain")
    schema, _, _ = _schema(asked, found, attached, warnings)
    if schema is None:
        raise InvalidRequest(
            "The skills bring no schema: it is made from each file. Ask POST /v1/document/schema with a file.", param="config.skills"
        )
    return found, schema


def _config(config: dict[str, Any]) -> tuple[_Config, list[str]]:
    known = set(_Config.__struct_fields__)
    given = {key: value for key, value in config.items() if value is not None}
    try:
        asked = msgspec.convert({key: value for key, value in given.items() if key in known}, _Config)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        where = f"config{path.rstrip('`')}"
        raise InvalidRequest(f"{where}: {message}.", param=where) from None
    if asked.prompt and len(asked.prompt) > _MAX_PROMPT:
        raise InvalidRequest(f"config.prompt is longer than {_MAX_PROMPT} characters.", param="config.prompt")
    warnings = [f"config.{name} is about video and has no effect here" for name in _OF_VIDEO if getattr(asked, name) not in (None, False)]
    unknown = sorted(key[:50] for key in given if key not in known)
    warnings += [f"config.{name} is not an option and has no effect" for name in unknown[:10]]
    return asked, warnings


def _pages(indices: list[int] | None, warnings: list[str]) -> list[int] | None:
    if indices is None:
        return None
    if not indices:
        raise InvalidRequest("page_indices is empty; leave it out for all pages.", param="config.page_indices")
    if min(indices) < 0:
        raise InvalidRequest(f"page_indices counts from 0 and has no page {min(indices)}.", param="config.page_indices")
    unique = sorted(set(indices))
    if len(unique) < len(indices):
        warnings.append("page_indices names a page twice; it is read once")
    return unique


def _domain(
    name: str | None, operation: Operation, attachments: list[dict[str, Any]], reader: SkillReader | None
) -> tuple[Domain | None, list[Skill]]:
    if len(attachments) > _MAX_SKILLS:
        raise InvalidRequest(f"config.skills holds more than {_MAX_SKILLS} skills.", param="config.skills")
    if attachments and reader is None:
        raise NotConfigured("This server cannot read skills here; give a domain or config.json_schema.", param="config.skills")
    attached = [reader(item) for item in attachments] if reader else []
    if not name:
        return None, attached
    if name.startswith(("audio.", "video.")):
        raise NotConfigured(f"{name[:100]} reads {name[:5]}, which Heliograph does not do yet; documents and images work.", param="domain")
    try:
        return domains.find(name), attached
    except InvalidRequest:
        if operation == "execute" and reader is not None:
            return None, [reader({"type": "skill_reference", "skill_id": name}), *attached]
        raise


def _schema(
    asked: _Config, domain: Domain | None, skills: Sequence[Skill], warnings: list[str]
) -> tuple[dict[str, Any] | None, SchemaSource, bool]:
    """The schema to answer in, where it came from, and whether a missing required value is a failure."""
    own = [skill for skill in skills if skill.schema is not None]
    full = [skill for skill in own if not skill.derived]
    if asked.json_schema is not None:
        schema, strict = _unwrap(asked.json_schema)
        if asked.gql_stmt:
            warnings.append("gql_stmt has no effect beside json_schema")
        warnings += _compiled(schema, "config.json_schema").warnings
        return schema, "json_schema", strict
    if asked.gql_stmt is not None:
        base = domain.json_schema if domain else _merge(own) if own else None
        if base is None:
            raise InvalidRequest("gql_stmt selects fields of a schema: give a domain, or a skill that has one.", param="config.gql_stmt")
        if domain is None:
            _compiled(base, "config.skills")
        if domain and domain.mode in ("redact", "replace"):
            raise InvalidRequest(
                f"{domain.domain} answers a copy and its report, of which gql_stmt cannot select.", param="config.gql_stmt"
            )
        selected = gql.select(base, asked.gql_stmt)
        warnings += _compiled(selected, "config.gql_stmt").warnings
        return selected, "gql_stmt", False
    if full or (own and domain is None):
        schema = _merge(full or own)
        warnings += _compiled(schema, "config.skills").warnings
        if not full:
            warnings.append("schema_derived: no skill has a schema.json; the fields were read from the skill's text")
        return schema, "skill" if full else "instructions", False
    if domain is not None:
        return domain.json_schema, "domain", False
    warnings.append("schema_derived: no skill has a schema.json or names fields in its text; the fields were found in the document")
    return None, "document", False


def _compiled(schema: dict[str, Any], param: str) -> Schema:
    """The compiled schema; what is wrong with it is the fault of `param`."""
    try:
        return compile_schema(schema)
    except InvalidRequest as error:
        error.param = param
        raise


def _unwrap(schema: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """A bare schema, or one in OpenAI's envelope `{name, schema, strict}`, as clients that know that API send it."""
    inner = schema.get("schema")
    if isinstance(inner, dict) and not schema.keys() & {"type", "properties", "$ref", "anyOf", "allOf", "oneOf", "enum"}:
        return cast("dict[str, Any]", inner), schema.get("strict") is True
    if schema.get("type") == "json_schema":
        inner = schema.get("json_schema", inner)
        if isinstance(inner, dict):
            bare, strict = _unwrap(cast("dict[str, Any]", inner))
            return bare, strict or schema.get("strict") is True
    return schema, False


def _merge(skills: Sequence[Skill]) -> dict[str, Any]:
    """One object schema with the fields of all; a later skill's field of the same name must be the same."""
    schemas = [cast("dict[str, Any]", skill.schema) for skill in skills]
    if len(schemas) == 1:
        return schemas[0]
    properties: dict[str, Any] = {}
    required: list[str] = []
    definitions: dict[str, Any] = {}
    for number, (skill, original) in enumerate(zip(skills, schemas, strict=True)):
        if "properties" not in original:
            raise InvalidRequest(f"The schema of skill {skill.name} has no properties to combine with others.", param="config.skills")
        clashing = [name for name, part in original.get("$defs", {}).items() if definitions.get(name, part) != part]
        renamed = {f"#/$defs/{name}": f"#/$defs/{name}_{number}" for name in clashing}
        schema = cast("dict[str, Any]", _rename(original, renamed))
        for name, part in schema.get("$defs", {}).items():
            definitions[f"{name}_{number}" if name in clashing else name] = part
        for name, field in schema["properties"].items():
            if properties.setdefault(name, field) != field:
                raise InvalidRequest(f"Skill {skill.name} defines field {name} otherwise than a skill before it.", param="config.skills")
        required += [name for name in schema.get("required", []) if name not in required]
    merged: dict[str, Any] = {"type": "object", "properties": properties}
    return {**merged, **({"required": required} if required else {}), **({"$defs": definitions} if definitions else {})}


def _rename(node: object, references: dict[str, str]) -> object:
    if isinstance(node, dict):
        items = cast("dict[str, object]", node).items()
        return {k: references.get(v, v) if k == "$ref" and isinstance(v, str) else _rename(v, references) for k, v in items}
    return [_rename(item, references) for item in cast("list[object]", node)] if isinstance(node, list) else node


def _instructions(domain: Domain | None, skills: Sequence[Skill], prompt: str | None) -> str | None:
    """Prompts in their order: the domain's, the skills', the request's own."""
    parts = [domain.prompt if domain else None, *(skill.prompt for skill in skills), prompt]
    return "\n\n".join(part.strip() for part in parts if part and part.strip()) or None
