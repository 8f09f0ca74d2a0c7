"""What the system under test gets to see, and what is kept of its answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from heliograph.evaluation.judging import Outcome
from heliograph.evaluation.runner import Said, run
from heliograph.evaluation.sets import Item
from heliograph.perception.reader import Reader

NO_READER = cast("Reader", None)


class Witness:
    """A system that notes what it is shown."""

    def __init__(self, version: str = "one", broken: bool = False) -> None:
        self.version, self.broken = version, broken
        self.seen: list[tuple[Path, bytes, dict[str, Any]]] = []

    async def ask(self, path: Path, config: dict[str, Any]) -> Said:
        self.seen.append((path, path.read_bytes(), config))
        if self.broken:
            raise RuntimeError("out of order")
        return Said({"total": 1.0}, 0.1)


@pytest.fixture
def item(tmp_path: Path) -> Item:
    path = tmp_path / "ACME total 77.pdf"
    path.write_bytes(b"%PDF content")
    schema = {"type": "object", "properties": {"total": {"type": "number"}}}
    return Item("mine/ACME", "mine", path, schema, ["iban"], {"total": 77}, True)


async def outcomes(system: Witness, item: Item, **how: Any) -> list[tuple[Outcome, Said | None]]:
    return [(outcome, said) async for _, outcome, said in run(system, NO_READER, [item], **how)]


async def test_the_system_sees_bytes_and_schema_and_nothing_that_gives_the_answer_away(item: Item) -> None:
    system = Witness()
    await outcomes(system, item)
    ((path, content, config),) = system.seen
    assert (path.name, content) == ("document.pdf", b"%PDF content")
    assert config == {"json_schema": item.schema, "grounding": True, "confidence": True}
    assert not any(word in f"{path}{config}" for word in ("ACME", "77", "mine", "iban"))
    assert not path.exists()


async def test_a_finished_document_is_not_asked_again_and_is_judged_with_the_truth_of_the_day(item: Item, tmp_path: Path) -> None:
    await outcomes(Witness(), item, state=tmp_path / "kept")
    item.truth["total"] = 1
    again = Witness()
    ((outcome, said),) = await outcomes(again, item, state=tmp_path / "kept")
    assert again.seen == []
    assert said is not None
    assert said.kept
    assert outcome.fields[-1].exact


@pytest.mark.parametrize("change", ["version", "content", "schema", "fresh"])
async def test_another_version_document_or_schema_is_asked_anew(item: Item, tmp_path: Path, change: str) -> None:
    await outcomes(Witness(), item, state=tmp_path / "kept")
    if change == "content":
        item.path.write_bytes(b"%PDF other")
    if change == "schema":
        item.schema["properties"]["total"]["description"] = "What was paid"
    system = Witness("two" if change == "version" else "one")
    await outcomes(system, item, state=tmp_path / "kept", fresh=change == "fresh")
    assert len(system.seen) == 1


async def test_a_document_without_an_answer_counts_as_missing_and_is_tried_again(item: Item, tmp_path: Path) -> None:
    ((outcome, said),) = await outcomes(Witness(broken=True), item, state=tmp_path / "kept")
    assert said is None
    assert outcome.error == "RuntimeError: out of order"
    assert [judged.verdict for judged in outcome.fields] == ["missing"]
    system = Witness()
    await outcomes(system, item, state=tmp_path / "kept")
    assert len(system.seen) == 1
