"""The JSON of a prediction and of an execution: what is kept of the request, and the body that GET by id and the webhook both send.

Results are JSON text from the moment they are made, so a field's place and a number's digits arrive as they were written.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from heliograph.agents.task import SkillRef
from heliograph.extraction.plan import Plan, SkillUse
from heliograph.jobs.copies import Link, linked
from heliograph.store.predictions import Prediction

_USAGE = msgspec.Raw(
    b'{"elements_processed":null,"element_type":null,"credits_used":null,"steps":null,"message":null,"duration_seconds":0}'
)
_METADATA = msgspec.Raw(
    b'{"environment":"dev","session_id":null,"allow_logging":true,"allow_training":true,"allow_retention":true,"extra":{}}'
)
_NULL = msgspec.Raw(b"null")


class Asked(msgspec.Struct, frozen=True):
    """What stands in `predictions.request`: the parsed body, media replaced by references, and what was made of it."""

    body: dict[str, Any]
    plan: Plan


class _Error(msgspec.Struct):
    message: str


class _Used(msgspec.Struct):
    skills: list[SkillUse] = []


class _Planned(msgspec.Struct):
    """Of what was asked, the skills alone: the rest may be large, and is passed over."""

    plan: _Used


class _Task(msgspec.Struct):
    """Of an execution's task, what its answer repeats."""

    mode: str | None = None
    skills: list[SkillRef] = []


class _Executed(msgspec.Struct):
    task: _Task


def request_text(body: dict[str, Any], plan: Plan) -> str:
    """The text for `predictions.request`."""
    return msgspec.json.encode(Asked(body, plan)).decode()


def asked(row: Prediction) -> Asked:
    """What `request_text` wrote."""
    return msgspec.json.decode(row.request, type=Asked)


def without_inline_skills(row: Prediction) -> str | None:
    """`row.request` without the texts and examples of skills that came with it, which only the job needed; None where there are none.

    Which schema was answered in, and the hash of what was used, stay.
    """
    if all(use.id is not None for use in _skills(row)):
        return None
    had = asked(row)
    return request_text(had.body, msgspec.structs.replace(had.plan, instructions=None, examples=[]))


def prediction_body(row: Prediction, link: Link | None = None) -> bytes:
    """A prediction as every route answers it, in the contract's order of fields; UTF-8 JSON. `link` makes the URL of a file of its own.

    `message` (read by one official client) repeats the sentence of `error` (read by another).
    """
    message = msgspec.json.decode(row.error, type=_Error).message if row.error else None
    return msgspec.json.encode(
        {
            "usage": _raw(row.usage, _USAGE),
            "id": row.id,
            "created_at": _utc(row.created_at),
            "completed_at": _utc(row.completed_at),
            "response": _raw(linked(row, link), _NULL),
            "status": row.status,
            "domain": row.domain,
            "metadata": _raw(row.metadata, _METADATA),
            "message": message,
            "error": _raw(row.error, _NULL),
            "skills": _skills(row),
            "progress": 1.0 if row.status == "completed" else row.progress and round(row.progress, 3),
            "step": row.step,
        }
    )


def execution_body(row: Prediction) -> bytes:
    """An execution as every route answers it; UTF-8 JSON. Official clients take an object or null for the response, and nothing else."""
    message = msgspec.json.decode(row.error, type=_Error).message if row.error else None
    task = msgspec.json.decode(row.request, type=_Executed).task
    return msgspec.json.encode(
        {
            "usage": _raw(row.usage, _USAGE),
            "id": row.id,
            "name": row.agent or "",
            "created_at": _utc(row.created_at),
            "completed_at": _utc(row.completed_at),
            "response": _object(row.response),
            "execution_mode": task.mode,
            "status": row.status,
            "model": row.model,
            "metadata": _raw(row.metadata, _METADATA),
            "message": message,
            "error": _raw(row.error, _NULL),
            "skills": [SkillUse(name=skill.name, version=skill.version, hash=skill.hash, id=skill.id) for skill in task.skills],
        }
    )


def result_body(row: Prediction, link: Link | None = None) -> bytes:
    """What a webhook sends: the body that GET by id answers for a row of this kind."""
    return execution_body(row) if row.kind == "execution" else prediction_body(row, link)


def _object(response: str | None) -> object:
    """A response as an object: a list is its `results`, anything else its `answer`."""
    if response is None or response == "null" or response.startswith("{"):
        return _raw(response, _NULL)
    return {"results" if response.startswith("[") else "answer": _raw(response, _NULL)}


def _skills(row: Prediction) -> list[SkillUse]:
    return msgspec.json.decode(row.request, type=_Planned).plan.skills if '"skills":[{' in row.request else []


def _raw(text: str | None, default: msgspec.Raw) -> msgspec.Raw:
    return default if text is None else msgspec.Raw(text.encode())


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
