"""Scripts: what a scripted server answers, turn by turn.

    [[turn]]                                   # matched in order, each once
    answer = {invoice_number = "A-17"}

    [[turn]]                                   # with `when`: every request that fits, as often as it comes
    when = {text = "Total", image = true}
    extract = {total = 'Total:?\\s+(\\S+)'}

    [[turn]]
    status = 429
    retry_after = 1

The same as JSON, `{"turn": [...]}`, or as `Turn`s. The first turn that fits and is not used up answers.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from heliograph.models.scripted.heard import Heard

Answer = Callable[[Heard], Any]
"""Makes an answer from a request: text, a JSON value, a `Turn`, or an awaitable of one of these."""


class When(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Which requests a turn is for; what is None fits all. `repair`: words follow an answer of the model's."""

    text: str | list[str] | None = None
    """Words, all of them, that the messages hold."""
    model: str | None = None
    schema: bool | None = None
    image: bool | None = None
    repair: bool | None = None
    prefill: bool | None = None
    tools: bool | None = None
    stream: bool | None = None
    that: Callable[[Heard], bool] | None = None
    """In Python: whatever else."""

    def fits(self, heard: Heard) -> bool:
        """Whether `heard` is such a request."""
        texts = [self.text] if isinstance(self.text, str) else self.text or []
        traits = (
            (self.schema, heard.schema is not None),
            (self.image, heard.pictures > 0),
            (self.repair, heard.repair),
            (self.prefill, heard.prefill is not None),
            (self.tools, bool(heard.tools)),
            (self.stream, heard.stream),
        )
        return (
            all(text in heard.text for text in texts)
            and self.model in (None, heard.model)
            and all(wanted is None or wanted == is_so for wanted, is_so in traits)
            and (self.that is None or self.that(heard))
        )


class Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tool call: a tool's name and its arguments, a JSON value or the text of one (which need not be JSON)."""

    name: str
    arguments: Any = {}


class Turn(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One answer. `answer`, `extract`, `echo`, `calls`, `refusal` or `status` says what it is; none of them: `fill`."""

    when: When | None = None
    times: int | None = None
    """How often it answers. Unset: once, or with `when` always. 0: always."""

    # what is said
    answer: Any = None
    """Text, or a JSON value that becomes text; in Python also a callable (`Answer`)."""
    fill: bool = False
    """A valid instance of the request's schema."""
    extract: dict[str, str | list[str]] | None = None
    """Values by regular expressions over the prompt's text, by dotted path, with `[]` for all matches: `"lines[]"` (see `filling.find`)."""
    echo: bool = False
    """The last message of the user."""
    calls: list[Call] = []
    refusal: str | None = None
    """The model's words when it will not answer."""

    # how it is said
    wrap: Literal["", "fence", "prose", "think"] = ""
    """Around the answer: a Markdown fence, a sentence before and after it, or thoughts before it."""
    logprob: float | dict[str, float] = -0.01
    """Of every token, or by a piece of the answer's text, the other tokens having -0.01. Given when asked for."""
    finish: Literal["", "stop", "length", "content_filter", "tool_calls"] = ""
    """Why it ends, when other than what follows from the rest."""
    truncate: int | None = None
    """Tokens after which it is cut off, as by a limit."""
    whitespace: bool = False
    """Endless blank lines after the answer, or after `truncate` tokens of it, as a grammar that lets them may give, up to the limit."""
    reasoning: str = ""
    """Thoughts, in a field of their own."""

    # how it fails
    status: int | None = None
    """An HTTP error instead of an answer, in the server's own wording unless there is a `body`."""
    body: Any = None
    retry_after: float | None = None
    headers: dict[str, str] = {}
    delay: float = 0.0
    """Seconds before the first byte."""
    pace: float = 0.0
    """Seconds before each chunk of a stream."""
    reset_after: int | None = None
    """Chunks after which the connection is reset; without a stream, halfway through the body."""
    end_after: int | None = None
    """Chunks after which a stream ends as if nothing were missing: no finish reason, no `[DONE]`."""
    error_after: int | None = None
    """Chunks after which an error event stands in the stream."""
    garbage_after: int | None = None
    """Chunks after which lines stand in the stream that are no events."""
    error: str = "The server had an error while processing your request."
    """What the error event, or the error of `status`, says."""

    def fits(self, heard: Heard) -> bool:
        """Whether this turn is for such a request."""
        return self.when is None or self.when.fits(heard)


class Script:
    """Turns, and how often each has answered."""

    def __init__(self, turns: Sequence[Turn | Any] = ()) -> None:
        """What is no `Turn` is an answer, answered once. No turns: every request gets a valid instance of its schema."""
        self.turns = [turn if isinstance(turn, Turn) else Turn(answer=turn) for turn in turns] or [Turn(times=0)]
        self.used = [0] * len(self.turns)

    def next(self, heard: Heard) -> int | None:
        """The place of the turn that answers `heard`, which is used up by it; None when the script has none."""
        for place, turn in enumerate(self.turns):
            times = turn.times if turn.times is not None else int(turn.when is None)
            if (not times or self.used[place] < times) and turn.fits(heard):
                self.used[place] += 1
                return place
        return None


def read(path: Path) -> Script:
    """The script in a TOML or JSON file. Raises ValueError with what is wrong in it."""
    text = path.read_text("utf-8")
    try:
        data = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        return Script(msgspec.convert(data, _File).turn)
    except (ValueError, msgspec.ValidationError) as problem:
        raise ValueError(f"{path}: {problem}") from problem


class _File(msgspec.Struct, forbid_unknown_fields=True):
    turn: list[Turn]
