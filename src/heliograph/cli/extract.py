"""`heliograph extract`: files become JSON here, without a server; folders too, resumably, here or by a server.

Recordings need no `--domain`: they are asked for what is said in them.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from heliograph.cli.question import Question, ask
from heliograph.errors import HeliographError

if TYPE_CHECKING:
    from heliograph.cli.answering import Here, Record
    from heliograph.extraction.answered import Answer


def extract(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Files to read; `-` is standard input; one folder with -o.")],
    domain: Annotated[
        str | None, typer.Option("--domain", "-d", help="What is asked for, such as document.invoice. Recordings: what is said.")
    ] = None,
    schema: Annotated[Path | None, typer.Option(help="A JSON Schema of the answer wanted.")] = None,
    skill: Annotated[
        str | None,
        typer.Option(metavar="DIR|NAME", help="A skill: a folder with SKILL.md, or a preinstalled one, or one of the --server's, by name."),
    ] = None,
    prompt: Annotated[str | None, typer.Option("--prompt", "-p", help="Hints in words, added to those of domain or skill.")] = None,
    pages: Annotated[str | None, typer.Option(help="Pages to read, from 0, such as 0,2. Default: all.")] = None,
    language: Annotated[str | None, typer.Option(metavar="CODE", help="What is spoken, such as en. Default: found out.")] = None,
    diarize: Annotated[bool, typer.Option("--diarize", help="Tell voices apart and name them A, B, ...")] = False,
    keyframes: Annotated[bool, typer.Option("--keyframes", help="Give the best frame of each shot of a video as a picture.")] = False,
    segment: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=1, help="How long the segments of a video are. Default: 150.")
    ] = None,
    detail: Annotated[Literal["lo", "auto", "hi"], typer.Option(help="How closely pages are looked at.")] = "auto",
    model: Annotated[
        str | None, typer.Option(metavar="ROUTE", help="The model that answers, as in [models.<route>]. Default: as a server's vlm-1.")
    ] = None,
    grounding: Annotated[bool, typer.Option(help="Give each value its boxes, citation and confidence.")] = True,
    annotate: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write pictures with the boxes of values here; subtitles of recordings.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: the answer of one file, or one line a file for several.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="OUT", help="Write one JSON a file into this folder, skipping what is done.")
    ] = None,
    server: Annotated[str | None, typer.Option(metavar="URL", help="With -o: let this server do the work.")] = None,
    api_key: Annotated[str | None, typer.Option(envvar="VLMRUN_API_KEY", help="The key for --server.")] = None,
) -> None:
    """Turn files into grounded JSON here, without a server."""
    question = ask(
        domain,
        schema=schema,
        skill=skill,
        prompt=prompt,
        pages=pages,
        detail=detail,
        grounding=grounding or annotate is not None,
        model=model,
        language=language,
        diarize=diarize,
        keyframes=keyframes,
        segment=segment,
        bare=_any_recording(files),
    )
    if server and output is None:
        raise typer.BadParameter("--server works on folders: add -o OUT")
    if output is not None:
        if annotate or as_json:
            raise typer.BadParameter("-o writes files: leave out --annotate and --json")
        from heliograph.cli.folder import run_folder

        failed = asyncio.run(run_folder(files, output, question, server=server, api_key=api_key))
    else:
        if missing := [path for path in files if str(path) != "-" and not path.is_file()]:
            raise typer.BadParameter(f"{missing[0]}: {'a folder; add -o OUT' if missing[0].is_dir() else 'no such file'}")
        failed = asyncio.run(_each(files, question, annotate, as_json))
    if failed:
        raise typer.Exit(1)


def _any_recording(files: list[Path]) -> bool:
    """Whether one of them is a recording, or may be: what stands in folders and comes on standard input is seen later."""
    from heliograph.media.sniff import sniff_file

    for path in files:
        if not path.is_file():
            return True
        try:
            if sniff_file(path).demuxer is not None:
                return True
        except HeliographError:
            continue  # said when it is its turn
    return False


async def _each(files: list[Path], question: Question, pictures: Path | None, as_json: bool) -> int:
    """Answer file after file on standard output. Returns how many failed; each of them is told on standard error."""
    from heliograph.cli.answering import Here, keep_copy
    from heliograph.cli.progress import Progress
    from heliograph.config import settings

    here = Here(question, settings())
    names = picture_names(files)
    failed = 0
    try:
        for given in files:
            with tempfile.TemporaryDirectory(prefix="heliograph-") as scratch:
                path = _from_stdin(Path(scratch)) if str(given) == "-" else given
                try:
                    with Progress(path.name) as progress:
                        record, made = await here.answered(path, progress)
                        keep_copy(record, Path(path.name))
                        written = await _write(here, path, record, made, pictures, names[given]) if pictures else []
                except HeliographError as error:
                    failed += 1
                    print(f"heliograph: {given}: {error.message}", file=sys.stderr)
                    if as_json and len(files) > 1:
                        print(json.dumps({"file": str(given), "error": {"type": error.type, "message": error.message}}, ensure_ascii=False))
                    continue
                _print(record, str(given), as_json=as_json, alone=len(files) == 1)
                for picture in written:
                    print(picture, file=sys.stderr)
    finally:
        await here.close()
    return failed


async def _write(here: Here, path: Path, record: Record, made: Answer, folder: Path, name: str) -> list[Path]:
    if made.recording is None:
        return await write_pictures(here, path, record, folder, name)
    from heliograph.cli.sheet import write_recording

    return await write_recording(here.reader.player, path, record, made, folder, name)


def _from_stdin(folder: Path) -> Path:
    path = folder / "stdin"
    path.write_bytes(sys.stdin.buffer.read())
    return path


def _print(record: Record, name: str, *, as_json: bool, alone: bool) -> None:
    if as_json and alone:
        print(json.dumps(record["response"], indent=2, ensure_ascii=False))
    elif as_json:
        print(json.dumps({**record, "file": name}, ensure_ascii=False))
    else:
        from heliograph.cli.show import show

        show(record, name)
    if (message := record["usage"]["message"]) and not as_json:
        print(f"note: {message}", file=sys.stderr)


def picture_names(files: list[Path]) -> dict[Path, str]:
    """What the pictures of each file begin with: its name without ending, or whole where two files would share that, or numbered."""
    names: dict[Path, str] = {}
    for given in files:
        whole = "stdin" if str(given) == "-" else given.name
        choices = chain((Path(whole).stem, whole), (f"{whole}-{number}" for number in count(2)))
        names.setdefault(given, next(name for name in choices if name not in names.values()))
    return names


async def write_pictures(here: Here, path: Path, record: Record, folder: Path, name: str) -> list[Path]:
    """One annotated PNG for each page of `path` that carries a value, or was asked for; called `<name>-<page>.png`."""
    from PIL import Image

    from heliograph.cli.annotate import annotate, marks

    folder.mkdir(parents=True, exist_ok=True)
    found = list(marks(record["response"]))
    written: list[Path] = []
    for index in sorted({box.page for mark in found for box in mark.boxes} | set(here.plan("document").page_indices or [])):
        pixels = await here.reader.image(path, index, 144)
        picture = annotate(Image.frombytes("RGB", (pixels.width, pixels.height), pixels.data), found, index)
        target = folder / f"{name}-{index}.png"
        picture.quantize(160, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(target)
        written.append(target)
    return written
