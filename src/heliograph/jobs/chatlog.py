"""The row of the log of chats that a run leaves as it ends."""

from __future__ import annotations

from typing import Any

import msgspec

from heliograph.agents.outcome import Outcome
from heliograph.agents.task import Media, Message, Part, Task, Text
from heliograph.jobs.attempts import Cancelled, Failure
from heliograph.store.completions import Completion
from heliograph.store.predictions import Prediction

Json = Any


def logged(row: Prediction, task: Task, body: dict[str, Any], made: Outcome | Failure) -> Completion:
    """What the log says of the run of `row`, which has ended with `made`. `body`: the request's options."""
    failed = isinstance(made, Failure)
    ended = row.completed_at or row.created_at
    return Completion(
        tenant=row.tenant,
        id=row.id,
        session=row.session,
        key_id=row.key_id,
        model=task.model,
        answered_by="" if failed else made.answered_by,
        status=("cancelled" if made.type == Cancelled.type else "failed") if failed else "completed",
        finish_reason=None if failed else made.finish,
        stream=task.stream,
        request=msgspec.json.encode(body | {"messages": [shown(message) for message in task.messages]}).decode(),
        response=None if failed else made.text,
        error=row.error,
        usage=row.usage,
        metadata=row.metadata,
        user_agent=task.user_agent,
        milliseconds=round((ended - row.created_at).total_seconds() * 1000),
        created_at=row.created_at,
    )


def shown(message: Message) -> dict[str, Json]:
    """A message in the wire's words, as the log has it. Its media are named, not held."""
    content: Json = [_part(part) for part in message.parts]
    if len(message.parts) == 1 and isinstance(message.parts[0], Text):
        content = message.parts[0].text
    shown: dict[str, Json] = {"role": message.role, "content": content}
    shown |= {"name": message.name} if message.name else {}
    shown |= {"tool_call_id": message.call_id} if message.call_id else {}
    if message.calls:
        function = [{"name": call.name, "arguments": call.arguments} for call in message.calls]
        shown["tool_calls"] = [
            {"id": call.id, "type": "function", "function": asked} for call, asked in zip(message.calls, function, strict=True)
        ]
    return shown


def _part(part: Part) -> dict[str, Json]:
    if isinstance(part, Media):
        return {"type": part.kind} | ({"ref": part.ref} if part.ref else {}) | ({"name": part.name} if part.name else {})
    return {"type": "text", "text": part.text}
