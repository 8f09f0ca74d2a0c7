"""A folder of files becomes a folder of answers: resumable, one JSON a file, what failed in `errors.jsonl`.

An answer is written under another name and then renamed, so a file that is there is whole; a run that was killed goes on
where it stopped. Files that failed are tried again by the next run.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import typer

from heliograph.cli.answering import Answerer, Here, Record, Refused, There, keep_copy
from heliograph.cli.question import Question
from heliograph.errors import HeliographError, Unauthorized, Unavailable
from heliograph.models.errors import ModelUnavailable

QUESTION = ".question.json"
ERRORS = "errors.jsonl"


async def run_folder(inputs: list[Path], out: Path, question: Question, *, server: str | None = None, api_key: str | None = None) -> int:
    """Answer `question` for all files below `inputs` into `out`. Returns how many failed."""
    from heliograph.config import settings

    files = list(_files(inputs, out))
    if not files:
        raise typer.BadParameter(f"there are no files in {', '.join(map(str, inputs))}")
    out.mkdir(parents=True, exist_ok=True)
    _remember(out, question)
    waiting = [(source, target) for source, target in files if not target.exists()]
    run = _Run(total=len(waiting), skipped=len(files) - len(waiting))
    answerer: Answerer = There(question, server, api_key) if server else Here(question, settings())
    try:
        with (out / ERRORS).open("w", encoding="utf-8") as errors:
            queue = iter(waiting)

            async def work() -> None:
                for source, target in queue:
                    try:
                        record = await answerer.answer(source)
                    except (Unavailable, Unauthorized, ModelUnavailable):
                        raise  # about the server or the model, not about this file
                    except HeliographError as error:
                        run.failed += 1
                        line = {
                            "file": str(source),
                            "type": error.kind if isinstance(error, Refused) else error.type,
                            "message": error.message,
                        }
                        errors.write(json.dumps(line, ensure_ascii=False) + "\n")
                        errors.flush()
                    else:
                        _write(target, record)
                        run.pages += record["usage"]["elements_processed"] or 0
                    run.done += 1
                    run.tell()

            await asyncio.gather(*(work() for _ in range(answerer.at_once)))
    finally:
        await answerer.close()
        if not run.failed:
            (out / ERRORS).unlink(missing_ok=True)
    run.tell(last=True)
    return run.failed


def _files(inputs: list[Path], out: Path) -> Iterator[tuple[Path, Path]]:
    """Every file with the path of its answer, which keeps the folders: `in/a/b.pdf` gives `out/a/b.pdf.json`."""
    outside = out.resolve()
    for given in inputs:
        if not given.exists():
            raise typer.BadParameter(f"{given}: no such file or folder")
        if given.is_file():
            yield given, out / f"{given.name}.json"
            continue
        for path in sorted(given.rglob("*")):
            passed_over = any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(given).parts)
            if path.is_file() and not passed_over and outside not in path.resolve().parents:
                yield path, out / path.relative_to(given).parent / f"{path.name}.json"


def _remember(out: Path, question: Question) -> None:
    """Answers to two questions must not mix in one folder."""
    note = out / QUESTION
    asked = {"digest": question.digest, "domain": question.domain, "config": {k: v for k, v in question.config.items() if k != "skills"}}
    if note.exists():
        if json.loads(note.read_text("utf-8")).get("digest") != question.digest:
            raise typer.BadParameter(f"{out} holds answers to another question ({note} tells which); choose another folder, or remove it")
    else:
        note.write_text(json.dumps(asked, indent=2, ensure_ascii=False), "utf-8")


def _write(target: Path, record: Record) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    keep_copy(record, target.with_suffix(""))
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(record, indent=2, ensure_ascii=False), "utf-8")
    unfinished.replace(target)


class _Run:
    """How far a run is, told on standard error: on a terminal all the time, elsewhere every ten seconds and at the end."""

    def __init__(self, total: int, skipped: int) -> None:
        self.total, self.skipped = total, skipped
        self.done = self.failed = self.pages = 0
        self.started = self.told = time.monotonic()

    def tell(self, *, last: bool = False) -> None:
        now = time.monotonic()
        live = sys.stderr.isatty()
        if not last and not live and now - self.told < 10:
            return
        self.told = now
        seconds = max(now - self.started, 1e-3)
        line = (
            f"{self.done} of {self.total} files, {self.pages} pages in {seconds:.1f} s: {self.done / seconds:.2f} files/s,"
            f" {self.pages / seconds:.2f} pages/s; {self.failed} failed, {self.skipped} done before"
        )
        print(f"\r\x1b[2K{line}" if live else line, end="" if live and not last else "\n", file=sys.stderr, flush=True)
