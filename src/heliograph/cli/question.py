"""What is asked of a file: the options of `heliograph extract` as the `domain` and `config` of a request."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import typer

from heliograph.cli.attached import item
from heliograph.errors import InvalidRequest

Kind = Literal["document", "audio", "video"]
"""What a request is about, and the first word of its route and domain."""
TRANSCRIPTIONS = ("audio.transcription", "video.transcription")
"""Domains whose answers carry times of their own, and what a recording is asked for where nothing is."""

UNASKED = "say what to extract: --domain document.invoice, --schema FILE or --skill DIR or NAME"


@dataclass(frozen=True)
class Question:
    """A request without its file. The same whether it is answered here or by a server."""

    domain: str | None
    config: dict[str, Any]
    model: str | None = None

    @property
    def digest(self) -> str:
        """Equal for equal questions: 16 hex digits."""
        asked = [self.domain, self.config, *([self.model] if self.model else [])]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]

    def about(self, kind: Kind) -> Question:
        """This question as it is put about a file of that kind: recordings are asked for what is said where nothing else is asked.

        Raises InvalidRequest where nothing is asked of a document.
        """
        bare = not self.config.keys() & {"json_schema", "skills"}
        if bare and self.domain is None and kind == "document":
            raise InvalidRequest(f"S{UNASKED[1:]}.")
        domain = f"{kind}.transcription" if bare and self.domain is None else self.domain
        plain = {"grounding": False, "confidence": False} if bare and domain in TRANSCRIPTIONS else {}
        return replace(self, domain=domain, config={**self.config, **plain})


def ask(
    domain: str | None = None,
    *,
    schema: Path | None = None,
    skill: Path | str | None = None,
    prompt: str | None = None,
    pages: str | None = None,
    detail: str = "auto",
    grounding: bool = True,
    model: str | None = None,
    language: str | None = None,
    diarize: bool = False,
    keyframes: bool = False,
    segment: float | None = None,
    bare: bool = False,
) -> Question:
    """The question these options make. `bare`: nothing need be asked, as of recordings.

    Raises `typer.BadParameter` (exit code 2) with what is wrong about which.
    """
    if not (domain or schema or skill or bare):
        raise typer.BadParameter(UNASKED)
    grounding = grounding and domain != "document.markdown"  # which carries boxes of its own
    config: dict[str, Any] = {"detail": detail, "grounding": grounding, "confidence": grounding}
    if schema:
        config["json_schema"] = read_schema(schema)
    if skill:
        config["skills"] = [item(skill)]
    if prompt:
        config["prompt"] = prompt
    if pages:
        try:
            config["page_indices"] = [int(part) for part in pages.split(",")]
        except ValueError:
            raise typer.BadParameter(f"--pages takes page numbers from 0, such as 0,2; not {pages!r}") from None
    recorded = {"language": language, "diarization": diarize, "keyframes": keyframes, "video_segment_duration": segment}
    config |= {name: value for name, value in recorded.items() if value}
    return Question(domain, config, model)


def read_schema(path: Path) -> dict[str, Any]:
    """The JSON object in the file that `--schema` names. Raises `typer.BadParameter`."""
    try:
        schema: object = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise typer.BadParameter(f"--schema {path}: {error.strerror or error}") from None
    except ValueError as error:
        raise typer.BadParameter(f"--schema {path} is not JSON: {error}") from None
    if not isinstance(schema, dict):
        raise typer.BadParameter(f"--schema {path} is not a JSON object")
    return schema  # pyright: ignore[reportUnknownVariableType]
