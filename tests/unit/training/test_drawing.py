"""Drawn documents: the same seed the same bytes, sums that agree, boxes where the ink is, also after wear."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pypdfium2
import pytest
from PIL import Image
from training.drawing.dataset import KINDS, write
from training.drawing.layout import WAYS, Style
from training.drawing.wear import Wear

from heliograph.evaluation.sets import items

ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def drawn(folder: Path, documents: int, **more: Any) -> list[dict[str, Any]]:
    return [document.row for document in write(folder, documents, 11, **more)]


def text_within(path: Path, box: tuple[float, float, float, float]) -> str:
    page = pypdfium2.PdfDocument(path)[0]
    width, height = page.get_size()
    x0, y0, x1, y1 = box
    found = page.get_textpage().get_text_bounded(x0 * width - 1, height * (1 - y1) - 1, x1 * width + 1, height * (1 - y0) + 1)
    return " ".join(found.split())


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_same_seed_draws_the_same_documents(kind: str, tmp_path: Path) -> None:
    first, second = (drawn(tmp_path / name, 3, kinds=[kind]) for name in ("a", "b"))
    assert [row["sha256"] for row in first] == [row["sha256"] for row in second]


def test_what_stands_in_a_box_is_the_value(tmp_path: Path) -> None:
    drawn(tmp_path, 4 * len(KINDS), wears=(None,))
    checked = 0
    for item in items(tmp_path):
        for name, value in item.truth.items():
            if isinstance(value, str) and name in item.boxes and item.boxes[name].page == 0 and not ISO_DAY.fullmatch(value):
                box = item.boxes[name]
                assert value in text_within(item.path, (box.x, box.y, box.x1, box.y1)), (item.id, name)
                checked += 1
    assert checked > 60


def test_a_box_that_is_not_ticked_is_drawn_and_says_no(tmp_path: Path) -> None:
    drawn(tmp_path, 6, kinds=["certification"], wears=(None,))
    for item in items(tmp_path):
        ticked = [value for name, value in item.truth.items() if name.startswith("class_")]
        assert ticked.count(True) == 1
        assert ticked.count(False) == len(ticked) - 1


@pytest.mark.parametrize("wear", ["scan", "photo", "fax"])
def test_boxes_go_where_the_ink_goes(wear: Wear, tmp_path: Path) -> None:
    drawn(tmp_path, 4, kinds=["order"], wears=(wear,))
    for item in items(tmp_path):
        picture = np.asarray(Image.open(item.path).convert("L"), np.float32)
        height, width = picture.shape
        for box in item.boxes.values():
            inside = picture[int(box.y * height) : int(box.y1 * height) + 1, int(box.x * width) : int(box.x1 * width) + 1]
            dark = (inside < 0.7 * np.percentile(inside, 90)).mean()
            assert 0.04 < dark < 0.6, item.id


def test_the_sums_of_an_invoice_agree(tmp_path: Path) -> None:
    drawn(tmp_path, 12, kinds=["invoice"], wears=(None,))
    plain = [item for item in items(tmp_path) if "tax_basis_total" in item.truth]
    assert plain
    for item in plain:
        assert round(item.truth["tax_basis_total"] + item.truth["tax_total"], 2) == item.truth["grand_total"]


def test_the_two_sides_share_no_way_to_set_labels() -> None:
    assert not set(WAYS["train"]) & set(WAYS["held-out"])
    sides = [{Style.of(Random(seed), side).way for seed in range(60)} for side in ("train", "held-out")]
    assert not sides[0] & sides[1]


def test_what_a_kind_cannot_hold_is_named_and_not_true(tmp_path: Path) -> None:
    drawn(tmp_path, len(KINDS), wears=(None,))
    for item in items(tmp_path):
        assert item.absent
        assert not set(item.absent) & set(item.truth)
    for path in (tmp_path / "schemas").glob("*.json"):
        assert set(json.loads(path.read_text())["x-absent"]) <= set(json.loads(path.read_text())["properties"])
