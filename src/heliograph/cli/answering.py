"""The two places where a question is answered: in this process, or by a server.

Both give the same record: `{"file", "status", "domain", "response", "usage"}`, as `GET /v1/predictions/{id}` would. A file that was
made here, a redacted copy, comes with it as `made` until `keep_copy` has put it somewhere.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import typer

from heliograph.cli.attached import Attached
from heliograph.cli.question import Question
from heliograph.errors import HeliographError, InvalidRequest, NotFound, Unauthorized, Unavailable
from heliograph.models.errors import ModelNotFound

if TYPE_CHECKING:
    import aiohttp

    from heliograph.config import Settings
    from heliograph.extraction.redaction.copying import Made
    from heliograph.media.document import Page
    from heliograph.models.serving import Models
    from heliograph.perception.reader import Reader

Record = dict[str, Any]
OnPage = Callable[[int, int, str], Awaitable[None]]
"""Called after each page with how many are done, of how many, and where its words came from."""


MODEL_FILES = 4
"""Files that are best asked about at a time where a model answers: while it works on one, another is read."""
PATIENCE = 120.0
"""Seconds that a server may be busy or away in the middle of a run."""


class Answerer(Protocol):
    """Answers one question about many files."""

    at_once: int
    """How many files are best asked about at the same time."""

    async def answer(self, path: Path, on_page: OnPage | None = None) -> Record:
        """The record of one file. Raises `HeliographError` when it cannot be answered."""
        ...

    async def close(self) -> None:
        """Let go of what was opened."""
        ...


class Here:
    """Answers in this process; engines run in its children, and a model where the question's leads to one."""

    def __init__(self, question: Question, settings: Settings, reader: Reader | None = None) -> None:
        """`reader`: one that stays with its owner. Raises `typer.BadParameter` (exit code 2) at once when the question is wrong."""
        from heliograph.extraction.plan import resolve
        from heliograph.models.routes import Route, Routes
        from heliograph.perception.reader import Reader

        self._attached = Attached()

        def route(of_skill: str | None) -> Route:
            return Routes(settings).find(question.model or of_skill)

        try:
            self.plan = resolve("document", "generate", question.domain, question.config, skills=self._attached.read, route=route)
        except (InvalidRequest, NotFound, ModelNotFound) as error:
            raise typer.BadParameter(error.message) from None
        self.at_once = 1 if self.plan.route is None else MODEL_FILES
        self.reader = self._attached.reader = reader or Reader(settings)
        self._own = reader is None
        self._models = _models(settings) if self.plan.route is not None else None

    async def answer(self, path: Path, on_page: OnPage | None = None) -> Record:
        """Read and extract; the record's `usage` counts pages."""
        from heliograph.extraction.answer import answer

        started = time.monotonic()
        inspection = await self.reader.inspect(path)
        total = len(self.plan.page_indices or range(inspection.page_count))
        done = 0

        async def count(page: Page) -> None:
            nonlocal done
            done += 1
            if on_page:
                await on_page(done, total, page.source)

        result = await answer(self.reader, [path], self.plan, on_page=count, models=self._models, examples=self._attached)
        usage = {
            "elements_processed": result.elements,
            "element_type": result.element_type,
            "credits_used": None,
            "message": "; ".join(result.warnings) or None,
            "duration_seconds": round(time.monotonic() - started, 3),
        }
        record = {"file": path.name, "status": "completed", "domain": self.plan.domain, "response": result.response, "usage": usage}
        return record | {"made": result.made} if result.made else record

    async def close(self) -> None:
        """Stop the children, and let go of the model."""
        if self._models is not None:
            await self._models.close()
        if self._own:
            await self.reader.close()


def _models(settings: Settings) -> Models:
    from heliograph.models.serving import Models

    return Models(settings)


def keep_copy(record: Record, beside: Path) -> None:
    """Move the file that was made for an answer, if one was, to `beside` with its own ending, and name it in the answer."""
    made: Made | None = record.pop("made", None)
    if made is not None:
        target = beside.with_name(f"{beside.name}.redacted{made.suffix}")
        shutil.copyfile(made.path, target)
        made.close()
        record["response"]["redacted_uri"] = str(target)


