"""Examples of kept skills that are not plain text: read by the worker, once, from a folder of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from heliograph.config import Settings
from heliograph.errors import NotFound
from heliograph.extraction.answer import answer as real_answer
from heliograph.extraction.plan import Example, Plan, Skill, SkillUse, resolve
from heliograph.jobs.bodies import asked
from heliograph.jobs.examples import Bookcase
from heliograph.jobs.predictions import Predictions
from heliograph.jobs.queue import PREDICTIONS
from heliograph.perception.reader import Reader
from heliograph.skills import archive, attach, package
from heliograph.skills.archive import Files
from heliograph.skills.shelf import Shelf
from heliograph.store import skills, tenants
from heliograph.store.blobs import Blobs, key
from heliograph.store.database import Database
from heliograph.store.predictions import Input

from .asking import look, submit, usage
from .conftest import Settled, Working


def note(mark: str, amount: str) -> bytes:
    """A document whose words for its fields nobody could guess."""
    rows = {"Kennzahl": mark, "Zaehlstand": "88", "Endbetrag": "7.00", "Faehrgeld": amount}
    return b"<html><body>" + "".join(f"<p>{label}: {value}</p>" for label, value in rows.items()).encode() + b"</body></html>"


FILES: Files = {
    "SKILL.md": b"---\nname: ferry\n---\nRead the ferry's note.",
    "schema.json": b'{"type": "object", "properties": {"fare": {"type": "number"}, "vessel": {"type": "string"}}}',
    "resources/note.html": note("MS-77", "12.50"),
    "resources/note.json": b'{"fare": 12.5, "vessel": "MS-77"}',
}


async def publish(database: Database, blobs: Blobs, files: Files = FILES) -> skills.Skill:
    hash = archive.content_hash(files)
    blob = key(tenants.DEFAULT, "skills", hash)
    data = archive.pack(files)
    await blobs.put(blob, data)
    async with database.begin() as conn:
        return await skills.publish(conn, tenants.DEFAULT, "ferry", hash=hash, blob=blob, bytes=len(data), files=len(files))


def planned(kept: skills.Skill | None, files: Files = FILES) -> Plan:
    hash = archive.content_hash(files)
    use = SkillUse(name="ferry", version=kept.version, hash=hash, id=kept.id) if kept else SkillUse(name="ferry", hash=hash)

    def read(_: dict[str, Any]) -> Skill:
        return attach.skill(package.read(files), use)

    return resolve("document", config={"skills": [{"skill_name": "ferry"}]}, skills=read)


async def brought(blobs: Blobs, name: str, data: bytes) -> list[Input]:
    await blobs.put(f"default/inputs/{name}", data)
    return [Input(position=0, source="data", blob=f"default/inputs/{name}", bytes=len(data), sha256=name)]


async def test_a_skills_example_teaches_the_worker_the_words_of_its_documents(
    settings: Settings, database: Database, blobs: Blobs, working: Working, settled: Settled
) -> None:
    plan = planned(await publish(database, blobs))
    assert [(example.text, example.path) for example in plan.examples] == [(None, "resources/note.html")]
    reads = await brought(blobs, "note", note("MS-12", "31.20"))
    async with database.begin() as conn:
        await submit(conn, "taught", plan=plan, reads=reads)
        await submit(conn, "untaught", plan=msgspec.structs.replace(plan, examples=[]), reads=reads)
    async with Reader(settings) as reader:
        run = Predictions(settings, database, blobs, reader, real_answer).run
        async with working(handlers={PREDICTIONS: run}):
            taught, untaught = await settled("taught", 60), await settled("untaught", 60)
    assert json.loads(taught.response or "") == {"fare": 31.2, "vessel": "MS-12"}
    assert json.loads(untaught.response or "") != {"fare": 31.2, "vessel": "MS-12"}, "without the example nobody knows"
    assert usage(taught)["elements_processed"] == 1, "the example is no page of the request"
    assert [path.name for path in (settings.data_dir / "skills").iterdir()] == [archive.content_hash(FILES)]


async def test_an_example_that_went_away_is_told_and_fails_nothing(
    settings: Settings, database: Database, blobs: Blobs, working: Working, settled: Settled
) -> None:
    files = {**FILES, "resources/terms.md": b"content that no process has read before"}
    kept = await publish(database, blobs, files)
    await blobs.delete(kept.blob)
    reads = await brought(blobs, "note", note("MS-12", "31.20"))
    async with database.begin() as conn:
        await submit(conn, "p", plan=planned(kept, files), reads=reads)
    async with Reader(settings) as reader:
        run = Predictions(settings, database, blobs, reader, real_answer).run
        async with working(handlers={PREDICTIONS: run}):
            row = await settled("p", 60)
    assert row.status == "completed", row.error
    assert "example_not_read: resources/note.html" in usage(row)["message"]


class Counting:
    """A reader that counts what it is asked to read."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.reads = 0

    async def inspect(self, path: Path) -> Any:
        return await self.reader.inspect(path)

    async def read(self, path: Path, **options: Any) -> Any:
        self.reads += 1
        return await self.reader.read(path, **options)


