"""`heliograph eval`: accuracy on labelled documents, per set and field."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from heliograph.evaluation.runner import Outcome

COLUMNS = (
    ("present", "present"), ("answered", "answered"), ("f1", "F1"), ("f1_fuzzy", "F1 fuzzy"),
    ("hallucination", "halluc."), ("omission", "omitted"),
    ("grounding_hit", "box hit"), ("text_under_box", "text under box"), ("ece", "ECE"), ("auroc", "AUROC"), ("ocr_word_f1", "word F1"),
)  # fmt: skip


def evaluate(
    data: Annotated[Path, typer.Argument(metavar="DATA_DIR", help="Folder with manifest.jsonl, files, truth and schemas.")],
    sets: Annotated[list[str] | None, typer.Option("--set", metavar="NAME", help="Only this set; may be given again.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many documents of each set.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write {set: {field: {metric: number}}} here.")] = None,
    descriptions: Annotated[bool, typer.Option(help="Ask with the schemas' descriptions.")] = True,
    pages: Annotated[Path | None, typer.Option(metavar="DIR", help="Keep read pages here and do not read them again.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print each wrong answer.")] = False,
) -> None:
    """Measure accuracy on labelled documents."""
    if not (data / "manifest.jsonl").is_file():
        raise typer.BadParameter(f"{data}: no manifest.jsonl in it", param_hint="DATA_DIR")
    from heliograph.evaluation.runner import summary

    outcomes = asyncio.run(_run(data, sets, limit, descriptions=descriptions, pages=pages, verbose=verbose))
    if not outcomes:
        raise typer.BadParameter("no labelled document with a schema is there, or none of that set")
    measured = summary(outcomes)
    _print(measured)
    if json_file is not None:
        json_file.write_text(json.dumps(measured, indent=1, sort_keys=True) + "\n")


async def _run(
    data: Path, sets: list[str] | None, limit: int | None, *, descriptions: bool, pages: Path | None, verbose: bool
) -> list[Outcome]:
    from rich.console import Console
    from rich.progress import Progress

    from heliograph.config import settings
    from heliograph.evaluation.runner import run
    from heliograph.evaluation.sets import items
    from heliograph.perception.reader import Reader

    wanted = list(items(data, sets, limit, descriptions=descriptions))
    console = Console(stderr=True)
    reader = Reader(settings())
    outcomes: list[Outcome] = []
    try:
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task("reading", total=len(wanted))
            async for outcome in run(reader, wanted, pages=pages):
                outcomes.append(outcome)
                progress.update(task, advance=1, description=outcome.set)
                if outcome.error:
                    console.print(f"{outcome.item}: {outcome.error}", markup=False)
                for judged in outcome.fields if verbose else ():
                    if not judged.exact:
                        console.print(
                            f"{judged.item}: {judged.field}: {judged.got!r} is not {judged.want!r} ({judged.probability})", markup=False
                        )
    finally:
        await reader.close()
    return outcomes


def _print(measured: dict[str, dict[str, dict[str, float]]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("set", "field", *(title for _, title in COLUMNS))
    for name, fields in measured.items():
        for field, metrics in fields.items():
            cells = [_cell(metrics.get(key)) for key, _ in COLUMNS]
            table.add_row(name, field, *cells, style="bold" if field == "micro" else None, end_section=field == "micro")
    Console(width=170).print(table)


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return str(int(value)) if value == int(value) and value > 1 else f"{value:.2f}"
