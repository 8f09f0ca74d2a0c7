"""A request in plain words, answered without a language model."""

from __future__ import annotations

from typing import Any

import msgspec

from heliograph.agents.calling import ToolFailed
from heliograph.agents.context import Context
from heliograph.agents.events import Said
from heliograph.agents.outcome import Outcome, Spent
from heliograph.agents.planner.clauses import Clause, clauses
from heliograph.agents.planner.doing import DOERS
from heliograph.agents.planner.hand import Asks, Done, Hand, Withheld
from heliograph.agents.planner.moves import Act, Decline, Move, Question
from heliograph.agents.planner.rules import understand
from heliograph.errors import NotConfigured

Json = Any

LONGEST = 4_000
"""Characters of a request that are read; longer ones are for a language model."""
ADD_A_MODEL = "Add one with HELIOGRAPH_MODEL_URL, or a table [models.default] in heliograph.toml."
NEEDS = {
    "language model": f"needs a language model, and none is configured on this server. {ADD_A_MODEL}",
    "vision model": f"needs a model that sees, and none is configured on this server. {ADD_A_MODEL}",
    "image model": "needs an image model, and none is configured on this server. Add one as [providers.<name>] in heliograph.toml.",
    "no tool": "is nothing that I have a tool for.",
}
NOT_UNDERSTOOD = (
    "I did not understand that well enough to do anything. No language model is configured on this server, only tools matched to plain "
    f"words; say “what can you do?” for examples. {ADD_A_MODEL}"
)


async def run(at: Context) -> Outcome:
    """Answer the newest message of a chat, or an execution's prompt.

    Raises NotConfigured where the answer must be JSON of a schema, which nothing here writes.
    """
    hand = Hand(at)
    request = _request(at)
    parts = clauses(request) if len(request) <= LONGEST else []
    texts: list[str] = []
    value: dict[str, Json] = {}
    made: list[str] = []
    understood = [(clause, understand(clause)) for clause in parts]
    blocked = next((move for _, move in understood if not isinstance(move, Act)), None) if understood else None
    if not understood or (blocked is None and any(move is None for _, move in understood)):
        texts.append(NOT_UNDERSTOOD)
    elif blocked is not None or any(not isinstance(move, Act) for _, move in understood):
        texts.append(_refusal(understood))
    else:
        for clause, move in understood:
            assert isinstance(move, Act)
            done, goes_on = await _done(hand, move, clause)
            texts.append(done.text)
            value |= done.value
            if done.made:
                made = hand.made = done.made
            await at.workspace.emit(Said(("\n\n" if len(texts) > 1 else "") + done.text), key=f"said:{len(texts)}")
            if not goes_on:
                break
        return _outcome(at, hand, texts, value, made)
    await at.workspace.emit(Said(texts[0]), key="said:1")
    return _outcome(at, hand, texts, value, made)


async def _done(hand: Hand, act: Act, clause: Clause) -> tuple[Done, bool]:
    """What one clause came to, and whether the next may follow."""
    try:
        return await DOERS[act.name](hand, act, clause), True
    except Asks as asks:
        return Done(text=asks.question.text), False
    except Withheld as withheld:
        enabled = ", ".join(withheld.enabled) or "none"
        name = withheld.tool.toolset
        return Done(
            text=f"That needs the toolset `{name}` (its tool {withheld.tool.name}), and this request enables {enabled}. "
            f'Send `"toolsets": ["{name}"]` with it, or stream the answer, which enables all.'
        ), False
    except ToolFailed as failed:
        return Done(text=f"That did not work: {failed.message}"), False


def _refusal(understood: list[tuple[Clause, Move | None]]) -> str:
    """Nothing is done of a request of which a part cannot be: half an answer is easily taken for a whole one."""
    lines: list[str] = []
    for clause, move in understood:
        if isinstance(move, Decline):
            lines.append(f"{move.what} {NEEDS[move.needs]}")
        elif isinstance(move, Question):
            lines.append(move.text)
        elif move is None:
            lines.append(f"I did not understand “{clause.text}”. {NOT_UNDERSTOOD}")
    if any(isinstance(move, Act) for _, move in understood):
        lines.append("I have not done the rest yet; say it alone and I will.")
    return "\n".join(dict.fromkeys(lines))


def _request(at: Context) -> str:
    if at.task.kind == "execution":
        words = [each for each in (at.task.inputs or {}).values() if isinstance(each, str)]
        return at.task.prompt or "\n".join(words)
    last = next((message for message in reversed(at.task.messages) if message.role == "user"), None)
    return last.text.strip() if last else ""


def _outcome(at: Context, hand: Hand, texts: list[str], value: dict[str, Json], made: list[str]) -> Outcome:
    text = "\n\n".join(texts)
    answer: dict[str, Json] = {"answer": text, **value}
    images = [ref for ref in made if ref.startswith("img_")]
    if len(made) == 1:
        answer["image" if images else "document"] = {"id": made[0]}
    elif made:
        answer["images" if images else "documents"] = [{"id": ref} for ref in made]
    if at.task.format is not None:
        if at.task.format.schema is not None:
            raise NotConfigured(f"An answer in a JSON schema of your own needs a language model. {ADD_A_MODEL}", param="response_format")
        text = msgspec.json.encode(answer).decode()
    return Outcome(
        text=text, value=answer, mode="agent" if at.task.kind == "execution" else None, answered_by="embedded",
        spent=Spent(steps=hand.steps, tools=hand.caller.calls),
    )  # fmt: skip
