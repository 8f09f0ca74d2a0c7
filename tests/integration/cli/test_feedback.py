"""`heliograph feedback export`: what people said of answers becomes folders that `heliograph eval` measures."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from heliograph.cli.app import app
from heliograph.config import Settings
from heliograph.extraction.plan import resolve
from heliograph.ids import new_id
from heliograph.jobs.bodies import request_text
from heliograph.store import feedback, predictions, tenants
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database
from heliograph.store.predictions import Input

DRAWN = Path(__file__).parents[2] / "data" / "eval"
FORM = DRAWN / "items" / "c.pdf"
SCHEMA = json.loads((DRAWN / "schemas" / "drawn_forms.json").read_text())
runner = CliRunner()


class Kept:
    """Predictions of one tenant, written as the server writes them."""

    def __init__(self, settings: Settings, url: str, tenant: str = "default") -> None:
        self.settings, self.url, self.tenant = settings, url, tenant

    def make(
        self, *said: dict[str, Any] | str, files: int = 1, metadata: dict[str, Any] | None = None, retain: bool = True, **config: Any
    ) -> str:
        """A prediction of the form, and what was said of it, oldest first: responses and notes."""
        return asyncio.run(self._make(said, files, metadata or {}, retain, config or {"json_schema": SCHEMA}))

    async def _make(
        self, said: tuple[dict[str, Any] | str, ...], files: int, metadata: dict[str, Any], retain: bool, config: dict[str, Any]
    ) -> str:
        id = new_id()
        plan = resolve("document", domain=config.pop("domain", None), config=config)
        reads: list[Input] = []
        for position in range(files):
            blob = f"{self.tenant}/inputs/{id}/{position}"
            await Blobs(self.settings).put(blob, FORM.read_bytes())
            reads.append(Input(position=position, source="data", blob=blob))
        database = Database(self.url, size=1)
        try:
            async with database.begin() as conn:
                await tenants.create(conn, self.tenant)
                owner = await tenants.named(conn, self.tenant)
                assert owner
                await predictions.create(
                    conn, owner.id, id=id, kind="document", operation="generate", domain=plan.domain, model="vlm-1",
                    request=request_text({}, plan), digest="", metadata=json.dumps(metadata), retain=retain, reads=reads,
                )  # fmt: skip
                for one in said:
                    response, notes = (None, one) if isinstance(one, str) else (json.dumps(one), None)
                    await feedback.submit(conn, owner.id, "request_id", id, response=response, notes=notes)
        finally:
            await database.close()
        return id


@pytest.fixture
def kept(settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Kept:
    monkeypatch.setenv("HELIOGRAPH_DATABASE_URL", database_url)
    monkeypatch.setenv("HELIOGRAPH_DATA_DIR", str(settings.data_dir))
    return Kept(settings, database_url)


def export(folder: Path, *options: str) -> Any:
    result = runner.invoke(app, ["feedback", "export", str(folder), *options])
    assert result.exit_code == 0, result.output
    return result


def truths(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*/*.pdf.json"))]


def test_a_corrected_request_is_exported_and_measured(kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    request = kept.make(
        {"email": "wrong@post.example", "date_of_birth": "1988-11-20", "email_metadata": {"confidence": "hi"}, "unasked": 1},
        "the address was wrong",
        {"email": "ottilie.marsh@post.example"},
    )
    out = tmp_path / "out"
    export(out)
    (folder,) = [path for path in out.iterdir() if path.is_dir()]
    assert json.loads((folder / "schema.json").read_text()) == SCHEMA
    assert truths(out) == [{"email": "ottilie.marsh@post.example", "date_of_birth": "1988-11-20"}]
    (line,) = [json.loads(line) for line in (out / "feedback.jsonl").read_text().splitlines()]
    assert (out / line["file"]).read_bytes() == FORM.read_bytes()
    assert request not in line["file"]
    assert (line["request_id"], line["notes"]) == (request, ["the address was wrong"])

    measured = runner.invoke(app, ["eval", str(folder), "--schema", str(folder / "schema.json"), "--verbose"])
    assert measured.exit_code == 0, measured.output
    assert "date_of_birth: '1988-11-19' is not '1988-11-20'" in measured.output
    assert "email:" not in measured.output


def test_each_schema_has_its_folder_and_a_domain_its_name(kept: Kept, tmp_path: Path) -> None:
    kept.make({"email": "a@b.example"})
    kept.make({"email": None})
    kept.make({"total": 5.0}, domain="document.receipt")
    kept.make({"total": 6.0}, domain="document.receipt", gql_stmt="{ total }")
    export(tmp_path / "out")
    names = sorted(path.name.rpartition("-")[0] or path.name for path in (tmp_path / "out").iterdir() if path.is_dir())
    assert names == ["document.receipt", "document.receipt", "own"]
    assert sorted(map(str, truths(tmp_path / "out"))) == ["{'email': 'a@b.example'}", "{'email': None}", "{'total': 5.0}", "{'total': 6.0}"]


def test_what_may_not_be_used_and_what_cannot_be_asked_again_stays_out_and_is_counted(kept: Kept, tmp_path: Path) -> None:
    right = {"email": "a@b.example"}
    kept.make(right, metadata={"allow_training": False})
    kept.make(right, retain=False)
    kept.make(right, files=2)
    kept.make(right, json_schema=SCHEMA, page_indices=[0])
    kept.make({"pages": []}, domain="document.markdown")
    kept.make("only a note")
    kept.make({"unasked": 1})
    kept.make()
    result = export(tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
    for said in ("2 left out: not to be used", "2 left out: several files", "1 left out: no schema", "2 left out: notes alone"):
        assert said in result.output, result.output


def test_only_the_named_tenants_feedback_is_exported(kept: Kept, settings: Settings, database_url: str, tmp_path: Path) -> None:
    kept.make({"email": "ours@b.example"})
    Kept(settings, database_url, "other").make({"email": "theirs@b.example"})
    export(tmp_path / "theirs", "--tenant", "other")
    assert truths(tmp_path / "theirs") == [{"email": "theirs@b.example"}]
    unknown = runner.invoke(app, ["feedback", "export", str(tmp_path / "x"), "--tenant", "nobody"])
    assert "There is no tenant nobody" in str(unknown.exception)


def test_an_export_goes_into_an_empty_folder_alone(kept: Kept, tmp_path: Path) -> None:
    kept.make({"email": "a@b.example"})
    export(tmp_path / "out")
    again = runner.invoke(app, ["feedback", "export", str(tmp_path / "out")])
    assert again.exit_code == 1
    assert "not an empty folder" in str(again.exception)
