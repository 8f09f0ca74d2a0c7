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
from heliograph.cli.kinds import kind_of
from heliograph.cli.progress import Progress
from heliograph.cli.question import Kind, Question
from heliograph.errors import HeliographError, InvalidRequest, NotFound, Unauthorized, Unavailable
from heliograph.models.errors import ModelNotFound

if TYPE_CHECKING:
    import aiohttp

    from heliograph.config import Settings
    from heliograph.extraction.answered import Answer
    from heliograph.extraction.made import MadeFiles
    from heliograph.extraction.plan import Plan
    from heliograph.extraction.redaction.copying import Made
    from heliograph.media.document import Page
    from heliograph.models.serving import Models
    from heliograph.perception.player import Player
    from heliograph.perception.reader import Reader

Record = dict[str, Any]
MODEL_FILES = 4
"""Files that are best asked about at a time where a model answers: while it works on one, another is read."""
PATIENCE = 120.0
"""Seconds that a server may be busy or away in the middle of a run."""


class Answerer(Protocol):
    """Answers one question about many files."""

    at_once: int
    """How many files are best asked about at the same time."""

    async def answer(self, path: Path, progress: Progress | None = None) -> Record:
        """The record of one file. Raises `HeliographError` when it cannot be answered."""
        ...

    async def close(self) -> None:
        """Let go of what was opened."""
        ...


class Here:
    """Answers in this process; engines run in its children, and a model where the question's leads to one."""

    def __init__(self, question: Question, settings: Settings, reader: Reader | None = None) -> None:
        """`reader`: one that stays with its owner. Raises `typer.BadParameter` (exit code 2) at once when the question is wrong."""
        from heliograph.perception.reader import Reader

        self._attached = Attached()
        self._question, self._settings = question, settings
        self._plans: dict[Kind, Plan] = {}
        self._models: Models | None = None
        self.reader = self._attached.reader = reader or Reader(settings)
        self._own = reader is None
        first = (question.domain or "").partition(".")[0]
        asked = question.domain or question.config.keys() & {"json_schema", "skills"}
        try:
            plan = self.plan("audio" if first == "audio" else "video" if first == "video" else "document") if asked else None
        except (InvalidRequest, NotFound, ModelNotFound) as error:
            raise typer.BadParameter(error.message) from None
        self.at_once = 1 if plan is None or plan.route is None else MODEL_FILES

    def plan(self, kind: Kind) -> Plan:
        """What is done with a file of that kind. Raises InvalidRequest, NotFound or ModelNotFound."""
        from heliograph.extraction.plan import resolve
        from heliograph.models.routes import Route, Routes

        def named(name: str | None) -> Route:
            return Routes(self._settings).find(name)

        if kind not in self._plans:
            question = self._question.about(kind)
            self._plans[kind] = resolve(
                kind,
                "generate",
                question.domain,
                question.config,
                skills=self._attached.read,
                route=lambda of_skill: named(question.model or of_skill),
                named=named,
            )
        return self._plans[kind]

    async def answer(self, path: Path, progress: Progress | None = None) -> Record:
        """Read and extract; the record's `usage` counts pages, or five minutes of a recording."""
        record, _ = await self.answered(path, progress)
        return record

    async def answered(self, path: Path, progress: Progress | None = None) -> tuple[Record, Answer]:
        """The record of a file, and all that was found out for it. The copy and files that were made go with the record."""
        from heliograph.extraction.answer import answer

        started = time.monotonic()
        kind, _ = await kind_of(path, self._question.domain, self.reader.player)
        plan = self.plan(kind)
        total = len(plan.page_indices or range((await self.reader.inspect(path)).page_count)) if kind == "document" else 0
        done = 0

        async def count(page: Page) -> None:
            nonlocal done
            done += 1
            if progress:
                await progress.page(done, total, page.source)

        if plan.route is not None and self._models is None:
            self._models = _models(self._settings)
        told = progress.recorded if progress and kind != "document" else None
        result = await answer(self.reader, [path], plan, on_page=count, models=self._models, examples=self._attached, progress=told)
        usage = {
            "elements_processed": result.elements,
            "element_type": result.element_type,
            "credits_used": None,
            "message": "; ".join(result.warnings) or None,
            "duration_seconds": round(time.monotonic() - started, 3),
        }
        record = {"file": path.name, "status": "completed", "domain": plan.domain, "response": result.response, "usage": usage}
        if result.made:
            record["made"] = result.made
        if result.files:
            record["files"] = result.files
        return record, result

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
    """Move what was made for an answer beside the file `beside`, and name it in the answer: a copy with its own ending; several files,
    such as keyframes, into a folder `<name>.files`."""
    made: Made | None = record.pop("made", None)
    if made is not None:
        target = beside.with_name(f"{beside.name}.redacted{made.suffix}")
        shutil.copyfile(made.path, target)
        made.close()
        record["response"]["redacted_uri"] = str(target)
    several: MadeFiles | None = record.pop("files", None)
    if several is not None:
        record["response"] = _placed(record["response"], several, beside.with_name(f"{beside.name}.files"))
        several.close()


