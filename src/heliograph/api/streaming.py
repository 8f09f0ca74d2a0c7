"""A completion as server-sent events: from its log, so that who comes back with the last event's id has missed nothing.

The id of an event is the number of the last thing told of each choice, `3` or `3.0.5`. An error is an event of its own, and then there
is no `[DONE]`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from heliograph.api import chunks
from heliograph.api.chunks import Voice
from heliograph.api.tailing import News, Tails
from heliograph.errors import HeliographError, InvalidRequest
from heliograph.store.predictions import Prediction

BEAT = 10.0
"""Seconds of quiet after which a comment shows that the connection lives."""
DONE = b"data: [DONE]\n\n"
HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}

Json = Any


class Failed(msgspec.Struct):
    """Why a run gave no answer, as its row says."""

    type: str = "internal_error"
    message: str = "Something went wrong in the server."


def failure(row: Prediction) -> Failed:
    """Why this run, which has ended, gave no answer."""
    if row.error is not None:
        return msgspec.json.decode(row.error, type=Failed)
    return Failed("cancelled", "The completion was cancelled.") if row.cancelled else Failed()


def failed(row: Prediction) -> bool:
    """Whether a run that has ended gave no answer."""
    return row.status != "completed"


def cursor(last_event_id: str | None, choices: int) -> list[int]:
    """The numbers in a `Last-Event-ID`, one a choice; zeros without one. Raises InvalidRequest for what is no id of ours."""
    if not last_event_id:
        return [0] * choices
    numbers = last_event_id.strip().split(".")
    if len(numbers) != choices or not all(number.isascii() and number.isdecimal() and len(number) < 10 for number in numbers):
        raise InvalidRequest("Last-Event-ID is not the id of an event of this completion.", param="Last-Event-ID")
    return [int(number) for number in numbers]


async def stream(tails: Tails, rows: Sequence[Prediction], after: Sequence[int], *, asks_usage: bool) -> AsyncGenerator[bytes]:
    """The events of the completion whose choices are `rows`, behind the numbers `after`.

    `asks_usage`: usage has a chunk of its own, with no choices in it; otherwise it stands in the last choice's last chunk, since who has
    not asked for such a chunk may not expect it.
    """
    about = chunks.facts(rows[0])
    voices = [Voice(row.id) for row in rows]
    seen = [0] * len(rows)
    ended: list[Prediction | None] = [None] * len(rows)

    def event(content: Json, *, seqs: bool = True) -> bytes:
        head = f"id: {'.'.join(str(max(pair)) for pair in zip(seen, after, strict=True))}\n" if seqs else ""
        return f"{head}data: {msgspec.json.encode(content).decode()}\n\n".encode()

    if not any(after):
        yield b"".join(event(chunks.chunk(about, index, {"role": "assistant", "content": ""})) for index in range(len(rows)))
    try:
        async for index, news in _together(tails, rows):
            made: list[bytes] = []
            for entry in news.entries:
                delta, seen[index] = voices[index].hears(entry), entry.seq
                if entry.seq > after[index]:
                    made.append(event(chunks.chunk(about, index, delta)))
            if (row := news.ended) is not None:
                ended[index] = row
                if failed(row):
                    yield b"".join(made) + event({"error": _error(failure(row))}, seqs=False)
                    return
                outcome = chunks.outcome_of(row)
                deltas = voices[index].ends(outcome)
                seen[index] += 1  # what only the outcome told has a number too, behind all events
                if seen[index] > after[index]:
                    made += [event(chunks.chunk(about, index, delta)) for delta in deltas]
                every = [row for row in ended if row is not None]
                last = len(every) == len(rows)
                told = chunks.sums(every) if last and not asks_usage else {}
                made.append(event(chunks.chunk(about, index, {}, finish=outcome.finish) | told))
                if last:
                    made += [event(chunks.usage_chunk(about, every))] if asks_usage else []
                    made.append(DONE)
            yield b"".join(made) or b": heartbeat\n\n"
    except HeliographError as error:
        yield event({"error": _error(Failed(error.type, error.message))}, seqs=False)


def _error(why: Failed) -> dict[str, Json]:
    return {"message": why.message, "type": why.type, "param": None, "code": why.type}


async def _together(tails: Tails, rows: Sequence[Prediction]) -> AsyncGenerator[tuple[int, News]]:
    """The news of several runs, as they come, until all have ended."""
    came: asyncio.Queue[tuple[int, News | HeliographError]] = asyncio.Queue(maxsize=len(rows))

    async def follow(index: int, row: Prediction) -> None:
        try:
            async for news in tails.follow(row.tenant, row.id, beat=BEAT):
                await came.put((index, news))
        except HeliographError as error:
            await came.put((index, error))

    followers = [asyncio.create_task(follow(index, row)) for index, row in enumerate(rows)]
    left = len(rows)
    try:
        while left:
            index, news = await came.get()
            if isinstance(news, HeliographError):
                raise news
            yield index, news
            left -= news.ended is not None
    finally:
        for follower in followers:
            follower.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*followers, return_exceptions=True)
