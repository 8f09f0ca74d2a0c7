"""From what a request asks to what shall be done: every option decided once, at submit, before any work.

`resolve` takes a request's domain and `config` and gives a `Plan`, or raises with a sentence. Where the schema comes from, first
match wins: `config.json_schema`, `config.gql_stmt` (a selection from the domain's schema, else the skills'), the skills, the domain.
The schemas of several skills are one (`merging`); a skill that has several of its own gives `choices` instead, of which the document
decides.

What becomes of each option of `config` (docs/reference/options.md has the same table):

- implemented: `prompt`, `detail`, `json_schema`, `skills`, `gql_stmt`, `confidence`, `grounding`, `page_indices`,
  `use_context_cache`, `service_tier`;
- for the model that answers, without effect where that is the embedded engine: `max_retries`, `max_tokens`, `temperature`;
- of recordings: `language`, `diarization`; of those that have pictures: `keyframes`, `video_*`, `chat_context`. A warning elsewhere, as
  `page_indices` gets with a recording;
- unknown options: a warning that names them.

Null is absent, everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any, Literal, cast

import msgspec

from heliograph.errors import InvalidRequest, NotConfigured, NotFound, UnsupportedMedia
from heliograph.extraction import domains, gql
from heliograph.extraction.domains import Domain
from heliograph.extraction.envelopes import enveloped
from heliograph.extraction.fitting import fitted
from heliograph.extraction.merging import merge
from heliograph.extraction.options import Detail, Options, Recorded, bare_schema, options, pages, recorded
from heliograph.extraction.schema import Schema, compile_schema
from heliograph.media.recording import Recording
from heliograph.models.errors import ModelNotFound
from heliograph.models.routes import EXTRACTOR, Route

Kind = Literal["document", "image", "audio", "video"]
Operation = Literal["generate", "execute", "schema"]
Mode = Literal["extract", "markdown", "layout", "detect", "propose", "redact", "replace", "transcribe"]
Tier = Literal["standard", "flex", "priority"]
SchemaSource = Literal["json_schema", "gql_stmt", "skill", "domain", "instructions", "document"]
"""Where a plan's schema was found. `instructions`: derived from a skill's text. `document`: to be proposed from the file itself."""


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
    warnings: list[str] = []


SkillReader = Callable[[dict[str, Any]], Skill]
"""Turns one item of `config.skills` into a `Skill`; raises InvalidRequest, NotFound or NotConfigured."""
Finder = Callable[[str | None], Route]
"""Finds who answers a request; is given the model of its first skill, which counts where the request names none."""
Named = Callable[[str], Route]
"""Finds whom a model's name leads to; raises ModelNotFound."""


class Plan(msgspec.Struct, kw_only=True, frozen=True):
    """What shall be done with the files of a request. Keeps well as JSON; `schema` keeps its order.

    `schema` is None only where `schema_from` is `document`, or where there are `choices`. `page_indices` ascend without repeats; None is
    all pages.
    """

    kind: Kind
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
    recorded: Recorded | None = None
    """What is decided about a recording; None for other kinds."""
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

    def check_recording(self, recording: Recording) -> None:
        """Raise `UnsupportedMedia` when moving pictures are asked about and `recording` has none."""
        if self.kind == "video" and recording.video is None:
            raise UnsupportedMedia("This file has sound and no moving pictures; send it to `/audio/generate`.")


_FOUR_WAYS = (
    "Say what to extract in one of four ways: a domain, config.json_schema, config.skills, or config.gql_stmt beside a domain or skill."
)
_MAX_SKILLS = 16
MAX_EXAMPLES = 16
"""Examples of all skills of a request together; more skills give fewer each."""


