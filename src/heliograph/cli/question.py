"""What is asked of a file: the options of `heliograph extract` as the `domain` and `config` of a request."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer


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


def ask(
    domain: str | None = None,
    *,
    schema: Path | None = None,
    skill: Path | None = None,
    prompt: str | None = None,
    pages: str | None = None,
    detail: str = "auto",
    grounding: bool = True,
    model: str | None = None,
) -> Question:
    """The question these options make. Raises `typer.BadParameter` (exit code 2) with what is wrong about which."""
    if not (domain or schema or skill):
        raise typer.BadParameter("say what to extract: --domain document.invoice, --schema FILE or --skill DIR")
    grounding = grounding and domain != "document.markdown"  # which carries boxes of its own
    config: dict[str, Any] = {"detail": detail, "grounding": grounding, "confidence": grounding}
    if schema:
        config["json_schema"] = read_schema(schema)
    if skill:
        config["skills"] = [_inline(skill)]
    if prompt:
        config["prompt"] = prompt
    if pages:
        try:
            config["page_indices"] = [int(part) for part in pages.split(",")]
        except ValueError:
            raise typer.BadParameter(f"--pages takes page numbers from 0, such as 0,2; not {pages!r}") from None
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


def _inline(folder: Path) -> dict[str, Any]:
    """A skill's folder as a request carries it: zipped, with fixed dates, so that the same folder gives the same question."""
    if not (folder / "SKILL.md").is_file():
        raise typer.BadParameter(f"--skill {folder} holds no SKILL.md")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.writestr(zipfile.ZipInfo(path.relative_to(folder).as_posix()), path.read_bytes(), zipfile.ZIP_DEFLATED)
    source = {"type": "base64", "media_type": "application/zip", "data": base64.b64encode(packed.getvalue()).decode()}
    return {"type": "inline", "name": folder.resolve().name, "source": source}
