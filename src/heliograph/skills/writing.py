"""A skill written from a prompt: SKILL.md, schema.json and vlmrun.yaml.

    files = draft("Extract invoice_id, date and total_amount")       # from a template, the schema from the prompt's words
    files = await written(backend, "Extract ...")                    # by a model, checked; the template where its answer is no use

Either says in its description how it was made. A schema that is given is never changed.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Any, cast

import msgspec

from heliograph.errors import InvalidRequest
from heliograph.extraction.schema import compile_schema
from heliograph.skills.archive import Files
from heliograph.skills.wording import schema_from

Json = dict[str, Any]

LONGEST_PROMPT = 20_000
LONGEST_NAME = 64
"""Characters of a skill's name by the Agent Skills specification."""
LONGEST_DESCRIPTION = 1024
MODEL = "vlmrun-orion-1:auto"
"""What a written skill says that it was made for: the name that every server, and the platform, leads to its default model."""

_RULES = """\
- Take each value from the document the way it stands there, and never guess what it does not say.
- What the document does not say is null, and a list without entries is empty.
- Dates are YYYY-MM-DD. Numbers carry no currency and no thousands separators, and a point before the decimals.
"""
_MANIFEST = f"""\
apiVersion: vlm.run/v1alpha
metadata: {{}}
model: {MODEL}
toolsets: [core, document, image]
graph: |
  stateDiagram-v2
    Read: Read the document
    Extract: Extract the values that the instructions ask for
    Check: Check them against the schema
    [*] --> Read
    Read --> Extract
    Extract --> Check
    Check --> [*]
"""
_SMALL = re.compile(
    r"(?:the|an?|of|to|from|for|in|on|and|or|with|please|me|us|all|every|each|is|are|as|by|at|that|this|these|those|its?)\Z"
)


def draft(
    prompt: str, schema: Json | None = None, name: str | None = None, *, because: str = "no model is configured", talked: bool = False
) -> Files:
    """The skill that a template makes of `prompt`. `schema` is taken as it is; without one it is derived from the prompt's words, and left
    out where they name no fields. `because`: why no model wrote it. `talked`: prompt and schema are those of a conversation.

    Raises `InvalidRequest` for a prompt that is empty or too long, and a schema that is none.
    """
    prompt, schema = checked(prompt, schema)
    derived = schema_from(prompt) if schema is None else None
    if schema is not None:
        about = "the schema is the one that was answered in" if talked else "the schema is the one that was given"
    elif derived is not None:
        about = "the schema was derived from its words: check both"
    else:
        about = "it names no fields, so they are found in each document anew"
    said = "what a conversation asked for, word for word" if talked else "the prompt itself"
    told = f"Written by a template, since {because}: the instructions are {said}, and {about}."
    text = f"# What to extract\n\n{prompt}\n\n## How to answer\n\n{_RULES}"
    return package(name or name_of(prompt), _described(_first_sentence(prompt), told), text, schema if schema is not None else derived)


def package(name: str, description: str, text: str, schema: Json | None) -> Files:
    """The files of a skill. `name` becomes one that the specification allows, `description` one line."""
    name = slug(name)
    plain = re.match("[a-z]", name) and name not in ("true", "false", "null", "yes", "no", "on", "off", "y", "n")
    written = name if plain else f'"{name}"'
    matter = f'---\nname: {written}\ndescription: "{line(description)[:LONGEST_DESCRIPTION]}"\n---\n\n'
    files = {"SKILL.md": (matter + text.strip() + "\n").encode("utf-8", "replace"), "vlmrun.yaml": _MANIFEST.encode()}
    if schema is not None:
        files["schema.json"] = msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n"
    return dict(sorted(files.items()))


def checked(prompt: str, schema: Json | None) -> tuple[str, Json | None]:
    """The prompt without what no text holds, and the schema without an envelope around it. Raises `InvalidRequest`."""
    prompt = "".join(
        letter for letter in prompt.replace("\r\n", "\n") if letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cs")
    )
    prompt = prompt.strip()
    if not prompt:
        raise InvalidRequest("A skill is written from a prompt, and this one is empty.", param="prompt")
    if len(prompt) > LONGEST_PROMPT:
        raise InvalidRequest(f"The prompt is longer than {LONGEST_PROMPT} characters.", param="prompt")
    if schema is not None:
        schema = _bare(schema)
        compile_schema(schema)
    return prompt, schema


def name_of(prompt: str) -> str:
    """A skill's name from the first words of its prompt; where it has more, with some of its hash, so that other prompts get others."""
    words = [word for word in slug(prompt, longest=None).split("-") if not _SMALL.match(word)]
    name = "-".join(words)
    if not name:
        return f"skill-{_hash(prompt)}"
    if len(name) <= LONGEST_NAME:
        return name
    cut = name[: LONGEST_NAME - 7]
    return f"{cut.rpartition('-')[0] or cut}-{_hash(prompt)}"


def slug(text: str, *, longest: int | None = LONGEST_NAME) -> str:
    """`text` as the specification wants names: lower-case letters and digits, parts joined by single hyphens."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).lower())
    joined = "-".join(words)
    return joined if longest is None else joined[:longest].strip("-") or f"skill-{_hash(text)}"


def line(text: str) -> str:
    """`text` as one line that means the same to YAML in double quotes and to clients that part at `---` and strip quotes."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text).replace("\\", "/").replace('"', "'")
    return re.sub("-{3,}", "--", " ".join(plain.split()))


def _described(what: str, how: str) -> str:
    return f"{line(what)[: LONGEST_DESCRIPTION - len(how) - 3]} ({how})"


def _first_sentence(prompt: str) -> str:
    first = re.split(r"\n\s*\n|(?<=\w\w[.!?])\s", prompt, maxsplit=1)[0]
    return f"{first[:300].rstrip()}…" if len(first) > 300 else first


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:6]


def _bare(schema: Json) -> Json:
    """A schema without the envelope that OpenAI's clients put around it: `{name, schema, strict}`, `{type: json_schema, json_schema}`."""
    if schema.keys() & {"properties", "$ref", "anyOf", "allOf", "oneOf", "enum"}:
        return schema
    inner = schema.get("json_schema") if schema.get("type") == "json_schema" else None
    inner = schema.get("schema") if inner is None and schema.get("type") in (None, "json_schema") else inner
    return _bare(cast("Json", inner)) if isinstance(inner, dict) else schema
