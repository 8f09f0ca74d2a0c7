"""Broken, odd and hostile files against a running server: each gets a definite answer, and the server stays healthy."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.live import data_uri, running_server

SETS = (
    "robust_formats_openpreserve",
    "robust_fuzz_gofuzz",
    "robust_images_pillow",
    "robust_pdf_pypdf",
    "robust_pdf_verapdf",
    "robust_tika",
    "image_formats_pillow",
)
SCHEMA = {"type": "object", "properties": {"title": {"type": ["string", "null"]}}}
CONFIG = {"json_schema": SCHEMA, "detail": "lo"}
PATIENCE = 240.0


def test_every_robustness_file_gets_a_definite_answer(shared_data: Path, tmp_path: Path) -> None:
    items = [json.loads(line) for line in (shared_data / "manifest.jsonl").read_text().splitlines()]
    paths = [shared_data / item["path"] for item in items if item["set"] in SETS]
    assert paths, "the data folder holds no robustness set"
    problems: list[str] = []
    outcomes: Counter[str] = Counter()
    with running_server(tmp_path / "data", HELIOGRAPH_PAGE_TIMEOUT="20", HELIOGRAPH_OPEN_TIMEOUT="20", HELIOGRAPH_MAX_PAGES="5") as server:

        def one(path: Path) -> None:
            uri = data_uri(path.read_bytes())
            status, body = server.call("POST", "/v1/document/generate", {"url": uri, "batch": True, "config": CONFIG})
            if status != 201:
                outcomes[str(status)] += 1
                if not (400 <= status < 500 and body.get("error", {}).get("message")):
                    problems.append(f"{path.name}: {status} {body}")
                return
            try:
                final = server.settled(body["id"], PATIENCE)
            except AssertionError as error:
                problems.append(f"{path.name}: {error}")
                return
            outcomes[final["status"]] += 1
            if final["status"] == "failed" and not final["usage"]["message"]:
                problems.append(f"{path.name}: failed without a reason")
            if "internal_error" in json.dumps(final):
                problems.append(f"{path.name}: {final['usage']['message']}")

        with ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(one, paths))
        assert server.call("GET", "/v1/health")[0] == 200
        assert server.process.poll() is None
        _, sound = server.call(
            "POST", "/v1/document/generate", {"url": "data:text/plain,hello", "batch": False, "config": {"json_schema": SCHEMA}}
        )
        assert sound["status"] == "completed", sound
    print(dict(outcomes))
    assert not problems, "\n".join(problems)
    assert outcomes["completed"] > len(paths) // 10, f"hardly anything was read: {dict(outcomes)}"
