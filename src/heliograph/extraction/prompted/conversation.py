"""What is said to a model about one window, until its answer is had.

    said = await converse(backend, messages, schema, request)

The schema is lowered for the backend and asked about, its parts side by side. An answer that was cut off is gone on with; values that
do not fit are made to where that has one meaning, and else shown to the model with what is wrong about them, `request.max_retries` times;
what does not fit then is null. The best answer so far is never lost: whatever fails after the first reply leaves it as it is.

The number of requests is bounded: for each part one, `max_retries` repairs and MOST_CONTINUED continuations; and once more all of it
for each JSON mode that the server refuses.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Iterable, Sequence
from typing import Any, TypeVar, cast

import msgspec

from heliograph.extraction.prompted.continuing import Seam, circles, go_on, grafted, kept, unrolled
from heliograph.extraction.prompted.fitting import Fitted, Problem, fit, put, scalars, without
from heliograph.extraction.prompted.replies import Parsed, likelihoods, parse
from heliograph.extraction.prompted.request import Request
from heliograph.extraction.prompted.states import settled
from heliograph.extraction.result import Leaf, Path, State, walk
from heliograph.extraction.schema import Field, Schema
from heliograph.models.contract import Ask, Backend, JsonMode, Message, Profile, Reply, Spent, assistant, user
from heliograph.models.contract import Text as Words
from heliograph.models.errors import ModelError, ModelRefused
from heliograph.models.lowering import Lowered, join, lower

Json = Any
Made = TypeVar("Made")
log = logging.getLogger(__name__)

MOST_CONTINUED = 6
"""Times that a cut answer is gone on with, as long as each brings something."""
MOST_PROBLEMS = 8
"""Problems that a repair names."""
_WARNED = 10
"""Values that do not fit which are named one by one."""
_QUOTED = 2_000
"""Characters of a reply without JSON that the model is shown again."""
_ABOUT_MODE = re.compile(r"response.?format|json.?schema|schema|json.?object|\btools?\b|function|grammar|guided|structured", re.IGNORECASE)
_NOT_ASKED = ("properties", "$ref", "anyOf", "items")
"""Keywords whose loss means that something was not asked for at all."""
_LOOSE = " \t\r\n,`"
_NO_SCHEMA = "That was the JSON Schema itself. Answer with an object that fits it: the fields' values, from the document, and nothing else."
_AGAIN = "That was not a JSON object. Answer again with the JSON object alone: no words, no Markdown, nothing before or after it."


class Said(msgspec.Struct, kw_only=True):
    """An answer. `value` fits the schema but for keys that are lacking: of those the answer said nothing.

    `states` has every leaf, lacking ones too, and the path of each list that was cut. `tokens`: the mean log-probability of each leaf's
    tokens, `weakest` the least of them, as far as the backend gives any. `problems`: what did not fit and is null now. `truncated`: the
    answer was cut off, and going on did not bring the rest. `refused`: the model's words, if it would not answer at all. `asked`:
    requests that it took.
    """

    value: Json = None
    problems: list[str] = []
    warnings: list[str] = []
    states: dict[Path, State] = {}
    tokens: dict[Path, float] = {}
    weakest: dict[Path, float] = {}
    refused: str | None = None
    truncated: bool = False
    spent: Spent = Spent()
    asked: int = 0


async def converse(backend: Backend, messages: Sequence[Message], schema: Schema, request: Request) -> Said:
    """Ask, and make of the answer what can be made. Raises `ModelError`s where there is no answer at all."""
    return await _Conversation(backend, list(messages), schema, request, await backend.profile()).held()


class _Part(msgspec.Struct):
    """A part of the schema, and what was said to it: the value as it was sent, where it was cut, the likelihoods of its scalars."""

    lowered: Lowered
    value: Json = None
    cut: Path | None = None
    prefix: str = ""
    refusal: str | None = None
    likely: dict[Path, tuple[float, float]] = {}
    repairs: int = 0

    @property
    def answered(self) -> bool:
        return self.value is not None

    @property
    def whole(self) -> bool:
        return self.cut is None


class _Conversation:
    def __init__(self, backend: Backend, messages: list[Message], schema: Schema, request: Request, profile: Profile) -> None:
        self.backend, self.messages, self.schema, self.request, self.profile = backend, messages, schema, request, profile
        self.modes: list[JsonMode] = list(profile.json_modes) or ["prompt"]
        self.parts: list[_Part] = []
        self.spent: list[Spent] = []
        self.warnings: list[str] = []

    async def held(self) -> Said:
        """The whole conversation."""
        await self._first()
        words = [part.refusal for part in self.parts if part.refusal is not None]
        if len(words) == len(self.parts):
            return self._said(Fitted(None), refused=words[0])
        fitted = self._fitted()
        for _ in range(self.request.max_retries):
            if not fitted.problems or (better := await self._repaired(fitted)) is None:
                break
            fitted = better
        return self._said(fitted)

    # -- asking -------------------------------------------------------------------------------------------------------

    async def _first(self) -> None:
        """Ask about every part, in the strongest JSON mode that the server does not refuse."""
        while True:
            profile = msgspec.structs.replace(self.profile, json_modes=(self.modes[0],))
            self.parts = [_Part(lowered) for lowered in lower(self.schema.source, profile)]
            try:
                await together(self._answer(part) for part in self.parts)
                return
            except ModelRefused as refused:
                if len(self.modes) == 1 or not _ABOUT_MODE.search(refused.message):
                    raise
                told = f"json_mode: the server refused the mode {self.modes[0]}, and was asked in {self.modes[1]}: {refused.message[:200]}"
                self.warnings.append(told)
                del self.modes[0]

    async def _answer(self, part: _Part) -> None:
        """Have an answer to `part`, whole if that can be had."""
        messages = self.messages
        while True:
            reply = await self._ask(part, messages)
            if reply.finish == "refusal":
                part.refusal = reply.refusal or reply.text or "without a word"
                return
            parsed = parse(reply.text, spans=reply.tokens is not None)
            echoed = _is_a_schema(parsed.value, self.schema.root)
            if parsed.found and not echoed and (self.schema.root.is_leaf or _holds_more(parsed.value)):
                break
            if part.repairs >= self.request.max_retries:
                return
            part.repairs += 1
            messages = [*self.messages, assistant(reply.text[:_QUOTED].strip() or "{}"), user(Words(_NO_SCHEMA if echoed else _AGAIN))]
        self._take(part, parsed, reply)
        for _ in range(MOST_CONTINUED):
            if part.cut is None or not await self._continued(part):
                return

    def _take(self, part: _Part, parsed: Parsed, reply: Reply) -> None:
        part.value, part.cut = parsed.value, parsed.cut
        if reply.finish == "stop" and not reply.text[parsed.end :].strip(_LOOSE):
            part.cut = None  # nothing was on its way: only the brackets were forgotten
        part.prefix = reply.text[parsed.start : parsed.end]
        part.likely = likelihoods(reply.tokens or [], reply.text, parsed.spans)

    async def _continued(self, part: _Part) -> bool:
        """Go on with a cut answer once. Returns whether that brought something."""
        assert part.cut is not None
        seam, before = Seam.at(part.cut), scalars(part.value)
        if circles(part.value, seam):
            part.value = unrolled(part.value, seam)
            self.warnings.append("repetition: the model gave the same entry again and again; it is kept once")
            return False
        try:
            if self.profile.prefill and part.prefix:
                await self._prefilled(part, seam)
            else:
                await self._followed(part, seam)
        except ModelError as error:
            self.warnings.append(f"not_continued: the answer was cut off, and could not be gone on with: {error.message[:200]}")
            return False
        return part.whole or scalars(part.value) > before

    async def _prefilled(self, part: _Part, seam: Seam) -> None:
        """Let the model write on where it stopped."""
        prefix = part.prefix.rstrip()
        reply = await self._ask(part, self.messages, prefill=prefix)
        if reply.finish == "refusal":
            return
        whole = prefix + reply.text
        parsed = parse(whole, spans=reply.tokens is not None)
        if parsed.start == 0 and parsed.end > len(prefix):
            new = {path: (first - len(prefix), last - len(prefix)) for path, (first, last) in parsed.spans.items() if first >= len(prefix)}
            part.value, part.cut, part.prefix = parsed.value, parsed.cut, whole[: parsed.end]
            part.likely = {**part.likely, **likelihoods(reply.tokens or [], reply.text, new)}
        else:  # it began anew
            self._graft(part, seam, reply)

    async def _followed(self, part: _Part, seam: Seam) -> None:
        """Ask the model for the rest, in a new answer."""
        shown = json.dumps(kept(part.value, seam), ensure_ascii=False, separators=(",", ":"))
        reply = await self._ask(part, [*self.messages, assistant(shown), user(Words(go_on(seam)))])
        if reply.finish != "refusal":
            self._graft(part, seam, reply)

    def _graft(self, part: _Part, seam: Seam, reply: Reply) -> None:
        parsed = parse(reply.text, spans=reply.tokens is not None)
        if not _holds_more(parsed.value):
            return
        part.value, where = grafted(part.value, seam, parsed.value)
        for path, likely in likelihoods(reply.tokens or [], reply.text, parsed.spans).items():
            if (at := where(path)) is not None and (at not in part.likely or seam.rows is not None):
                part.likely[at] = likely
        part.cut = None if parsed.cut is None else (where(parsed.cut) or part.cut)
        part.prefix = ""

    async def _ask(self, part: _Part, messages: list[Message], *, prefill: str | None = None) -> Reply:
        reply = await self.backend.ask(
            Ask(
                messages=messages,
                schema=part.lowered.schema,
                mode=self.modes[0],
                temperature=self.request.temperature,
                max_tokens=min(self.request.max_tokens, self.profile.max_output),
                logprobs=self.profile.logprobs,
                prefill=prefill,
            )
        )
        self.spent.append(reply.spent)
        return reply

    # -- repairing ----------------------------------------------------------------------------------------------------

    def _fitted(self) -> Fitted:
        """The answers of all parts as one, made to fit where that has one meaning."""
        answered = [part for part in self.parts if part.answered]
        value = join([part.lowered for part in answered], [part.lowered.raised(part.value) for part in answered])
        if isinstance(value, list) and self.schema.root.kind == "object" and len(cast("list[Json]", value)) == 1:
            value = cast("list[Json]", value)[0]
        return fit(value, self.schema)

    async def _repaired(self, fitted: Fitted) -> Fitted | None:
        """Show the model what does not fit. The better answer, or None when nothing came of it."""
        before = [(part.value, dict(part.likely)) for part in self.parts]
        wrong = [(part, sent) for part in self.parts if part.repairs < self.request.max_retries and (sent := self._wrong(part, fitted))]
        if not wrong:
            return None
        try:
            replies = await together(self._ask(part, self._asked_again(part, sent)) for part, sent in wrong)
        except ModelError as error:
            self.warnings.append(f"not_repaired: {error.message[:200]}")
            return None
        anew: list[tuple[_Part, Parsed]] = []
        for (part, sent), reply in zip(wrong, replies, strict=True):
            part.repairs += 1
            parsed = parse(reply.text, spans=reply.tokens is not None)
            if reply.finish != "refusal" and _holds_more(parsed.value):
                likely = likelihoods(reply.tokens or [], reply.text, parsed.spans)
                self._patch(part, parsed.value, [path for path, _ in sent], likely)
                if parsed.complete:
                    anew.append((part, parsed))
        best = self._fitted()
        if len(best.problems) >= len(fitted.problems):
            for part, (value, likely) in zip(self.parts, before, strict=True):
                part.value, part.likely = value, likely
            best = fitted
        return self._anew(best, anew)

    def _anew(self, best: Fitted, anew: list[tuple[_Part, Parsed]]) -> Fitted:
        """The repaired answers as a whole, where they fit better than the first with its wrong values replaced, and are no less."""
        if not best.problems or not anew:
            return best
        before = [(part, part.value, part.likely) for part, _ in anew]
        for part, parsed in anew:
            if scalars(parsed.value) * 5 >= scalars(part.value) * 4:
                part.value, part.likely = parsed.value, {}
        made = self._fitted()
        if len(made.problems) < len(best.problems):
            return made
        for part, value, likely in before:
            part.value, part.likely = value, likely
        return best

    def _wrong(self, part: _Part, fitted: Fitted) -> list[tuple[Path, Problem]]:
        """The problems of a part, with the paths that the model knows them by."""
        if not part.answered:
            return []
        sent = {there: here for here, there in part.lowered.traced(part.value)[1].items()}
        return [(sent.get(problem.path, problem.path), problem) for problem in fitted.problems if part.lowered.asks(problem.path)]

    def _asked_again(self, part: _Part, wrong: list[tuple[Path, Problem]]) -> list[Message]:
        named = [f"- {'.'.join(map(str, path)) or 'the answer'}: {problem.message}" for path, problem in wrong[:MOST_PROBLEMS]]
        if len(wrong) > MOST_PROBLEMS:
            named.append(f"- and {len(wrong) - MOST_PROBLEMS} more of this kind")
        told = "These values do not fit what was asked for:\n" + "\n".join(named)
        told += "\n\nLook at the document again and answer with the whole JSON object, corrected. What the document does not say is null."
        shown = json.dumps(part.value, ensure_ascii=False, separators=(",", ":"))
        return [*self.messages, assistant(shown), user(Words(told))]

    def _patch(self, part: _Part, new: Json, paths: list[Path], likely: dict[Path, tuple[float, float]]) -> None:
        """Take the values at `paths` from a repaired answer, and nothing else: what was right stays as it was said first."""
        value = msgspec.json.decode(msgspec.json.encode(part.value))
        for path in paths:
            found = new
            for step in path:
                inside = isinstance(found, dict) and step in found
                inside = inside or (isinstance(found, list) and isinstance(step, int) and step < len(cast("list[Json]", found)))
                found = cast("dict[str | int, Json]", found)[step] if inside else ...
            if found is not ... and path:
                value = put(value, path, found)
                part.likely = {at: each for at, each in part.likely.items() if at[: len(path)] != path}
                part.likely |= {at: each for at, each in likely.items() if at[: len(path)] == path}
        part.value = value

    # -- telling ------------------------------------------------------------------------------------------------------

    def _said(self, fitted: Fitted, *, refused: str | None = None) -> Said:
        value = without(fitted.value, fitted.problems, self.schema)
        dropped = {problem.path for problem in fitted.problems if problem.leaf and not problem.soft}
        tokens, weakest = self._tokens(value, fitted.moved)
        return Said(
            value=value,
            problems=[_sentence(problem) for problem in fitted.problems],
            warnings=list(dict.fromkeys([*self.warnings, *self._told(fitted, refused)])),
            states=self._states(value, dropped),
            tokens=tokens,
            weakest=weakest,
            refused=refused,
            truncated=any(part.cut is not None for part in self.parts),
            spent=Spent(*(sum(getattr(each, name) for each in self.spent) for name in ("input", "cached", "output"))),
            asked=len(self.spent),
        )

    def _told(self, fitted: Fitted, refused: str | None) -> list[str]:
        """Warnings about what was not asked, not answered or not fitting."""
        lost = [loss for part in self.parts for loss in part.lowered.lost if loss.keyword in _NOT_ASKED]
        made = [f"schema_reduced: {'.'.join(loss.path) or 'the schema'}: {loss.why}" for loss in lost[:_WARNED]]
        if refused is None:
            made += [f"refused: the model would not answer a part: {part.refusal[:300]}" for part in self.parts if part.refusal is not None]
            silent = sum(not part.answered and part.refusal is None for part in self.parts)
            if silent:
                whose = "the model's answer" if len(self.parts) == 1 else f"{silent} of {len(self.parts)} answers of the model"
                made.append(f"unreadable_answer: {whose} held no JSON that answers")
        made += [
            f"{'value_kept' if problem.soft or not problem.leaf else 'value_dropped'}: {_sentence(problem)}"
            for problem in fitted.problems[:_WARNED]
        ]
        if len(fitted.problems) > _WARNED:
            made.append(f"value_dropped: {len(fitted.problems) - _WARNED} more values do not fit the schema")
        return made

    def _states(self, value: Json, dropped: set[Path]) -> dict[Path, State]:
        lacking: dict[Path, Leaf] = {}
        settled(value, self.schema.root, lacking, missing="not_reached", null="absent")
        states: dict[Path, State] = {path: "absent" if found is None else "found" for path, found in walk(value)}
        if value is None:
            states.clear()
        for path, leaf in lacking.items():
            states[path] = self._why(path) if leaf.state == "not_reached" else leaf.state
        for path in dropped:
            states[path] = "unreadable"
        for part in self.parts:
            if part.cut is not None and (seam := Seam.at(part.cut)).rows is not None:
                states[seam.rows] = "not_reached"
        return states

    def _why(self, path: Path) -> State:
        """Why nothing was said of the field at `path`."""
        part = next((part for part in self.parts if part.lowered.asks(path)), None)
        if part is None:
            return "not_reached"
        if part.refusal is not None:
            return "refused"
        return "unreadable" if not part.answered else "not_reached" if part.cut is not None else "absent"

    def _tokens(self, value: Json, moved: Iterable[Path]) -> tuple[dict[Path, float], dict[Path, float]]:
        """The mean and the least log-probability of the leaves that stand where they were said."""
        there = {path for path, found in walk(value) if found is not None}
        there -= {path for path in there for one in moved if path[: len(one)] == one}
        means: dict[Path, float] = {}
        weakest: dict[Path, float] = {}
        for part in self.parts:
            if not part.likely:
                continue
            for here, path in part.lowered.traced(part.value)[1].items():
                if path in there and here in part.likely:
                    means[path], weakest[path] = part.likely[here]
        return means, weakest


def _holds_more(value: Json) -> bool:
    """Whether a reply's value may be an answer to a schema of more than one field."""
    return isinstance(value, (dict, list))


def _is_a_schema(value: Json, root: Field) -> bool:
    """Whether a reply gives back the schema that it should answer, as small models do that nothing holds to it."""
    table = cast("dict[str, Json]", value) if isinstance(value, dict) else {}
    return isinstance(table.get("properties"), dict) and "type" in table and root.field("properties") is None


def _sentence(problem: Problem) -> str:
    return f"{'.'.join(map(str, problem.path)) or 'the answer'}: {problem.message}"


async def together(asks: Iterable[Awaitable[Made]]) -> list[Made]:
    """All of them side by side; when one fails, the others are ended and its error is raised."""
    tasks = [asyncio.ensure_future(ask) for ask in asks]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
