from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from heliograph.evaluation.sets import items


def test_marks_deep_in_a_truth_become_boxes_by_path(tmp_path: Path) -> None:
    def mark(text: str, x: float) -> dict[str, Any]:
        return {"text": text, "pages": [2], "boxes": [[x, 0.1, x + 0.1, 0.1, x + 0.1, 0.2, x, 0.2]]}

    leaf = {"type": ["string", "null"]}
    schema = {"type": "object", "properties": {"who": {"type": "object", "properties": {"name": leaf}}, "rows": {"type": "array"}}}
    truth = {"fields": {"who": {"name": mark("Ada", 0.1)}, "rows": [{"item": mark("Oil", 0.3)}]}}
    for name, content in (
        ("manifest.jsonl", {"id": "1", "set": "mine", "path": "a.pdf", "truth_path": "a.json"}),
        ("a.json", truth),
        ("schemas/mine.json", schema),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(content))
    (item,) = items(tmp_path)
    assert item.truth == {"who": {"name": "Ada"}, "rows": [{"item": "Oil"}]}
    assert {path: box.page for path, box in item.boxes.items()} == {"who.name": 1, "rows.0.item": 1}
    assert item.boxes["rows.0.item"].x == 0.3
