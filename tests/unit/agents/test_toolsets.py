"""Packages beside Heliograph bring tools; one that is broken takes no other with it."""

from __future__ import annotations

import logging
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from heliograph.agents import tools, toolsets

TOOL = '''
from heliograph.agents.context import Context
from heliograph.agents.tools import tool

@tool("document", group="ours")
async def stamp(at: Context, text: str) -> str:
    """Stamp it."""
    return text
'''


def test_modules_named_as_entry_points_register_their_tools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "brought_tools.py").write_text(TOOL)
    (tmp_path / "broken_tools.py").write_text("import no_such_module_anywhere\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(tools, "REGISTRY", {})
    named = [EntryPoint(name, f"{name}_tools", toolsets.GROUP) for name in ("broken", "brought")]
    monkeypatch.setattr(toolsets, "entry_points", lambda group: [each for each in named if each.group == group])
    with caplog.at_level(logging.ERROR):
        toolsets.load_others()
    assert [(tool.name, tool.toolset, tool.group) for tool in tools.REGISTRY.values()] == [("stamp", "document", "ours")]
    assert "broken_tools" in caplog.text