class There:
    """Answers by a server: uploads, submits with an id made of content and question, and polls.

    The id makes a rerun find the prediction of the run before instead of paying for it again.
    """

    at_once = 8

    def __init__(self, question: Question, server: str, key: str | None) -> None:
        """`server`: such as `http://127.0.0.1:8000` or with `/v1`."""
        self.question = question
        self.root = server.rstrip("/").removesuffix("/v1") + "/v1"
        self.key = key
        self._session: aiohttp.ClientSession | None = None
        self._met = False

    async def answer(self, path: Path, on_page: OnPage | None = None) -> Record:
        """Waits for the prediction, however long the server's queue is."""
        md5, digest, size = await asyncio.to_thread(_hashes, path)
        prediction_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{digest} {size} {self.question.digest} {path.name}"))
        file = await self._call("GET", f"/files/hash/{md5}", missing=None)
        if not (file and file.get("id")):
            file = await self._call("POST", "/files?purpose=assistants&generate_public_url=false", file=path)
        body = {"id": prediction_id, "file_id": file["id"], "domain": self.question.domain, "config": self.question.config, "batch": True}
        if self.question.model:
            body["model"] = self.question.model
        prediction = await self._settled(body)
        pages = prediction["usage"].get("elements_processed") or 0
        if on_page:
            await on_page(pages, pages, "server")
        return {"file": path.name, **{key: prediction[key] for key in ("status", "domain", "response", "usage")}, "id": prediction_id}

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()

    async def _settled(self, body: Record) -> Record:
        """Submit a prediction and poll until it is finished. Raises what a failed one says."""
        prediction = await self._call("POST", "/document/generate", json=body)
        pause = 0.1
        while prediction["status"] not in {"completed", "failed"}:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 2.0)
            prediction = await self._call("GET", f"/predictions/{prediction['id']}")
        if prediction["status"] == "failed":
            raise _refused(prediction, prediction["usage"].get("message") or "The prediction failed.")
        return prediction

    async def _call(self, method: str, route: str, *, missing: Any = ..., file: Path | None = None, **how: Any) -> Any:
        """One call, or several: what a busy or restarting server refuses is tried again for two minutes, unless it never answered yet.

        `missing`: what a 404 means. `file`: sent as the form's `file`; the server knows it by its content, so a repeat does no harm.
        """
        import aiohttp

        if self._session is None:
            headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=180)
            self._session = aiohttp.ClientSession(headers=headers, timeout=timeout)
        give_up = time.monotonic() + PATIENCE
        while True:
            try:
                with file.open("rb") if file else nullcontext() as content:
                    if file and content:
                        how["data"] = aiohttp.FormData()
                        how["data"].add_field("file", content, filename=file.name)
                    async with self._session.request(method, self.root + route, **how) as reply:
                        self._met = True
                        status, wait, text = reply.status, float(reply.headers.get("Retry-After", "1")), await reply.text()
            except (aiohttp.ClientError, TimeoutError) as error:
                if not self._met or time.monotonic() > give_up:
                    raise Unavailable(f"{self.root} cannot be reached: {_reason(error)}.") from error
                await asyncio.sleep(1)
                continue
            if status in {429, 503} and time.monotonic() < give_up:
                await asyncio.sleep(wait)
            elif status == 404 and missing is not ...:
                return missing
            else:
                return _body(status, text, f"{method} {route}")


def _reason(error: Exception) -> str:
    """Why a connection failed, in the words of the system: `Connection refused`."""
    cause: object = getattr(error, "os_error", None)
    number = cause.errno if isinstance(cause, OSError) else None
    return os.strerror(number) if number and number > 0 else str(error) or type(error).__name__


def _hashes(path: Path) -> tuple[str, str, int]:
    """MD5 (what the route for known files asks for), SHA-256 and size, without holding the file in memory."""
    md5, sha = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with path.open("rb") as content:
        while chunk := content.read(1 << 20):
            md5.update(chunk)
            sha.update(chunk)
    return md5.hexdigest(), sha.hexdigest(), path.stat().st_size


class Refused(HeliographError):
    """The server refused. `kind` is the `type` of the error it gave."""

    kind = "failed"


def _body(status: int, text: str, call: str) -> Any:
    """The JSON of an answer. Raises what it says when it is an error, `Unauthorized` for a bad key."""
    try:
        body: Any = json.loads(text)
    except ValueError:
        body = None
    if status == Unauthorized.status:
        raise Unauthorized(_refused(body, "The API key is missing or not valid.").message)
    if status >= 400 or body is None:
        raise _refused(body, f"{call} was answered {status}, and not by Heliograph.")
    return body


def _refused(body: Any, otherwise: str) -> Refused:
    """The error inside a server's answer, else `otherwise`."""
    said: Any = cast("dict[str, Any]", body).get("error") if isinstance(body, dict) else None
    error = Refused(str(said["message"]) if said else otherwise)
    error.kind = str(said["type"]) if said else "failed"
    return error
