"""A sandbox that is kept warm for all tests of a module, and short ways to run a program in it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from heliograph.agents.sandbox.running import Sandbox
from heliograph.agents.sandbox.script import Limits, Ran, Script, ToolSpec
from heliograph.config import Settings

TOOLS = (
    ToolSpec(group="image", name="rotate", doc="Turn an image.", parameters={"properties": {"image": {}, "angle": {}}}),
    ToolSpec(group="document", name="extract", doc="Values of a document.", parameters={"properties": {"path": {}, "grounding": {}}}),
)
Run = Callable[..., Awaitable[Ran]]


async def echo(tool: str, arguments: dict[str, Any]) -> Any:
    """Answers a call with itself."""
    return {"tool": tool, "arguments": arguments}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    """One sandbox for the tests of a module, inside bubblewrap."""
    if shutil.which("bwrap") is None:
        pytest.skip("needs bubblewrap (apt-get install bubblewrap)")
    async with Sandbox(Settings(data_dir=tmp_path_factory.mktemp("data"), sandbox="bubblewrap", sandbox_runs=4)) as opened:
        yield opened


@pytest.fixture(scope="module")
def run(sandbox: Sandbox) -> Run:
    """Runs a program given as text, with small limits unless said otherwise."""

    async def call(code: str, tool: Any = echo, **more: Any) -> Ran:
        watching = {name: more.pop(name) for name in ("on_print", "on_preview") if name in more}
        tools = more.pop("tools", TOOLS)
        limits = Limits(**{"seconds": 20.0, "cpu": 10} | more.pop("limits", {}))
        return await sandbox.run(Script(code=code, **more), tool, tools, limits=limits, **watching)

    return call


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file on this machine that no program may see."""
    path = tmp_path / "secret.txt"
    path.write_text("the secret")
    path.chmod(0o644)
    return path