def _placed(response: Any, made: MadeFiles, folder: Path) -> Any:
    """The response with a path wherever one of the files belongs, all of which are then in `folder`."""
    from heliograph.extraction.made import PLACE

    folder.mkdir(parents=True, exist_ok=True)
    paths = {file.name: folder / file.filename for file in made.files}
    for file in made.files:
        shutil.copyfile(file.path, paths[file.name])
    return json.loads(PLACE.sub(lambda place: json.dumps(str(paths[place[1]])), json.dumps(response)))


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
        self._player: Player | None = None
        self._met = False

    async def answer(self, path: Path, progress: Progress | None = None) -> Record:
        """Waits for the prediction, however long the server's queue is."""
        kind, recording = await kind_of(path, self.question.domain, self._looking)
        question = self.question.about(kind)
        md5, digest, size = await asyncio.to_thread(_hashes, path)
        prediction_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{digest} {size} {question.digest} {path.name}"))
        file = await self._call("GET", f"/files/hash/{md5}", missing=None)
        if not (file and file.get("id")):
            file = await self._call("POST", "/files?purpose=assistants&generate_public_url=false", file=path)
        body = {"id": prediction_id, "file_id": file["id"], "domain": question.domain, "config": question.config, "batch": True}
        if question.model:
            body["model"] = question.model

        async def told(prediction: Record) -> None:
            if progress and recording and prediction.get("progress") is not None:
                length = recording.duration
                await progress.recorded((prediction.get("step") or "working").lower(), prediction["progress"] * length, length)

        prediction = await self._settled(body, kind, told)
        pages = prediction["usage"].get("elements_processed") or 0
        if progress and recording is None:
            await progress.page(pages, pages, "server")
        return {"file": path.name, **{key: prediction[key] for key in ("status", "domain", "response", "usage")}, "id": prediction_id}

    async def close(self) -> None:
        """Close the connections."""
        if self._player:
            await self._player.close()
        if self._session:
            await self._session.close()

    async def _settled(self, body: Record, kind: Kind = "document", told: Callable[[Record], Awaitable[None]] | None = None) -> Record:
        """Submit a prediction and poll until it is finished, telling of it. Raises what a failed one says."""
        prediction = await self._call("POST", f"/{kind}/generate", json=body)
        pause = 0.1
        while prediction["status"] not in {"completed", "failed"}:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 2.0)
            prediction = await self._call("GET", f"/predictions/{prediction['id']}")
            if told:
                await told(prediction)
        if prediction["status"] == "failed":
            raise _refused(prediction, prediction["usage"].get("message") or "The prediction failed.")
        return prediction

    @property
    def _looking(self) -> Player:
        """Says what recordings hold, since that decides where they are sent."""
        if self._player is None:
            from heliograph.config import settings
            from heliograph.perception.player import Player

            self._player = Player(settings(), threads=1)
        return self._player

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