async def test_an_example_is_read_once_and_only_from_its_own_skill(
    settings: Settings, database: Database, blobs: Blobs, tmp_path: Path
) -> None:
    kept = await publish(database, blobs)
    hash = archive.content_hash(FILES)
    async with Reader(settings) as reader:
        counting = Counting(reader)
        bookcase = Bookcase(database, Shelf(blobs, tmp_path / "shelf"), counting)  # pyright: ignore[reportArgumentType]
        examples = bookcase.of([SkillUse(name="ferry", hash=hash, id=kept.id)])
        example = Example(answer={}, package=hash, path="resources/note.html")
        first = await examples.document(example)
        assert await examples.document(example) is first
        assert "Faehrgeld: 12.50" in first.text
        assert counting.reads == 1
        for path in ("../../../etc/hostname", "/etc/hostname", "resources", "none.html"):
            with pytest.raises(NotFound, match="no such file"):
                await examples.document(Example(answer={}, package=hash, path=path))
        for stranger in (Example(answer={}, package="0" * 64, path="SKILL.md"), Example(answer={}, path="SKILL.md")):
            with pytest.raises(NotFound, match="no skill that is kept"):
                await examples.document(stranger)
        async with database.begin() as conn:
            await skills.delete(conn, tenants.DEFAULT, kept.id)
        with pytest.raises(NotFound, match="deleted"):
            await bookcase.document(kept.id, (hash, "schema.json"))


async def test_what_an_inline_skill_said_goes_when_its_job_ends_and_what_was_used_stays(
    settings: Settings, database: Database, blobs: Blobs, working: Working, settled: Settled
) -> None:
    reads = await brought(blobs, "note", note("MS-12", "31.20"))
    taught = {**FILES, "resources/note.txt": b"Faehrgeld: 12.50 sesame", "resources/note.json": b'{"fare": 12.5}'}
    del taught["resources/note.html"]
    inline, kept = planned(None, taught), planned(await publish(database, blobs))
    async with database.begin() as conn:
        await submit(conn, "inline", plan=inline, reads=reads)
        await submit(conn, "kept", plan=kept, reads=reads)
    assert "sesame" in (await look(database, "inline")).request
    async with Reader(settings) as reader:
        run = Predictions(settings, database, blobs, reader, real_answer).run
        async with working(handlers={PREDICTIONS: run}):
            done, other = await settled("inline", 60), await settled("kept", 60)
    assert "sesame" not in done.request
    assert "ferry's note" not in done.request
    assert (asked(done).plan.skills, asked(done).plan.schema) == (inline.skills, inline.schema)
    assert asked(other).plan == kept
