"""Tools of chats and executions: milliseconds of a call, warm, each in a run of its own that has read nothing yet."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, cast

import matplotlib
from PIL import Image
from tests.integration.agents import talks
from tests.integration.agents.tooling import INVOICE, Tools, pdf

from bench import Row
from heliograph import samples
from heliograph.agents import tools
from heliograph.agents.artifacts import Kind
from heliograph.agents.memory import Brought
from heliograph.agents.readings import Readings
from heliograph.agents.recordings import Recordings
from heliograph.config import Settings
from heliograph.models.serving import Models
from heliograph.perception.reader import Reader

PORTRAIT = Path(matplotlib.get_data_path(), "sample_data", "grace_hopper.jpg")
"""A photo of the US Navy, in the public domain, in matplotlib's wheel."""
TIMES = 7
LONG = 50
"""Pages of the long document."""
WEB = "https://page.example/"
HTML = "<html><body><main><h1>Tides</h1>" + "<p>The tide comes twice a day, <a href='/t'>see</a>.</p>" * 400 + "</main></body></html>"


class Call(NamedTuple):
    """A call to be timed. An argument that is the name of a file of `files` becomes its reference."""

    tool: str
    arguments: dict[str, Any]
    note: str = ""


def files() -> dict[str, tuple[bytes, Kind, str]]:
    """What the tools work on, by name: bytes, kind and media type."""
    return {
        "paper": (pdf(*INVOICE), "doc", "application/pdf"),
        "long": (pdf(*INVOICE * (LONG // 2)), "doc", "application/pdf"),
        "invoice": (samples.INVOICE.read_bytes(), "doc", "application/pdf"),
        "receipt": (samples.RECEIPT.read_bytes(), "img", "image/png"),
        "portrait": (PORTRAIT.read_bytes(), "img", "image/jpeg"),
        "eye": (eye(), "img", "image/png"),
        "talk": (talks.talk(), "vid", "video/mp4"),
        "notes": (b"one two three\n" * 2000, "doc", "text/plain"),
    }


def eye() -> bytes:
    """A part of the portrait."""
    sink = io.BytesIO()
    Image.open(PORTRAIT).crop((180, 130, 260, 180)).save(sink, "PNG")
    return sink.getvalue()


CALLS = [
    Call("put_file_url", {"file": WEB}),
    Call("list_artifacts", {}),
    Call("preview_image", {"image": "receipt"}),
    Call("read_file", {"path": "notes"}, "28 kB of text"),
    Call("write_file", {"path": "a.txt", "text": "words " * 1000}),
    Call("save_artifact", {"artifact": "receipt", "filename": "receipt.png"}),
    Call("search_text", {"text": "notes", "query": "two"}, "2,000 hits"),
    Call("search_text", {"text": "notes", "query": "t.o", "regex": True}, "in a child of its own, since patterns may never end"),
    Call("replace_text", {"text": "notes", "query": "two", "replacement": "2"}),
    Call("count_text", {"text": "notes"}),
    Call("compare_texts", {"first": "notes", "second": "notes"}),
    Call("calculate", {"expression": "15% of (1240.50 + 99)"}),
    Call("list_domains", {"query": "invoice"}),
    Call("create_schema", {"prompt": "Extract the invoice number, the date and the total"}),
    Call("document_info", {"document": "paper"}),
    Call("document_images", {"document": "paper"}, "2 pages, 1,600 pixels"),
    Call("read_document", {"document": "paper"}, "2 pages of text"),
    Call("read_document", {"document": "receipt"}, "a receipt by OCR"),
    Call("search_document", {"document": "long", "query": "Jane Doe"}, f"{LONG} pages, read for it"),
    Call("answer_from_document", {"document": "invoice", "field": "total"}),
    Call("parse_document", {"document": "invoice", "domain": "document.invoice"}),
    Call("parse_document_markdown", {"document": "invoice"}),
    Call("detect_document_layout", {"document": "invoice"}),
    Call("classify_document", {"document": "invoice"}, "among all domains"),
    Call("redact_document", {"document": "paper"}, "2 pages, drawn anew"),
    Call("split_document", {"document": "long"}, f"{LONG} documents"),
    Call("merge_documents", {"documents": ["paper", "receipt", "long"]}),
    Call("execute_code", {"code": "sum(range(100))"}, "in the sandbox, warm"),
    Call("crop_image", {"image": "receipt", "xywh": [0.1, 0.1, 0.5, 0.5]}),
    Call("rotate_image", {"image": "receipt", "angle": 30}),
    Call("resize_image", {"image": "receipt", "width": 400}),
    Call("flip_image", {"image": "receipt"}),
    Call("grayscale_image", {"image": "receipt"}),
    Call("blur_bboxes", {"image": "receipt", "boxes": [[0.1, 0.1, 0.5, 0.1]]}),
    Call("enhance_image", {"image": "portrait", "denoise": 0.5}, "with noise taken out, 512 x 600 pixels"),
    Call("super_resolution", {"image": "portrait", "factor": 4}, "to 2048 x 2400 pixels"),
    Call("convert_image", {"image": "receipt", "format": "jpeg"}),
    Call("detect_faces", {"image": "portrait"}, "one face"),
    Call("detect_faces", {"image": "receipt"}, "none, so all four ways round"),
    Call("blur_faces", {"image": "portrait"}),
    Call("detect_texts", {"image": "receipt"}, "a receipt by OCR"),
    Call("detect_barcodes", {"image": "receipt"}),
    Call("find_template", {"image": "portrait", "template": "eye"}, "at 11 sizes"),
    Call("visualize_bboxes", {"image": "receipt", "boxes": [{"xywh": [0.1, y / 20, 0.5, 0.04], "label": f"line {y}"} for y in range(19)]}),
    Call("visualize_keypoints", {"image": "receipt", "keypoints": [{"xy": [0.5, 0.5], "label": "here"}]}),
    Call("visualize_masks", {"image": "receipt", "masks": [{"polygon": [[0.1, 0.1], [0.9, 0.2], [0.5, 0.9]], "label": "area"}]}),
    Call("image_grid", {"images": ["receipt", "portrait", "receipt", "portrait"]}),
    Call("make_chart", {"kind": "bar", "values": [3, 1, 4, 1, 5], "labels": ["a", "b", "c", "d", "e"]}, "1600 x 1000 pixels"),
    Call("make_chart", {"kind": "line", "series": [{"values": list(range(100))}] * 5}, "500 points"),
    Call("video_info", {"video": "talk"}),
    Call("sample_frames", {"video": "talk"}, "8 of a film of 10 s, 480 x 270"),
    Call("get_keyframes", {"video": "talk"}, "its shots found for it"),
    Call("trim_video", {"video": "talk", "start": 1.1, "end": 6.1}, "5 s, encoded anew"),
    Call("trim_video", {"video": "talk"}, "10 s, pictures copied"),
    Call("cut_highlights", {"video": "talk", "spans": [{"start": 1, "end": 2}, {"start": 6, "end": 7}]}),
    Call("concatenate_videos", {"videos": ["talk", "talk"]}),
    Call("change_video", {"video": "talk", "height": 120, "speed": 2.0}),
    Call("add_watermark", {"video": "talk", "text": "DRAFT"}),
    Call("get_editable_video", {"video": "talk"}),
    Call("write_editable_video", {"video": {"clips": [{"video": "talk", "start": 2, "end": 4}]}}, "2 s"),
    Call("video_to_gif", {"video": "talk", "start": 1, "end": 3}, "20 frames"),
    Call("extract_audio", {"video": "talk"}),
    Call("transcribe_video", {"video": "talk"}, "10 s of speech"),
    Call("search_video", {"video": "talk", "query": "better"}, "heard and watched for it"),
    Call("read_video", {"video": "talk"}, "two slides"),
    Call("add_video_captions", {"video": "talk"}, "burnt in, heard for it"),
    Call("fetch_page", {"url": WEB}, "40 kB of HTML, the network left out"),
]


def measure() -> Iterator[Row]:
    """A row for each call."""
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        settings = Settings(data_dir=Path(folder))
        reader, models = Reader(settings), Models(settings)
        try:
            run = Tools(settings, reader, models)
            run.memory.web[WEB] = Brought(content=HTML.encode(), kind="doc", media_type="text/html")
            refs = {name: runner.run(run.bring(*file, name)) for name, file in files().items()}
            for call in CALLS:
                yield Row(call.tool, runner.run(timed(run, call, refs)), "ms", "", call.note)
        finally:
            runner.run(reader.close())
            runner.run(models.close())


async def timed(run: Tools, call: Call, refs: dict[str, str]) -> float:
    """Median milliseconds, after a call that is not counted."""
    arguments = {name: _named(value, refs) for name, value in call.arguments.items()}
    taken: list[float] = []
    for _ in range(TIMES + 1):
        at = dataclasses.replace(run.at, readings=Readings(), recordings=Recordings())
        run.memory.steps.clear()
        started = time.perf_counter()
        await tools.REGISTRY[call.tool].call(at, arguments)
        taken.append((time.perf_counter() - started) * 1000)
    return median(taken[1:])


def _named(value: Any, refs: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_named(each, refs) for each in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {name: _named(each, refs) for name, each in cast("dict[str, Any]", value).items()}
    return refs.get(value, value) if isinstance(value, str) else value
