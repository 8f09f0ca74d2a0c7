"""What is said: a turn and a request become tokens, tool calls, and the reason why they end."""

from __future__ import annotations

import json
from itertools import zip_longest
from typing import Any, Literal

import msgspec

from heliograph.models.contract import Token
from heliograph.models.scripted.filling import fill, find
from heliograph.models.scripted.heard import Heard, tokens
from heliograph.models.scripted.script import Turn

Ending = Literal["stop", "length", "content_filter", "tool_calls"]
MOST = 16_384
"""Tokens of an answer when nobody sets a limit."""
_THOUGHTS = "<think>\nThe page says it plainly.\n</think>\n\n"
_WRAPS = {
    "": ("", ""),
    "fence": ("```json\n", "\n```"),
    "prose": ("Here is what I found:\n\n", "\n\nLet me know if you need more."),
    "think": (_THOUGHTS, ""),
}


class Said(msgspec.Struct, kw_only=True, frozen=True):
    """An answer. `tokens` are its text, or, when `tool` is set, that call's arguments; `calls` are further calls as (name, arguments)."""

    tokens: list[Token]
    tool: str | None = None
    calls: list[tuple[str, str]] = []
    finish: Ending = "stop"
    refusal: str | None = None
    reasoning: str = ""
    input: int = 0
    cached: int = 0

    @property
    def text(self) -> str:
        """The answer's text."""
        return "".join(token.text for token in self.tokens)

    @property
    def output(self) -> int:
        """Tokens written."""
        return (
            len(self.tokens)
            + sum(len(tokens(arguments)) for _, arguments in self.calls)
            + len(tokens(self.reasoning + (self.refusal or "")))
        )


def say(turn: Turn, heard: Heard, *, answer: Any, limit: int | None = None, cached: int = 0) -> Said:
    """What `turn` says to `heard`; `answer` is its answer, computed. `limit`: tokens that the context leaves."""
    if turn.refusal is not None:
        return Said(tokens=[], refusal=turn.refusal, finish=turn.finish or "stop", input=len(heard.prompt), cached=cached)
    if turn.calls:
        calls = [(call.name, _text(call.arguments)) for call in turn.calls]
        finish = turn.finish or "tool_calls"
        words = _scored(tokens(_text(answer).removeprefix(heard.prefill or "")), turn.logprob) if answer is not None else []
        return Said(tokens=words, calls=calls, finish=finish, reasoning=turn.reasoning, input=len(heard.prompt), cached=cached)
    before, after = _WRAPS[turn.wrap] if heard.prefill is None else ("", "")
    text = _text(_value(turn, heard, answer)).removeprefix(heard.prefill or "")
    made = _scored(tokens(before), -0.01) + _scored(tokens(text), turn.logprob) + _scored(tokens(after), -0.01)
    most = min(number for number in (turn.truncate, heard.max_tokens, limit, MOST) if number is not None)
    if turn.whitespace:
        kept = made if turn.truncate is None else made[: turn.truncate]
        most = min(number for number in (heard.max_tokens, limit, MOST) if number is not None)
        made = kept + [Token("\n", -0.01)] * max(0, most + 1 - len(kept))
    cut = len(made) > most
    return Said(
        tokens=made[:most],
        tool=heard.tool,
        finish=turn.finish or ("length" if cut else "stop"),
        reasoning=turn.reasoning,
        input=len(heard.prompt),
        cached=cached,
    )


def shared(one: list[str], other: list[str]) -> int:
    """How many tokens two prompts begin with alike, in whole blocks of 16, as prefix caches count them."""
    alike = next((place for place, (a, b) in enumerate(zip_longest(one, other)) if a != b), len(one))
    return alike // 16 * 16


def _value(turn: Turn, heard: Heard, answer: Any) -> Any:
    if answer is not None:
        return answer
    if turn.extract is not None:
        return find(heard.schema, heard.text, turn.extract)
    if turn.echo:
        return heard.last
    return fill(heard.schema) if heard.schema is not None else "{}" if heard.mode == "json_object" else "text"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _scored(pieces: list[str], logprob: float | dict[str, float]) -> list[Token]:
    if not isinstance(logprob, dict):
        return [Token(piece, logprob) for piece in pieces]
    text, scored, at = "".join(pieces), list[Token](), 0
    spans = [(place, place + len(part), value) for part, value in logprob.items() if (place := text.find(part)) >= 0]
    for piece in pieces:
        inside = (value for start, end, value in spans if at < end and at + len(piece) > start)
        scored.append(Token(piece, next(inside, -0.01)))
        at += len(piece)
    return scored
