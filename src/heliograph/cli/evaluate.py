"""`heliograph eval`: accuracy on labelled documents, per set and field."""

from __future__ import annotations

import asyncio
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from heliograph.cli.answering import There
from heliograph.cli.figures import compare_with, print_bar, print_figures, print_numbers
from heliograph.cli.question import TRANSCRIPTIONS, Question
from heliograph.errors import HeliographError

if TYPE_CHECKING:
    from heliograph.evaluation.reading import Sheaf
    from heliograph.evaluation.recordings import Perceived, Taped
    from heliograph.evaluation.report import Shown
    from heliograph.evaluation.runner import Said
    from heliograph.evaluation.sets import Item


def evaluate(
    data: Annotated[
        Path, typer.Argument(metavar="DATA_DIR", help="Folder with manifest.jsonl, files, truth and schemas; or with --schema, your own.")
    ],
    schema: Annotated[
        str | None,
        typer.Option(metavar="S", help="DATA_DIR is a folder of files with their truth in .json beside: this schema file or domain."),
    ] = None,
    sets: Annotated[list[str] | None, typer.Option("--set", metavar="NAME", help="Only this set; may be given again.")] = None,
    via: Annotated[
        str,
        typer.Option(
            metavar="embedded|ROUTE|alone:ROUTE|URL",
            help="What is measured: the engine here, a model route as its clients get it, the model without the engine beside it, "
            "or a server (key in VLMRUN_API_KEY).",
        ),
    ] = "embedded",
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many documents of each set.")] = None,
    as_images: Annotated[
        bool, typer.Option("--as-images", help="Show each PDF a second time, as page images of 150 dpi, in rows of its own.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write {set: {field: {metric: number}}} here, and verdicts beside it.")
    ] = None,
    report: Annotated[Path | None, typer.Option(metavar="DIR", help="Write index.html here: numbers, plots, pages with boxes.")] = None,
    compare: Annotated[Path | None, typer.Option(metavar="OLD.json", help="Show gains and losses against an earlier --json.")] = None,
    bar: Annotated[Path | None, typer.Option(metavar="FILE", help="Least numbers, as --json writes them; exit code 1 when under.")] = None,
    descriptions: Annotated[bool, typer.Option(help="Ask with the schemas' descriptions.")] = True,
    pages: Annotated[Path | None, typer.Option(metavar="DIR", help="Keep read pages here and do not read them again.")] = None,
    state: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where answers are kept, so that a broken-off run goes on. [default: ~/.cache/heliograph/eval]"),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Use no kept answer.")] = False,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Learn from the answers how sure the route of --via may be, and keep it in the data folder.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print each wrong answer.")] = False,
) -> None:
    """Measure accuracy on labelled documents."""
    if calibrate:
        _check_route(via)
    from heliograph.evaluation.bar import heights, read_numbers
    from heliograph.evaluation.comparison import beside, verdicts
    from heliograph.evaluation.summary import summary

    check_via(via)
    sheaves = _sheaves(data, sets, limit) if schema is None and via == "embedded" else []
    taped = _taped(data, schema, sets, limit, via)
    wanted = (
        _items(data, schema, sets, limit, descriptions=descriptions, as_images=as_images, others=bool(sheaves or taped))
        if schema not in TRANSCRIPTIONS
        else []
    )
    try:
        least, before = (read_numbers(path) if path else None for path in (bar, compare))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    folder = state or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "heliograph" / "eval"
    running = _run(
        wanted, sheaves, taped, via, pages=pages, state=folder, fresh=fresh, verbose=verbose, report=report is not None, calibrate=calibrate
    )
    shown, read, page = asyncio.run(running)
    outcomes = [one.outcome for one in shown]
    measured = summary(outcomes)
    if outcomes:
        print_numbers(measured)
    print_figures(read)
    measured |= {name: {"micro": figures} for name, figures in read.items()}
    if before is not None and compare is not None:
        compare_with(before, measured, compare, verdicts(outcomes))
    if json_file is not None:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps(measured, indent=1, sort_keys=True) + "\n", "utf-8")
        beside(json_file).write_text(json.dumps(verdicts(outcomes), indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
    if report is not None:
        report.mkdir(parents=True, exist_ok=True)
        (report / "index.html").write_text(page, "utf-8")
        print(f"report: {report / 'index.html'}")
    if calibrate:
        _calibrate(shown, via)
    if least is not None:
        reached = heights(measured, least, {*sets, *(f"{name}-images" for name in sets)} if sets else None)
        print_bar(reached)
        low = [height for height in reached if height.under]
        for height in low:
            print(f"under the bar: {height}")
        if low:
            raise typer.Exit(1)


def _check_route(via: str) -> None:
    from heliograph.config import settings

    routes = settings().routes()
    if via not in routes or routes[via].kind == "embedded":
        there = ", ".join(name for name, route in routes.items() if route.kind != "embedded") or "none is configured"
        raise typer.BadParameter(f"--calibrate measures a model route; give one with --via ({there})", param_hint="--calibrate")


def _calibrate(shown: list[Shown], route: str) -> None:
    """Learn the route's confidence and keep it where that is worth it; exit code 1 when there is too little to learn from."""
    from heliograph.config import settings
    from heliograph.evaluation.calibration import TooFew, fit, judgements
    from heliograph.extraction.calibration import keep

    found = judgements((one.outcome, one.said) for one in shown)
    try:
        made = fit(found, route=route, model=settings().routes()[route].model or "")
    except TooFew as error:
        print(f"not calibrated: {error}")
        raise typer.Exit(1) from None
    print(f"calibration of {route}: {made}")
    if made.better:
        print(f"kept in {keep(made.calibration, settings().data_dir)}; workers use it from their next start")


def check_via(via: str) -> None:
    """Raises `typer.BadParameter` where there is no such route."""
    from heliograph.config import settings

    route = via.removeprefix("alone:")
    known = settings().routes()
    if via == "embedded" or via.startswith(("http://", "https://")) or (route in known and known[route].kind != "embedded"):
        return
    there = ", ".join(name for name, model in known.items() if model.kind != "embedded")
    raise typer.BadParameter(
        f"{via!r} is neither `embedded`, nor a URL, nor a configured model route ({there or 'there is none'})", param_hint="--via"
    )


def _items(
    data: Path, schema: str | None, sets: list[str] | None, limit: int | None, *, descriptions: bool, as_images: bool, others: bool
) -> list[Item]:
    from heliograph.evaluation import sets as labelled
    from heliograph.extraction.schema import compile_schema

    if schema is None and not (data / "manifest.jsonl").is_file():
        raise typer.BadParameter(f"{data}: no manifest.jsonl in it; for a folder of your own give --schema", param_hint="DATA_DIR")
    if schema is not None and sets:
        raise typer.BadParameter("--set picks sets of a manifest; a folder with --schema is one set")
    try:
        if schema is None:
            found = list(labelled.items(data, sets, limit, descriptions=descriptions))
        else:
            found = list(labelled.folder_items(data, _schema(schema), limit))
        for item in found:
            compile_schema(item.schema)
    except (ValueError, OSError, HeliographError) as error:
        raise typer.BadParameter(str(error)) from None
    if not found and not others:
        wanted = "a file with a .json of the same name beside it" if schema else "a labelled document with a schema, or one of that set"
        raise typer.BadParameter(f"{data} does not hold {wanted}", param_hint="DATA_DIR")
    if as_images:
        found += [image for item in found if (image := labelled.as_images(item)) is not None]
    return found


def _sheaves(data: Path, sets: list[str] | None, limit: int | None) -> list[Sheaf]:
    """The documents of sets that only say how well they are read."""
    from heliograph.evaluation.reading import sets_in, sheaves

    return sheaves(data, [name for name in sets_in(data, without_schema=True) if not sets or name in sets], limit)


def _taped(data: Path, schema: str | None, sets: list[str] | None, limit: int | None, via: str) -> list[Taped]:
    """The recordings, of a manifest or of a folder of one's own. Raises `typer.BadParameter` and NotConfigured."""
    from heliograph.evaluation.recordings import folder_recordings, recordings, sets_in
    from heliograph.evaluation.wording import normalised

    if schema in TRANSCRIPTIONS:
        if via != "embedded":
            raise typer.BadParameter("transcripts are measured here: leave out --via, and set which engine hears", param_hint="--via")
        try:
            found = list(folder_recordings(data, limit))
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        if not found:
            raise typer.BadParameter(f"{data} does not hold a recording with its truth beside it", param_hint="DATA_DIR")
    elif schema is None and via == "embedded" and (data / "manifest.jsonl").is_file():
        found = recordings(data, [name for name in sets_in(data) if not sets or name in sets], limit)
    else:
        found = []
    if found:
        normalised("", "en")  # without the packages that judge, nothing need be heard
    return found


def _schema(named: str) -> dict[str, Any]:
    """The schema in a file, or of a domain."""
    from heliograph.extraction.domains import find

    if Path(named).is_file():
        read: Any = json.loads(Path(named).read_text("utf-8"))
        if not isinstance(read, dict):
            raise ValueError(f"{named} is not a JSON object")
        return read  # pyright: ignore[reportUnknownVariableType]
    return find(named).json_schema


class Served(There):
    """A server as the system under test. Each document is uploaded anew under a neutral name and asked as a prediction of its own."""

    at_once = 1

    def __init__(self, server: str) -> None:
        """`server`: such as `http://127.0.0.1:8000` or with `/v1`."""
        super().__init__(Question(None, {}), server, os.environ.get("VLMRUN_API_KEY"))
        self.version = self.root

    async def meet(self) -> None:
        """Learn the server's version. Raises when it does not answer."""
        self.version = f"{self.root} {(await self._call('GET', '/health')).get('version')}"

    async def ask(self, path: Path, config: dict[str, Any]) -> Said:
        """Upload, ask and poll."""
        from heliograph.evaluation.runner import Said

        started = time.monotonic()
        file = await self._call("POST", "/files?purpose=assistants&generate_public_url=false", file=path)
        prediction = await self._settled({"file_id": file["id"], "config": config, "batch": True})
        return Said(prediction["response"], time.monotonic() - started)


async def _run(
    wanted: list[Item],
    sheaves: list[Sheaf],
    taped: list[Taped],
    via: str,
    *,
    pages: Path | None,
    state: Path,
    fresh: bool,
    verbose: bool,
    report: bool,
    calibrate: bool,
) -> tuple[list[Shown], dict[str, dict[str, float]], str]:
    """The documents judged, the figures of reading, and, when asked for, the page about them."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    import heliograph
    from heliograph.config import settings
    from heliograph.evaluation.asked import Asked
    from heliograph.evaluation.kept import Kept
    from heliograph.evaluation.reading import measure
    from heliograph.evaluation.recordings import Embedded as Senses
    from heliograph.evaluation.recordings import measure as measure_recordings
    from heliograph.evaluation.report import Shown
    from heliograph.evaluation.report import report as make_report
    from heliograph.evaluation.runner import Embedded, run
    from heliograph.evaluation.summary import summary
    from heliograph.perception.reader import Reader

    console = Console(stderr=True)
    reader = Reader(settings())
    served = Served(via) if via.startswith(("http://", "https://")) else None
    asked = (
        Asked(reader, settings(), via, pages=pages, kept=Kept(state / "windows", fresh=fresh), calibrating=calibrate)
        if via != "embedded" and not served
        else None
    )
    shown: list[Shown] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        if served is not None:
            await served.meet()
        system = served or asked or Embedded(reader, pages)
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("starting", total=len(wanted) + len(sheaves) + len(taped))
            async for item, outcome, said in run(system, reader, wanted, state=state, fresh=fresh):
                shown.append(Shown(item, outcome, said))
                progress.update(task, advance=1, description=outcome.set)
                if outcome.error:
                    console.print(f"{outcome.item}: {outcome.error}", markup=False)
                for judged in outcome.fields if verbose else ():
                    if not judged.exact:
                        line = f"{judged.item}: {judged.field}: {judged.got!r} is not {judged.want!r} ({judged.probability})"
                        console.print(line, markup=False)

            def told(one: Sheaf, figures: dict[str, float]) -> None:
                progress.update(task, advance=1, description=one.set)
                if verbose:
                    console.print(f"{one.id}: {', '.join(f'{figure} {value:.3f}' for figure, value in figures.items())}", markup=False)

            def perceived(one: Taped, figures: dict[str, float], made: Perceived) -> None:
                progress.update(task, advance=1, description=one.set)
                if verbose:
                    numbers = ", ".join(f"{figure} {value:.3f}" for figure, value in figures.items())
                    console.print(f"{one.id}: {numbers}: {made.transcript.text!r}", markup=False)

            read = await measure(reader, sheaves, kept=Kept(state, fresh=fresh), told=told)
            read |= await measure_recordings(Senses(reader), taped, kept=Kept(state, fresh=fresh), told=perceived)
        kept = sum(one.said is not None and one.said.kept for one in shown)
        if kept:
            console.print(f"{kept} of {len(shown)} answers were kept from an earlier run in {state}; --fresh asks anew.", markup=False)
        if not report:
            return shown, read, ""
        what = served.root if served is not None else "the embedded engine" if asked is None else asked.what
        heading = f"Heliograph {heliograph.__version__}, {what}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        return shown, read, await make_report(reader, shown, summary([one.outcome for one in shown]), heading, read)
    finally:
        for system in (served, asked):
            if system is not None:
                await system.close()
        await reader.close()
