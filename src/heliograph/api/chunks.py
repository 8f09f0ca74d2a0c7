"""A completion as its client hears it: events become chunks of a stream, or the message of an answer.

Beside what the OpenAI dialect knows, every chunk carries `session_id`; thoughts and what tools do are `reasoning_content`; a card is a
line `<preview data='...'/>` of the content.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from heliograph.agents.events import Asked, Event, Said, Shown, Thought
from heliograph.agents.outcome import Outcome
from heliograph.agents.task import Task, ToolCall
from heliograph.api import calls
from heliograph.jobs import tasks
from heliograph.store.events import Entry
from heliograph.store.predictions import Prediction

Json = Any

_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&#39;"})


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a completion's every chunk repeats."""

    id: str
    created: int
    model: str
    session: str
    tier: str

    def common(self, object: str) -> dict[str, Json]:
        """The head of a chunk, or of the whole."""
        return {
            "id": self.id, "object": object, "created": self.created, "model": self.model, "service_tier": self.tier,
            "session_id": self.session,
        }  # fmt: skip


def facts(first: Prediction) -> Facts:
    """The facts of the completion whose first choice this is."""
    return Facts(
        id=first.id, created=int(first.created_at.timestamp()), model=first.model, session=first.session or "",
        tier="default" if first.tier == "standard" else first.tier,
    )  # fmt: skip


class Voice:
    """One choice as it is told: what has been said of it so far, and what each event adds."""

    def __init__(self, completion: str) -> None:
        """`completion`: the run's own id."""
        self._completion = completion
        self._said = ""
        self.content = ""
        self.calls: list[ToolCall] = []

    def hears(self, entry: Entry) -> dict[str, Json]:
        """The delta that an event is."""
        event: Event = msgspec.json.decode(entry.data, type=Event)
        match event:
            case Said(text):
                self._said += text
                return self._says(text)
            case Thought(text):
                return {"reasoning_content": text}
            case Shown(card, data):
                return self._says(("\n" if self.content and not self.content.endswith("\n") else "") + line(card, data))
            case Asked(asked):
                return self._asks(asked)

    def ends(self, outcome: Outcome) -> list[dict[str, Json]]:
        """What an outcome holds that no event has told."""
        deltas: list[dict[str, Json]] = []
        if len(outcome.text) > len(self._said) and outcome.text.startswith(self._said):
            deltas.append(self._says(outcome.text[len(self._said) :]))
        if not self.calls and outcome.calls:
            deltas.append(self._asks(outcome.calls))
        return deltas

    def _says(self, text: str) -> dict[str, Json]:
        self.content += text
        return {"content": text}

    def _asks(self, asked: Sequence[ToolCall]) -> dict[str, Json]:
        made = [{"index": len(self.calls) + number} | _call(call, self._completion) for number, call in enumerate(asked)]
        self.calls += asked
        return {"tool_calls": made}


def chunk(about: Facts, choice: int, delta: dict[str, Json], *, finish: str | None = None) -> dict[str, Json]:
    """A chunk of one choice."""
    made = about.common("chat.completion.chunk")
    made["choices"] = [{"index": choice, "delta": delta, "logprobs": None, "finish_reason": finish}]
    return made


def usage_chunk(about: Facts, rows: Sequence[Prediction]) -> dict[str, Json]:
    """The chunk behind the last choice's end, for who asked for it."""
    made = about.common("chat.completion.chunk")
    made["choices"] = []
    return made | sums(rows)


def whole(rows: Sequence[Prediction], told: Sequence[Iterable[Entry]]) -> dict[str, Json]:
    """The completion of which these, all completed, are the choices; `told`: the events of each whose content holds cards."""
    outcomes = [outcome_of(row) for row in rows]
    made = facts(rows[0]).common("chat.completion")
    made["choices"] = [
        {"index": index, "message": _message(row, outcome, events), "logprobs": None, "finish_reason": outcome.finish}
        for index, (row, outcome, events) in enumerate(zip(rows, outcomes, told, strict=True))
    ]
    return made | sums(rows)


def pending(first: Prediction) -> dict[str, Json]:
    """What a request that does not wait is answered."""
    return facts(first).common("chat.completion") | {"choices": [], "usage": None, "status": first.status}


def sums(rows: Sequence[Prediction]) -> dict[str, Json]:
    """What all choices used together, and what there is to know about any of them."""
    outcomes = [outcome_of(row) for row in rows]
    warnings = [warning for outcome in outcomes for warning in outcome.warnings]
    if task_of(rows[0]).sampling.logprobs:
        warnings.append("An agent's answer has no logprobs; a model that is named has them, where it can tell them.")
    spent = [outcome.spent for outcome in outcomes]
    given, said = sum(each.input_tokens for each in spent), sum(each.output_tokens for each in spent)
    usage = {
        "prompt_tokens": given,
        "completion_tokens": said,
        "total_tokens": given + said,
        "prompt_tokens_details": {"cached_tokens": sum(each.cached_tokens for each in spent)},
        "credits_used": sum(row.credits for row in rows),
        "steps": sum(each.steps for each in spent),
    }
    return {"usage": usage} | ({"warnings": list(dict.fromkeys(warnings))} if warnings else {})


def outcome_of(row: Prediction) -> Outcome:
    """What came of a completed run."""
    return msgspec.json.decode(row.response or "{}", type=Outcome)


def task_of(row: Prediction) -> Task:
    """What a run was asked."""
    return tasks.asked(row).task


def line(card: str, data: dict[str, Json]) -> str:
    """A card as a line of content. Its JSON stands in single quotes, so those and what markup is made of are written as entities."""
    text = msgspec.json.encode({"type": card} | data).decode().translate(_ESCAPED)
    return f"<preview data='{text}'/>\n"


def _message(row: Prediction, outcome: Outcome, told: Iterable[Entry]) -> dict[str, Json]:
    voice = Voice(row.id)
    for entry in told:
        voice.hears(entry)
    voice.ends(outcome)
    message: dict[str, Json] = {"role": "assistant", "content": voice.content or (None if voice.calls else ""), "refusal": None}
    return message | ({"tool_calls": [_call(call, row.id) for call in voice.calls]} if voice.calls else {})


def _call(call: ToolCall, completion: str) -> dict[str, Json]:
    return {"id": calls.told(call.id, completion), "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
