"""`/v1/openai/audio`: transcription for OpenAI's clients. A prediction as any other is beneath it, for which the call waits."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, NoReturn

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from heliograph.api import errors, streaming, transcripts
from heliograph.api.auth import Caller, CallerOf, Guarded
from heliograph.api.intake import Source
from heliograph.api.multipart import Form, read_form
from heliograph.api.openapi import answers
from heliograph.api.receiving import Receiver
from heliograph.api.routes.generate import delivering
from heliograph.api.server import Server, ServerOf
from heliograph.api.submit import Asked, submit
from heliograph.api.waiting import left
from heliograph.errors import HeliographError, InvalidRequest, NotConfigured, NotFound, StillRunning, Unavailable
from heliograph.ids import new_id
from heliograph.store import predictions
from heliograph.store.blobs import key
from heliograph.store.predictions import FINISHED, Prediction
from heliograph.wire.requests import AudioFilePredictionRequest, GenerationConfig
from heliograph.wire.transcriptions import TranscriptionForm, TranscriptionResponse

router = APIRouter(prefix="/v1/openai/audio", tags=["audio"], route_class=Guarded)

TRANSCRIBES = "whisper-1"
HEARS = frozenset((TRANSCRIBES, "gpt-4o-transcribe", "gpt-4o-mini-transcribe"))
"""Names of OpenAI's under which the engine of this server is asked, beside all that a request may send."""
BEAT = 10.0
"""Seconds between two signs of life of a stream."""
_FORM = {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": TranscriptionForm.model_json_schema()}}}}
_OTHER = {kind: {"schema": {"type": "string"}} for kind in ("text/plain", "text/vtt", "text/event-stream")}


class _Wanted(msgspec.Struct):
    """How the answer is to look."""

    format: transcripts.Format
    granularities: list[transcripts.Granularity]
    stream: bool


@router.post(
    "/transcriptions",
    response_model=TranscriptionResponse,
    responses=answers(401, 402, 404, 409, 413, 422, 429, openai=True) | {200: {"content": _OTHER}},
    openapi_extra=_FORM,
)
async def transcribe(request: Request, server: ServerOf, caller: CallerOf) -> Response:
    """Write down what is said in a recording."""
    server.admission.check_disk()
    asked, wanted = await _asked(request, server, caller)
    try:
        row = await submit(server, caller, asked)
    except Unavailable:
        raise  # the request may have been written all the same; what nobody names is collected later
    except HeliographError as error:
        await _drop(server, asked.sources)
        error.param = error.param and error.param.removeprefix("config.")
        raise
    if asked.body.id != row.id:  # an equal request is being worked on already
        await _drop(server, asked.sources)
    if wanted.stream:
        return StreamingResponse(_told(server, row), 200, streaming.HEADERS, "text/event-stream; charset=utf-8")
    if row.status not in FINISHED:
        await server.waiter.wait((caller.tenant, row.id), server.settings.transcription_timeout, left=left(request))
    found = await _now(server, row)
    if found.status not in FINISHED:
        raise StillRunning(
            f"The recording is still being heard, as prediction {row.id}: ask GET /v1/predictions/{row.id} how far it is, "
            "or send the same request again, which waits on.",
            retry_after=1,
        )
    if found.status == "failed":
        why = _failure(found)
        return errors.body(
            errors.status_of(why.type), why.type, why.message, path=request.url.path, request_id=request.state.request_id, param=why.param
        )
    body = transcripts.shown(transcripts.transcript(found.response or ""), wanted.format, wanted.granularities)
    background = await delivering(server, found, request)
    headers = {"X-Prediction-Id": found.id}
    return Response(body, 200, headers, transcripts.MEDIA_TYPES[wanted.format], background)


@router.post("/translations", response_model=None, status_code=422, responses=answers(401, 422, openai=True))
async def translate() -> NoReturn:
    """Not here: no engine of this server translates what it hears."""
    raise NotConfigured(
        "Nothing here translates speech while hearing it: transcribe it at /v1/openai/audio/transcriptions, and ask a model to translate."
    )


async def _asked(request: Request, server: Server, caller: Caller) -> tuple[Asked, _Wanted]:
    """What the form asks for, its file stored. Raises InvalidRequest, EmptyMedia, PayloadTooLarge."""
    receiver = Receiver(server.settings.max_file, announced=request.headers.get("content-length"), slack=1 << 20)
    form = await read_form(request.stream(), request.headers.get("content-type", ""))
    prediction = new_id()
    sources: list[Source] = []
    if form.content is not None:
        blob = key(caller.tenant, "inputs", prediction, "0-form")
        sources.append(Source("file", "received", blob, await receiver.store(server.blobs, blob, form.content)))
    try:
        if url := form.fields.get("url"):
            sources.append(Source("url", "url", url))
        if len(sources) != 1:
            raise InvalidRequest("Send exactly one of `file` and `url`.", param="file")
        wanted = _wanted(form)
        body = _body(form, prediction)
    except InvalidRequest:
        await _drop(server, sources)
        raise
    asked = Asked(
        kind="audio", operation="generate", body=body, domain=body.domain, sources=sources,
        idempotency_key=request.headers.get("idempotency-key"),
    )  # fmt: skip
    return asked, wanted


async def _drop(server: Server, sources: Sequence[Source]) -> None:
    """Delete what was stored for a request that came to nothing."""
    for source in sources:
        if source.received is not None:
            await server.blobs.delete(source.reference)


def _wanted(form: Form) -> _Wanted:
    fields = form.fields
    given = [*form.values.get("timestamp_granularities[]", []), *form.values.get("timestamp_granularities", [])]
    return _Wanted(
        transcripts.format_of(fields.get("response_format") or "json"),
        transcripts.granularities_of(given),
        fields.get("stream", "").lower() in ("true", "1"),
    )


def _body(form: Form, prediction: str) -> AudioFilePredictionRequest:
    fields = form.fields
    config: dict[str, Any] = {name: fields[name] for name in ("language", "prompt") if fields.get(name)}
    if fields.get("temperature"):
        try:
            config["temperature"] = float(fields["temperature"])
        except ValueError:
            raise InvalidRequest("temperature is a number.", param="temperature") from None
    said: dict[str, Any] = {"url": fields["url"]} if fields.get("url") else {}
    model = fields.get("model")
    if model and model not in HEARS:
        said["model"] = model
    made = AudioFilePredictionRequest(domain="audio.transcription", batch=False, config=GenerationConfig(**config), **said)
    made.id = prediction
    made.model_fields_set.discard("id")  # ours, not the client's: an equal request that is unfinished stands for this one
    return made


async def _now(server: Server, row: Prediction) -> Prediction:
    async with server.database.begin() as conn:
        found = await predictions.get(conn, row.tenant, row.id)
    if found is None:
        raise NotFound("The prediction was deleted while it was waited for.")
    return found


class _Failure(msgspec.Struct):
    type: str = "internal_error"
    message: str = "The request failed."
    param: str | None = None


def _failure(row: Prediction) -> _Failure:
    return msgspec.json.decode(row.error, type=_Failure) if row.error else _Failure()


async def _told(server: Server, row: Prediction) -> AsyncIterator[bytes]:
    """The events of a transcription, with a sign of life now and then until it is done."""
    while True:
        began = time.monotonic()
        await server.waiter.wait((row.tenant, row.id), BEAT)
        async with server.database.begin() as conn:
            found = await predictions.get(conn, row.tenant, row.id)
        if found is None or found.status in FINISHED:
            break
        if time.monotonic() - began < BEAT / 2:  # nothing waits any more: this process stops
            yield _error("unavailable", f"The server stops; GET /v1/predictions/{row.id} will have the result.")
            return
        yield b": listening\n\n"
    if found is None:
        yield _error("not_found", "The prediction was deleted while it was waited for.")
    elif found.status == "failed":
        why = _failure(found)
        yield _error(why.type, why.message)
    else:
        for event in transcripts.events(transcripts.transcript(found.response or "")):
            yield event
        if not found.retain:
            async with server.database.begin() as conn:
                await predictions.delivered(conn, found.tenant, found.id)


def _error(kind: str, message: str) -> bytes:
    return transcripts.event({"error": {"message": message, "type": kind, "param": None, "code": kind}})
