"""OCR beside RapidOCR as its wheel comes and beside tesseract: processor seconds a page and words read, on the same pixels in one run.

Pages are a drawn receipt, a drawn dense page and, where the evaluation data is (`DATA`, by default `../shared/data`), scanned receipts
and prose.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image as Pillow
from tests.unit.perception.drawing import receipt

from bench import Row
from bench.reading import THREADS, dense
from heliograph.evaluation.likeness import Share, bags, blank_tokens, letter_tokens
from heliograph.media.content import Limits
from heliograph.media.opening import open_page
from heliograph.perception.detection import Image
from heliograph.perception.ocr import TextReader
from heliograph.perception.options import PHOTO_DPI

DATA = Path(os.environ.get("DATA", Path(__file__).parent.parent.parent / "shared" / "data"))
SETS = {"receipts_sroie": 12, "ocr_tesseract": 3}
"""Documents of each set."""
PEERS = {"rapidocr": "RapidOCR's defaults", "tesseract": "tesseract, English, one thread"}


class Read(NamedTuple):
    """What one engine took for all pages, in processor seconds a page, and its word F1s."""

    seconds: float
    between_blanks: float
    letters: float


def measure() -> Iterator[Row]:
    """Each engine over the same pages, one after the other."""
    pages = [*drawn(), *scanned()]
    reader = TextReader(THREADS)
    ours = over(pages, lambda image: "\n".join(" ".join(word.text for word in line.words) for line in reader.read(image).lines))
    peers = {"rapidocr": over(pages, rapidocr()), "tesseract": over(pages, tesseract) if shutil.which("tesseract") else None}
    yield Row(f"OCR, {len(pages)} pages, CPU a page", ours.seconds, "s", "", "warm; all threads")
    for name, read in peers.items():
        if read is None:
            yield Row(f"OCR, {PEERS[name]}", 0, "s", "", "not measured: not installed")
            continue
        goal = ">= 2" if name == "rapidocr" else ">= 0.5"
        note = f"{read.seconds:.2f} CPU s a page"
        yield Row(f"pages a core second, ratio to {PEERS[name]}", read.seconds / ours.seconds, "", goal, note)
    for what, place in (("runs of letters and digits", 2), ("words between blanks", 1)):
        others = ", ".join(f"{name} {read[place]:.3f}" for name, read in peers.items() if read)
        yield Row(f"word F1, {what}", ours[place], "", "above both", others)


def drawn() -> Iterator[tuple[Image, str]]:
    """Pages that we draw, with their words."""
    for page in (receipt(), dense(9.0, 150)):
        yield page.pixels, " ".join(word for word, _ in page.words)


def scanned() -> Iterator[tuple[Image, str]]:
    """Pages of the evaluation data as the reader would be given them, upright ones only."""
    for name, count in SETS.items():
        manifest = DATA / name / "manifest.jsonl"
        rows = [json.loads(row) for row in manifest.read_text().splitlines()[:count]] if manifest.is_file() else []
        for row in rows:
            if "rotated" in row["path"]:
                continue
            truth: dict[str, Any] = json.loads((DATA / row["truth_path"]).read_text())
            image = open_page(DATA / row["path"], 0, PHOTO_DPI["auto"], True, Limits()).image
            assert image is not None
            pixels = np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, 3)
            yield pixels, truth["text"] if "text" in truth else "\n".join(line["text"] for line in truth["text_lines"])


def over(pages: list[tuple[Image, str]], read: Callable[[Image], str]) -> Read:
    """`read` on every page, after two that do not count."""
    for image, _ in pages[:2]:
        read(image)
    blank, letter = Share(), Share()
    begun = used()
    for image, truth in pages:
        text = read(image)
        blank, letter = (
            blank.plus(bags(blank_tokens(truth), blank_tokens(text))),
            letter.plus(bags(letter_tokens(truth), letter_tokens(text))),
        )
    return Read((used() - begun) / len(pages), blank.f1, letter.f1)


def used() -> float:
    """Processor seconds of this process and the children that it waited for."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def rapidocr() -> Callable[[Image], str]:
    """RapidOCR with nothing set but its log."""
    engine: Any = import_module("rapidocr").RapidOCR(params={"Global.log_level": "error"})
    return lambda image: "\n".join(engine(np.ascontiguousarray(image[:, :, ::-1])).txts or [])


def tesseract(image: Image) -> str:
    """Debian's tesseract, which takes less processor time on one thread than on several."""
    with tempfile.NamedTemporaryFile(suffix=".ppm") as file:
        Pillow.fromarray(image).save(file.name)
        command = ["tesseract", file.name, "-", "-l", "eng"]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | {"OMP_THREAD_LIMIT": "1"})
    return done.stdout
