from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import typer

from heliograph.cli import answering, folder
from heliograph.cli.answering import Record
from heliograph.cli.progress import Progress
from heliograph.cli.question import ask
from heliograph.errors import CorruptMedia


class Killed(BaseException):
    """As a signal would end a run."""


class Clerk:
    """Answers with the name of the file; files called `bad*` are damaged. Remembers what it was asked."""

    at_once = 2

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def answer(self, path: Path, progress: Progress | None = None) -> Record:
        self.asked.append(path.name)
        await asyncio.sleep(0)
        if path.name.startswith("bad"):
            raise CorruptMedia
        usage = {"elements_processed": 2, "message": None}
        return {"file": path.name, "status": "completed", "domain": "x", "response": {"name": path.name}, "usage": usage}

    async def close(self) -> None:
        pass


@pytest.fixture
def clerk(monkeypatch: pytest.MonkeyPatch) -> Clerk:
    made = Clerk()
    monkeypatch.setattr(folder, "Here", lambda *_: made)
    assert answering.Here is not folder.Here
    return made


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    for name in ("a.pdf", "deep/b.png", "bad.pdf", ".hidden", "deep/.git/c.pdf"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path / "in"


async def test_each_file_becomes_one_json_in_the_same_place(papers: Path, tmp_path: Path, clerk: Clerk) -> None:
    out = tmp_path / "out"
    failed = await folder.run_folder([papers], out, ask("document.receipt"))
    assert failed == 1
    assert json.loads((out / "a.pdf.json").read_text())["response"] == {"name": "a.pdf"}
    assert (out / "deep" / "b.png.json").is_file()
    assert sorted(clerk.asked) == ["a.pdf", "b.png", "bad.pdf"], "hidden files are left alone"
    (error,) = [json.loads(line) for line in (out / "errors.jsonl").read_text().splitlines()]
    assert error["type"] == "corrupt_media"
    assert error["file"].endswith("bad.pdf")


async def test_a_second_run_skips_what_is_done_and_tries_again_what_failed(papers: Path, tmp_path: Path, clerk: Clerk) -> None:
    out = tmp_path / "out"
    await folder.run_folder([papers], out, ask("document.receipt"))
    clerk.asked.clear()
    (papers / "bad.pdf").rename(papers / "good.pdf")
    assert await folder.run_folder([papers], out, ask("document.receipt")) == 0
    assert clerk.asked == ["good.pdf"]
    assert not (out / "errors.jsonl").exists()


async def test_answers_to_another_question_do_not_mix(papers: Path, tmp_path: Path, clerk: Clerk) -> None:
    out = tmp_path / "out"
    await folder.run_folder([papers], out, ask("document.receipt"))
    with pytest.raises(typer.BadParameter, match="another question"):
        await folder.run_folder([papers], out, ask("document.invoice"))


async def test_an_output_folder_inside_the_input_is_not_read(papers: Path, clerk: Clerk) -> None:
    out = papers / "answers"
    await folder.run_folder([papers], out, ask("document.receipt"))
    await folder.run_folder([papers], out, ask("document.receipt"))
    assert sorted(set(clerk.asked)) == ["a.pdf", "b.png", "bad.pdf"]


async def test_a_run_that_is_killed_leaves_no_half_written_answer(
    papers: Path, tmp_path: Path, clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(Path, "replace", dies)
    with pytest.raises(Killed):
        await folder.run_folder([papers], tmp_path / "out", ask("document.receipt"))
    assert not list((tmp_path / "out").rglob("*.pdf.json"))


async def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match="no files"):
        await folder.run_folder([tmp_path], tmp_path / "out", ask("document.receipt"))


async def test_the_throughput_line_counts(papers: Path, tmp_path: Path, clerk: Clerk, capsys: pytest.CaptureFixture[str]) -> None:
    await folder.run_folder([papers], tmp_path / "out", ask("document.receipt"))
    assert "3 of 3 files, 4 pages" in capsys.readouterr().err
