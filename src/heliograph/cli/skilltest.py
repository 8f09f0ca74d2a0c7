"""`heliograph skills test`: a skill is asked about the documents of its own `examples/`, and its answers are held against theirs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heliograph.errors import HeliographError

if TYPE_CHECKING:
    from heliograph.evaluation.judging import Outcome
    from heliograph.evaluation.skills import Trial

SHOWN = 60
"""Characters of a value that are shown."""


def skill_test(
    skills: Annotated[list[str], typer.Argument(metavar="DIR...", help="Folders of skills, or names of preinstalled ones.")],
    via: Annotated[
        str,
        typer.Option(
            metavar="embedded|ROUTE|URL",
            help="Who answers: the engine here, a model route as its clients get it, or a server (key in VLMRUN_API_KEY).",
        ),
    ] = "embedded",
    bar: Annotated[float, typer.Option(min=0, max=1, help="Least F1 of all values of a skill; exit code 1 when one is under.")] = 0.95,
    only: Annotated[str | None, typer.Option("--only", metavar="TEXT", help="Only examples with this in their path.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write {skill: {field: {metric: number}}} here.")] = None,
) -> None:
    """Ask skills about their own examples/ and print what of it is right.

    An example is a document with its right answer beside it: examples/one.pdf and examples/one.json. Exits with 1 where a skill is
    under the bar.
    """
    from heliograph.cli.evaluate import check_via
    from heliograph.cli.figures import print_numbers
    from heliograph.evaluation.summary import POOLED, summary

    if via.startswith("alone:"):
        raise typer.BadParameter("a skill is tested as its clients use it; give the route without `alone:`", param_hint="--via")
    check_via(via)
    found = [_trial(skill, only) for skill in skills]
    judged = asyncio.run(_ask(found, via))
    measured = summary(outcome for outcomes in judged for outcome in outcomes)
    print_numbers({name: fields for name, fields in measured.items() if len(found) > 1 or name not in POOLED})
    if json_file is not None:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps(measured, indent=1, sort_keys=True) + "\n", "utf-8")
    for outcomes in judged:
        for outcome in outcomes:
            _print_mistakes(outcome)
    under = [_verdict(outcomes, bar) for outcomes in judged]
    if any(under):
        raise typer.Exit(1)


def _trial(given: str, only: str | None) -> Trial:
    """The skill in the folder `given`, or the preinstalled one of that name. Raises `typer.BadParameter` (exit code 2)."""
    from heliograph.evaluation.skills import trial
    from heliograph.skills import preinstalled

    folder = Path(given)
    if not folder.is_dir():
        if given not in preinstalled.FIRST_MADE:
            there = ", ".join(preinstalled.FIRST_MADE)
            raise typer.BadParameter(f"{given}: no such folder, and no preinstalled skill ({there})", param_hint="DIR")
        folder = preinstalled.folder(given)
    try:
        found = trial(folder)
    except HeliographError as error:
        raise typer.BadParameter(error.message, param_hint="DIR") from None
    if only is not None:
        found = found._replace(items=[item for item in found.items if only in item.id])
        if not found.items:
            raise typer.BadParameter(f"no example of {given} has {only!r} in its path", param_hint="--only")
    return found


async def _ask(found: list[Trial], via: str) -> list[list[Outcome]]:
    """What was judged of each skill's examples, in their order."""
    from rich.console import Console

    from heliograph.cli.attached import Attached
    from heliograph.cli.evaluate import Served
    from heliograph.config import settings
    from heliograph.evaluation.asked import Asked
    from heliograph.evaluation.kept import Kept
    from heliograph.evaluation.runner import Embedded, run
    from heliograph.perception.reader import Reader

    reader = Reader(settings())
    attached = Attached()
    attached.reader = reader
    served = Served(via) if via.startswith(("http://", "https://")) else None
    asked = None
    if served is None and via != "embedded":
        asked = Asked(reader, settings(), via, kept=Kept(None), attached=attached.read, examples=attached)
    judged: list[list[Outcome]] = []
    try:
        if served is not None:
            await served.meet()
        system = served or asked or Embedded(reader, attached=attached.read, examples=attached)
        with Console(stderr=True).status("asking") as status:
            for skill in found:
                judged.append([])
                async for item, outcome, _ in run(system, reader, skill.items):
                    status.update(f"{item.set}: {item.id}")
                    judged[-1].append(outcome)
    finally:
        for system in (served, asked):
            if system is not None:
                await system.close()
        await reader.close()
    return judged


def _print_mistakes(outcome: Outcome) -> None:
    """A line for each value that is not the right one."""
    where = f"{outcome.set}/examples/{outcome.item}"
    if outcome.error:
        print(f"{where}: {outcome.error}")
        return
    for judged in outcome.fields:
        if not judged.exact:
            print(f"{where}: {judged.field} is {_value(judged.want)} and was answered {_value(judged.got)}")
    for field, (right, answered, true) in outcome.rows.items():
        if not right == answered == true:
            print(f"{where}: of the {true:g} values in {field}, {right:g} were found; {answered:g} were answered")


def _value(value: object) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}..."


def _verdict(outcomes: list[Outcome], bar: float) -> bool:
    """Say how a skill did. Returns whether it is under the bar."""
    from heliograph.evaluation.skills import score

    made = score(outcomes)
    under = made.f1 < bar - 1e-9 or any(outcome.error for outcome in outcomes)
    count = f"{len(outcomes)} example{'s' if len(outcomes) > 1 else ''}"
    right = f"{made.right:g} of {made.true:g} values right in {count}, F1 {made.f1:.3f}"
    print(f"{outcomes[0].set}: {right}: {'under' if under else 'meets'} the bar of {bar:g}")
    return under
