"""The workspace of tests behaves as the stored one does."""

from __future__ import annotations

import pytest

from heliograph.agents.events import Said
from heliograph.agents.memory import Brought, Memory, MemoryWorkspace
from heliograph.errors import NotFound


async def test_what_was_kept_told_and_made_survives_the_workspace_and_is_not_doubled() -> None:
    memory = Memory()
    for _ in range(2):
        workspace = MemoryWorkspace(memory)
        async with workspace.step("tool:0"):
            made = await workspace.artifacts.put(b"x", kind="img", media_type="image/png", filename="a.png")
        await workspace.emit(Said("a"), key="said:0")
        await workspace.begin("tool:1")
    assert [each.ref for each in await workspace.artifacts.list()] == [made.ref]
    assert await workspace.said("said:") == "a"
    assert (await workspace.known("tool:1")).state == "begun"
    await workspace.keep("tool:1", b"1")
    assert (await MemoryWorkspace(memory).known("tool:1")).output == b"1"
    assert (await workspace.known("tool:2")).state == "new"


async def test_artifacts_are_found_by_reference_and_by_name_and_what_is_missing_names_them() -> None:
    workspace = MemoryWorkspace(Memory(inputs={0: Brought(content=b"%PDF", kind="doc", media_type="application/pdf", filename="a.pdf")}))
    brought = await workspace.bring(0)
    assert (await workspace.bring(0), brought.source) == (brought, "manifest")
    assert await workspace.artifacts.get("a.pdf") == await workspace.artifacts.get(brought.ref) == brought
    async with workspace.artifacts.local("a.pdf") as path:
        assert path.read_bytes() == b"%PDF"
    with pytest.raises(NotFound, match=rf"img_aaaaaa here; there are {brought.ref} \(a\.pdf\)"):
        await workspace.artifacts.get("img_aaaaaa")
