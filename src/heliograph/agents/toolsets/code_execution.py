"""`code-execution`: programs that a model writes, in the sandbox, with the other tools at hand."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from heliograph.agents import tools
from heliograph.agents.calling import Caller
from heliograph.agents.context import Context
from heliograph.agents.tools import tool
from heliograph.config import Settings

NAME = "execute_code"


def needs(settings: Settings) -> str | None:
    """What keeps programs from being run at all; whether this machine can hold them is found when the first one is run."""
    return "Programs are not run here: HELIOGRAPH_SANDBOX is off." if settings.sandbox == "off" else None


@tool("code-execution", name=NAME, needs=needs)
async def execute_code(
    at: Context,
    code: Annotated[
        str,
        Field(
            description="Async Python. Its value is `result`, else its last line. Files of the conversation lie in its folder under their "
            "references; what it writes there is kept. It has numpy, Pillow, pandas, matplotlib and pypdfium2, and no network.",
            min_length=1,
            max_length=200_000,
        ),
    ],
) -> Any:  # `loop.code.Executed`
    """Run a Python program in a sandbox and see its value, what it printed, its files and its error. Tools are there as
    await vlmrun.<group>.<tool>(...), such as vlmrun.document.read_document(document="doc_a1b2c3"); those that reach outside are not."""
    from heliograph.agents.loop.code import execute  # noqa: PLC0415 - the loop's packages take seconds to import

    wanted = tools.of({"core", *(at.task.toolsets or ())})
    within_reach = [each for each in wanted if each.name != NAME and each.effect == "none" and each.needs(at.settings) is None]
    return await execute(at, code, Caller(at, within_reach), within_reach)
