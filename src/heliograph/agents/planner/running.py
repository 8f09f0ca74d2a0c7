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
from heliograph.agents.planner.rules.recordings import parted
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
_CALLED = {"img": "image", "vid": "video", "aud": "audio"}
NOT_UNDERSTOOD = (
    "I did not understand that well enough to do anything. No language model is configured on this server, only tools matched to plain "
    f"words; say “what can you do?” for examples. {ADD_A_MODEL}"
)


async def run(at: Context) -> Outcome:
    """Answer the newest message of a chat, or an execution's prompt.

    The answer's value says by `result` what it is: `artifact`, `value`, `question` or `decline`. Raises NotConfigured where the answer must
    be JSON of a schema, which nothing here writes.
    """
    if at.task.format is not None and at.task.format.schema is not None:
        raise NotConfigured(f"An answer in a JSON schema of your own needs a language model. {ADD_A_MODEL}", param="response_format")
    hand = Hand(at)
    request = _request(at)
    recorded = await hand.recorded()
    asked = clauses(request) if len(request) <= LONGEST else []
    asked = [part for clause in asked for part in (parted(clause) if recorded else [clause])]
    moves = [(clause, understand(clause, recorded=recorded)) for clause in asked]
    acts = [(clause, move) for clause, move in moves if isinstance(move, Act)]
    parts: list[Done] = []
    if not moves or len(acts) < len(moves):
        parts.append(_refusal(moves))
        await _say(at, parts)
    else:
        for clause, act in acts:
            parts.append(await _done(hand, act, clause))
            hand.made = parts[-1].made or hand.made
            await _say(at, parts)
            if parts[-1].result in ("question", "decline"):
                break
    return _outcome(at, hand, parts)


async def _say(at: Context, parts: list[Done]) -> None:
    """Tell the newest part."""
    await at.workspace.emit(Said(("\n\n" if len(parts) > 1 else "") + parts[-1].text), key=f"said:{len(parts)}")


async def _done(hand: Hand, act: Act, clause: Clause) -> Done:
    """What one clause came to."""
    try:
        return await DOERS[act.name](hand, act, clause)
    except Asks as asks:
        return Done(text=asks.question.text, result="question")
    except Withheld as withheld:
        enabled = ", ".join(withheld.enabled) or "none"
        name = withheld.tool.toolset
        streamed = ", or stream the answer, which enables all" if hand.at.task.kind == "completion" else ""
        return Done(
            text=f"That needs the toolset `{name}` (its tool {withheld.tool.name}), and this request enables {enabled}. "
            f'Send `"toolsets": ["{name}"]` with it{streamed}.',
            result="decline",
        )
    except ToolFailed as failed:
        return Done(text=f"That did not work: {failed.message}", result="decline")


def _refusal(moves: list[tuple[Clause, Move | None]]) -> Done:
    """Nothing is done of a request of which a part cannot be: half an answer is easily taken for a whole one."""
    if not any(move for _, move in moves):
        return Done(text=NOT_UNDERSTOOD, result="decline")
    lines: list[str] = []
    for clause, move in moves:
        if isinstance(move, Decline):
            lines.append(f"{move.what} {NEEDS[move.needs]}")
        elif isinstance(move, Question):
            lines.append(move.text)
        elif move is None:
            lines.append(f"I did not understand “{clause.text}”, and no language model is configured that might. {ADD_A_MODEL}")
    if any(isinstance(move, Act) for _, move in moves):
        lines.append("I have not done the rest yet; say it alone and I will.")
    asks = all(isinstance(move, Question | Act) for _, move in moves)
    return Done(text="\n".join(dict.fromkeys(lines)), result="question" if asks else "decline")


def _request(at: Context) -> str:
    if at.task.kind == "execution":
        words = [each for each in (at.task.inputs or {}).values() if isinstance(each, str)]
        return at.task.prompt or "\n".join(words)
    return at.task.newest.text.strip() if at.task.newest else ""


def _outcome(at: Context, hand: Hand, parts: list[Done]) -> Outcome:
    text = "\n\n".join(part.text for part in parts)
    last = parts[-1]
    made = last.made or hand.made
    value: dict[str, Json] = {"result": last.result or ("artifact" if last.made else "value"), "answer": text}
    for part in parts:
        value |= part.value
    what = _CALLED.get(made[0][:3], "document") if made else "document"
    if len(made) == 1:
        value[what] = {"id": made[0]}
    elif made:
        value[f"{what}s"] = [{"id": ref} for ref in made]
    return Outcome(
        text=text if at.task.format is None else msgspec.json.encode(value).decode(),
        value=value,
        mode="agent" if at.task.kind == "execution" else None,
        answered_by="embedded",
        spent=Spent(steps=hand.steps, tools=hand.caller.calls),
    )