def resolve(
    kind: Kind,
    operation: Operation = "generate",
    domain: str | None = None,
    config: dict[str, Any] | None = None,
    *,
    version: int | str = "latest",
    skills: SkillReader | None = None,
    route: Route | Finder | None = None,
    named: Named | None = None,
) -> Plan:
    """Decide everything about a request that can be decided without its file.

    `route`: who answers (`models.routes`), or finds it; the embedded engine when not given. `named`: finds the model that captions video.
    `domain` is the request's domain; for `execute` its `name`, which is a domain, else a skill of that `version`. `skills` reads the
    items of `config.skills` (`heliograph.skills.reader`). Raises `InvalidRequest`, `NotConfigured`, `NotFound` or `ModelNotFound`, with the
    parameter at fault.
    """
    recording = kind in ("audio", "video")
    asked, warnings = options(config or {}, kind if kind in ("audio", "video") else "pages")
    plan = Plan(
        kind=kind,
        operation=operation,
        mode="propose",
        detail=asked.detail,
        page_indices=None if recording else pages(asked.page_indices, warnings),
        recorded=_recorded(asked, kind, named, warnings) if recording else None,
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

    found, attached = _domain(domain, operation, version, asked.skills, skills)
    answering = _route(route, attached)
    plan = _routed(plan, answering)
    warnings += [warning for skill in attached for warning in skill.warnings]
    if found is None and not attached and asked.json_schema is None:
        raise InvalidRequest(_FOUR_WAYS, param="domain")
    if found is not None:
        _check_medium(found, kind)
    wanted = _wanted(asked, found, attached, warnings)
    source = wanted.source
    mode: Mode = "extract"
    if found is not None and (source == "domain" or (source == "gql_stmt" and found.mode == "transcribe")):
        mode = found.mode
        if found.note and source == "domain":
            warnings.append(found.note)
    if found is not None and source in ("domain", "gql_stmt"):
        _check_able(found, answering, warnings)
    if mode == "markdown" and (asked.grounding or asked.confidence):
        warnings.append("markdown carries its own boxes: grounding and confidence have no effect on it")
    if mode == "transcribe" and (asked.grounding or asked.confidence):
        warnings.append("a transcript carries its own times and scores: grounding and confidence have no effect on it")
    if mode in ("redact", "replace") and (asked.grounding or asked.confidence):
        warnings.append("the report says where each finding is: grounding and confidence have no effect on it")
    return msgspec.structs.replace(
        plan,
        mode=mode,
        vision=found is not None and found.vision == "needed" and source in ("domain", "gql_stmt"),
        domain=found.domain if found else None,
        schema=wanted.schema,
        schema_from=source,
        choices=wanted.choices,
        strict=wanted.strict,
        instructions=_instructions(found, attached, asked.prompt),
        examples=_examples(attached, wanted) if mode == "extract" else [],
        skills=[skill.use for skill in attached if skill.use is not None],
    )


def _route(route: Route | Finder | None, skills: Sequence[Skill]) -> Route:
    if route is None:
        return Route(asked=EXTRACTOR)
    return route if isinstance(route, Route) else route(skills[0].model if skills else None)


def _routed(plan: Plan, route: Route) -> Plan:
    return msgspec.structs.replace(plan, model=route.asked, route=route.name)


def _recorded(asked: Options, kind: Kind, named: Named | None, warnings: list[str]) -> Recorded:
    """What is decided about a recording. Raises InvalidRequest and ModelNotFound."""
    decided = recorded(asked)
    if kind != "video" or decided.video_model is None:
        return decided
    if named is None:
        warnings.append("config.video_model has no effect here: the model of the request captions")
        return decided
    try:
        return msgspec.structs.replace(decided, video_route=named(decided.video_model).name)
    except ModelNotFound as error:
        error.param = "config.video_model"
        raise


_MEDIA: dict[Kind, tuple[frozenset[str], str]] = {
    "document": (frozenset(("document", "image")), "documents and images"),
    "image": (frozenset(("document", "image")), "documents and images"),
    "audio": (frozenset(("audio",)), "sound"),
    "video": (frozenset(("video",)), "video"),
}
"""By a route's kind: what a domain must take to be asked for there, and what that is called."""


def _check_medium(domain: Domain, kind: Kind) -> None:
    """Raise InvalidRequest when `domain` is about another medium than the route's, naming what there is for this one, and where to go."""
    able, called = _MEDIA[kind]
    if not able.isdisjoint(domain.supported_inputs):
        return
    elsewhere = " or ".join(f"/v1/{medium}" for medium in domain.supported_inputs)
    there = [name for name, other in domains.catalog().items() if not able.isdisjoint(other.supported_inputs)]
    fitting = f" Domains of {called}: {', '.join(there)}." if kind in ("audio", "video") else ""
    raise InvalidRequest(f"{domain.domain} is not about {called}: ask for it at {elsewhere}.{fitting}", param="domain")


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
    asked, warnings = options(config or {})
    found, attached = _domain(domain, "generate", "latest", asked.skills, skills)
    if found is None and not attached and asked.json_schema is None:
        raise InvalidRequest(_FOUR_WAYS, param="domain")
    wanted = _wanted(asked, found, attached, warnings)
    if wanted.choices:
        return found, enveloped(wanted.choices, wanted.schema)
    if wanted.schema is None:
        raise InvalidRequest(
            "The skills bring no schema: it is made from each file. Ask POST /v1/document/schema with a file.", param="config.skills"
        )
    return found, wanted.schema


def _domain(
    name: str | None, operation: Operation, version: int | str, attachments: list[dict[str, Any]], reader: SkillReader | None
) -> tuple[Domain | None, list[Skill]]:
    """The domain, and the skills, each once: that of `execute`'s name first, then those of the config in their order."""
    if len(attachments) > _MAX_SKILLS:
        raise InvalidRequest(f"config.skills holds more than {_MAX_SKILLS} skills.", param="config.skills")
    if attachments and reader is None:
        raise NotConfigured("This server cannot read skills here; give a domain or config.json_schema.", param="config.skills")
    items = [*attachments]
    found = None
    if name:
        if is_skill(name, operation) and reader is not None:
            items.insert(0, {"type": "skill_reference", "skill_id": name, "skill_version": version})  # `attach.named`
        else:
            found = domains.find(name)
            if operation == "execute" and version != "latest":
                raise NotFound(f"There is no version {str(version)[:50]!r} of {name[:100]!r}; only 'latest'.", param="version")
    return found, _each_once([reader(item) for item in items] if reader else [])


def is_skill(name: str, operation: Operation) -> bool:
    """Whether `name` can only be a skill's: it stands in `execute`, and there is no such domain."""
    if operation != "execute":
        return False
    try:
        domains.find(name)
    except InvalidRequest:
        return True
    return False


def _each_once(skills: Sequence[Skill]) -> list[Skill]:
    known: set[SkillUse] = set()
    kept: list[Skill] = []
    for skill in skills:
        if skill.use is None or skill.use not in known:
            kept.append(skill)
        if skill.use is not None:
            known.add(skill.use)
    return kept


class _Wanted(msgspec.Struct, kw_only=True):
    """The schema to answer in, or several; where it came from; and whether a missing required value is a failure."""

    schema: dict[str, Any] | None
    source: SchemaSource
    choices: dict[str, dict[str, Any]] = {}
    strict: bool = False
    compiled: Schema | None = None
    """The schema, where it is another than that which the skills' examples were checked against."""


def _wanted(asked: Options, domain: Domain | None, skills: Sequence[Skill], warnings: list[str]) -> _Wanted:
    own = [skill for skill in skills if skill.schema is not None or skill.choices]
    full = [skill for skill in own if not skill.derived]
    if asked.json_schema is not None:
        schema, strict = bare_schema(asked.json_schema)
        if asked.gql_stmt:
            warnings.append("gql_stmt has no effect beside json_schema")
        compiled = _compiled(schema, "config.json_schema")
        warnings += compiled.warnings
        return _Wanted(schema=schema, source="json_schema", strict=strict, compiled=compiled)
    if asked.gql_stmt is not None:
        selected = gql.select(_selectable(domain, full or own), asked.gql_stmt)
        compiled = _compiled(selected, "config.gql_stmt")
        warnings += compiled.warnings
        return _Wanted(schema=selected, source="gql_stmt", compiled=compiled)
    if full or (own and domain is None):
        return _of_skills(skills, full or own, warnings)
    if domain is not None:
        return _Wanted(schema=domain.json_schema, source="domain", compiled=_compiled(domain.json_schema, "domain") if own else None)
    warnings.append("schema_derived: no skill has a schema.json or names fields in its text; the fields were found in the document")
    return _Wanted(schema=None, source="document")


def _selectable(domain: Domain | None, own: Sequence[Skill]) -> dict[str, Any]:
    """The schema that gql_stmt selects from."""
    if domain is not None:
        if domain.mode in ("redact", "replace"):
            raise InvalidRequest(
                f"{domain.domain} answers a copy and its report, of which gql_stmt cannot select.", param="config.gql_stmt"
            )
        return domain.json_schema
    if not own:
        raise InvalidRequest("gql_stmt selects fields of a schema: give a domain, or a skill that has one.", param="config.gql_stmt")
    several = next((skill for skill in own if skill.choices), None)
    if several is not None:
        raise InvalidRequest(
            f"Skill {several.name} has several schemas ({', '.join(several.choices)}), and gql_stmt selects from one: "
            "leave it out, or say the whole schema with config.json_schema.",
            param="config.gql_stmt",
        )
    merged = _merged(own)
    _compiled(merged, "config.skills")
    return merged


def _of_skills(skills: Sequence[Skill], own: Sequence[Skill], warnings: list[str]) -> _Wanted:
    """What `own`, those of `skills` that have a say in it, want: one schema, or the choices of the only skill."""
    derived = all(skill.derived for skill in own)
    if several := next((skill for skill in own if skill.choices), None):
        if len(skills) > 1:
            others = ", ".join(skill.name for skill in skills if skill is not several)
            raise InvalidRequest(
                f"Skill {several.name} has several schemas, of which each document decides: it cannot be combined with {others}.",
                param="config.skills",
            )
        for name, schema in several.choices.items():
            warnings += [f"schemas/{name}.json: {warning}" for warning in _compiled(schema, "config.skills").warnings]
        if several.schema is not None:
            warnings += _compiled(several.schema, "config.skills").warnings
        return _Wanted(schema=several.schema, source="skill", choices=several.choices)
    schema = _merged(own)
    compiled = _compiled(schema, "config.skills")
    warnings += compiled.warnings
    if unheard := [skill.name for skill in skills if skill.derived and not derived]:
        warnings.append(f"the fields that the text of {', '.join(unheard)} names are left out: only skills with a schema.json are merged")
    if derived:
        warnings.append("schema_derived: no skill has a schema.json; the fields were read from the skill's text")
    return _Wanted(schema=schema, source="instructions" if derived else "skill", compiled=compiled if derived else None)


def _merged(skills: Sequence[Skill]) -> dict[str, Any]:
    names = [skill.name for skill in skills]
    said = [
        f"{skill.name} ({skill.use.version or skill.use.hash[:8]})" if skill.use is not None and names.count(skill.name) > 1 else skill.name
        for skill in skills
    ]
    return merge([(name, cast("dict[str, Any]", skill.schema)) for name, skill in zip(said, skills, strict=True)])


def _compiled(schema: dict[str, Any], param: str) -> Schema:
    """The compiled schema; what is wrong with it is the fault of `param`."""
    try:
        return compile_schema(schema)
    except InvalidRequest as error:
        error.param = param
        raise


def _instructions(domain: Domain | None, skills: Sequence[Skill], prompt: str | None) -> str | None:
    """Prompts in their order: the domain's, the skills', the request's own."""
    parts = [domain.prompt if domain else None, *(skill.prompt for skill in skills), prompt]
    return "\n\n".join(part.strip() for part in parts if part and part.strip()) or None


def _examples(skills: Sequence[Skill], wanted: _Wanted) -> list[Example]:
    """The examples of all skills in turn, as far as they answer what is wanted."""
    turns = zip_longest(*(skill.examples for skill in skills))
    examples = [example for turn in turns for example in turn if example is not None]
    if wanted.source == "document":
        return []
    if wanted.compiled is not None:
        root = wanted.compiled.root
        answers = [(example, fitted(example.answer, root)) for example in examples]
        examples = [msgspec.structs.replace(example, answer=answer, choice=None) for example, answer in answers if answer is not None]
    return examples[:MAX_EXAMPLES]
