"""What is used of aiohttp beside its documented ways."""

from __future__ import annotations

import asyncio

import aiohttp

from heliograph.models.endpoint import drain_at_once


class Connection:
    """Counts how often more is asked for."""

    looks = 0

    def resume_reading(self) -> None:
        self.looks += 1


async def test_chunks_that_have_come_are_handed_over_with_one_look_for_more() -> None:
    connection = Connection()
    content = aiohttp.StreamReader(connection, 1 << 18, loop=asyncio.get_running_loop())  # pyright: ignore[reportArgumentType]
    drain_at_once(content)
    for word in (b"one ", b"two ", b"three"):
        content.feed_data(word)
    assert await content.readany() == b"one two three"
    assert connection.looks == 1
