"""What a model's server says when it will not answer, in its dialects, as `ModelError`s.

The dialects: OpenAI's `{"error": {"message", "type", "code"}}`, which vLLM, SGLang, Ollama and llama.cpp share with other codes; older
vLLM's and SGLang's bare `{"object": "error", "message", "code"}`; FastAPI's `{"detail": ...}`; Gemini's `{"error": {"status",
"details"}}`, sometimes in a list; Anthropic's `{"type": "error", "error": {"type", "message"}}`; or a page of HTML from a proxy.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from heliograph.models.errors import ModelBusy, ModelDeclined, ModelError, ModelLimit, ModelRefused, ModelUnavailable
from heliograph.models.loose import Json, entries, string, table, tables
from heliograph.models.streams import parse

LONGEST_SENTENCE = 300
LONGEST_WAIT = 24 * 3600
"""Seconds; a server that asks for more patience is taken to mean this."""

_TOO_LONG = re.compile(
    r"context[_ ](?:length|size|window|limit)|exceed_context|maximum context|(?:prompt|input) is too long|too many (?:input )?tokens"
    r"|input token count .* exceeds|exceeds the (?:maximum|available) (?:number of tokens|context)|maximum (?:input|prompt) length"
    r"|longer than the model's context|request(?:_| )too(?:_| )large|reduce the length",
    re.IGNORECASE,
)
_SPENT = re.compile(
    r"insufficient_quota|exceeded your current quota|billing|credit balance|insufficient.{0,9}(?:credit|balance|funds)", re.IGNORECASE
)
_NEVER = re.compile(r"mmproj|(?:is|are) not supported|does not support|unsupported|failed to parse grammar|invalid grammar", re.IGNORECASE)
"""What some servers say with a 500 although no second try can help."""
_DECLINED = re.compile(r"content[_ ](?:filter|policy|management policy)|responsible ?ai|safety system", re.IGNORECASE)
"""What providers say with a 400 when it is not the request that they mind, but what stands in the document."""
_ECHO = re.compile(r"""[,\[{(]?\s*['"]input['"]\s*:.*""", re.DOTALL)
"""Validators send back what they were sent; none of it belongs in a message."""
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_ROOM = (
    re.compile(r"maximum context length is (?P<context>\d+) tokens.*?\((?P<input>\d+) in the messages", re.DOTALL),
    re.compile(r"maximum context length is (?P<context>\d+) tokens and your request has (?P<input>\d+) input tokens", re.DOTALL),
    re.compile(r"maximum context length is (?P<context>\d+) tokens.*?(?:prompt|input) contains (?:at least )?(?P<input>\d+) ", re.DOTALL),
    re.compile(r"[Ii]nput length (?:\+|and) `?max_tokens.*?: (?P<input>\d+) \+ \d+ > (?P<context>\d+)", re.DOTALL),
    re.compile(r"maximum context length of (?P<context>\d+) tokens.*?(?P<input>\d+) tokens from the input", re.DOTALL),
    re.compile(r"`inputs` tokens \+ `max_new_tokens` must be <= (?P<context>\d+)\. Given: (?P<input>\d+)", re.DOTALL),
)


class Complaint(NamedTuple):
    """What a server said. `code`: its machine-readable words. `number`: the status that it would have, told in the middle of a stream."""

    sentence: str
    code: str = ""
    number: int | None = None
    wait: float | None = None


def read(body: bytes | dict[str, Json]) -> Complaint:
    """What an error's body says, in whichever dialect."""
    try:
        found = body if isinstance(body, dict) else parse(body)
    except (ValueError, RecursionError):
        text = body.decode(errors="replace") if isinstance(body, bytes) else ""
        title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
        return Complaint(_sentence(title.group(1) if title else "" if "<html" in text.lower() else text))
    outer = table((entries(found) or [found])[0])
    inner = table(outer.get("error")) or outer
    message = next((inner[name] for name in ("message", "detail", "error", "msg") if inner.get(name)), found)
    words = [inner.get("type"), inner.get("status"), inner.get("code"), outer.get("error_type")]
    code = " ".join(string(word) for word in words if string(word))
    number = next((int(word) for word in words[2::-1] if isinstance(word, int | str) and re.fullmatch(r"[45]\d\d", str(word))), None)
    wait = next((duration(delay) for detail in tables(inner.get("details")) if (delay := string(detail.get("retryDelay")))), None)
    return Complaint(_sentence(message), code, number, wait)


def failure(
    status: int, complaint: Complaint, headers: Mapping[str, str], *, who: str, route: str, hidden: str | None = None
) -> ModelError:
    """The error of an answer with `status`. `who` names the model for a person; `hidden`: the complaint's sentence without secrets."""
    sentence = complaint.sentence if hidden is None else hidden
    said = "." if not sentence else f": {sentence}" if sentence[-1] in ".!?…" else f": {sentence}."
    everything = f"{complaint.code} {complaint.sentence}"
    wait = retry_after(headers, complaint)
    if status in (429, 402) and (status == 402 or _SPENT.search(everything)):
        return ModelRefused(f"{who} has no quota left ({status}){said}")
    if status in (429, 529) or (status == 503 and wait is not None):
        return ModelBusy(f"{who} takes no more requests for now ({status}){said}", retry_after=wait)
    if status == 413 or (status in (400, 422, 500) and _TOO_LONG.search(everything)):
        return ModelLimit(f"The request is larger than {_inner(who)} takes ({status}){said}")
    if status in (408, 409, 425) or (status >= 500 and status not in (501, 505) and not (status == 500 and _NEVER.search(everything))):
        return ModelUnavailable(f"{who} failed ({status}){said}", retry_after=wait)
    if 300 <= status < 400:
        return ModelRefused(f"{who} redirects elsewhere ({status}), which is not followed; set models.{route}.url to where it really is.")
    if status == 401:
        return ModelRefused(f"{who} does not accept its key (401){said} Set models.{route}.key_env or key_file.")
    if status == 403:
        return ModelRefused(f"{who} does not allow this (403){said} Check the rights of its key.")
    if status in (404, 405):
        return ModelRefused(
            f"{who} was not found ({status}){said} Check models.{route}.url, which mostly ends in /v1, and models.{route}.model."
        )
    if status == 400 and _DECLINED.search(everything):
        return ModelDeclined(f"{who} will not read this{said}")
    return ModelRefused(f"{who} refused the request ({status}){said}")


def retry_after(headers: Mapping[str, str], complaint: Complaint | None = None) -> int | None:
    """Seconds to wait, rounded up, from Retry-After (seconds or a date), retry-after-ms, x-ratelimit-reset-*, or Gemini's RetryInfo."""
    wait = _milliseconds(headers.get("retry-after-ms"))
    if wait is None:
        wait = _moment(headers.get("Retry-After"))
    if wait is None and complaint is not None:
        wait = complaint.wait
    if wait is None:
        resets = [
            seconds
            for kind in ("requests", "tokens")
            if headers.get(f"x-ratelimit-remaining-{kind}") == "0"
            and (seconds := duration(headers.get(f"x-ratelimit-reset-{kind}"))) is not None
        ]
        wait = max(resets, default=None)
    return None if wait is None else math.ceil(min(max(wait, 0.0), LONGEST_WAIT))


def duration(text: str | None) -> float | None:
    """Seconds of `1m30s`, `20ms` or `7`."""
    if not text:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", text.strip()):
        return float(text)
    found = _DURATION.findall(text)
    return sum(float(number) * _SECONDS[unit] for number, unit in found) if found else None


def room(error: ModelLimit) -> int | None:
    """Tokens that an answer may have so that the request fits, where the server's sentence tells."""
    for pattern in _ROOM:
        if found := pattern.search(error.message):
            return int(found["context"]) - int(found["input"])
    return None


def _milliseconds(text: str | None) -> float | None:
    try:
        return float(text or "") / 1000
    except ValueError:
        return None


def _moment(text: str | None) -> float | None:
    if not text:
        return None
    seconds = duration(text) if text.strip()[:1].isdigit() else None
    if seconds is not None:
        return seconds
    try:
        return parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None


def _sentence(said: Json) -> str:
    if not isinstance(said, str):  # FastAPI's list of what is wrong
        said = "; ".join(string(item.get("msg")) for item in tables(said))
    text = " ".join(_ECHO.sub("", said).split())
    return text if len(text) <= LONGEST_SENTENCE else text[:LONGEST_SENTENCE].rstrip() + "…"


def _inner(who: str) -> str:
    return who[:1].lower() + who[1:]
