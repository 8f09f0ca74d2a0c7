"""Reading: seconds a scan, pages a second of born-digital PDF, what `detail` costs and brings, and memory over many documents."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any, get_args

from tests.unit.perception.drawing import Drawing, f1, receipt, write_pdf

from bench import Row
from heliograph.config import Settings
from heliograph.perception import weights
from heliograph.perception.ocr import TextReader
from heliograph.perception.options import Detail
from heliograph.perception.reader import Reader

SYLLABLES = "ka lo mi ne ru sa te vi wo ba di fu ge ho ja".split()  # noqa: SIM905
THREADS = 2


def measure() -> Iterator[Row]:
    """The rows of this bench."""
    yield from against_the_wheel()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_collect(Path(folder), rows))
    yield from rows


def against_the_wheel() -> Iterator[Row]:
    """Our pipeline and the wheel's own on the same networks, runtime, threads and pictures."""
    pages = [receipt(), dense(7.0, 130), dense(10.0, 130)]
    ours, theirs = TextReader(THREADS), wheel()
    for name, page in zip(("receipt", "dense page, 7 pt", "dense page, 10 pt"), pages, strict=True):
        want = [word for word, _ in page.words]
        mine, took = timed(lambda page=page: [word.text for line in ours.read(page.pixels).lines for word in line.words])
        peer, peer_took = timed(lambda page=page: " ".join(theirs(page.pixels[:, :, ::-1]).txts or []).split())
        yield Row(f"OCR of a drawn {name}, warm", took, "s", "", f"rapidocr's pipeline {peer_took:.2f} s, ratio {took / peer_took:.2f}")
        yield Row(f"word F1, {name}", f1(want, mine), "", "", f"rapidocr's pipeline {f1(want, peer):.3f}")


def wheel() -> Any:
    """RapidOCR as its wheel runs it, told to use the same settings."""
    rapidocr = import_module("rapidocr")
    engine = rapidocr.EngineType.OPENVINO
    models = weights.weights(*weights.DETECTION).parent
    settings: dict[str, Any] = {"Global.use_cls": False, "Global.log_level": "error", "Det.limit_type": "max", "Det.limit_side_len": 1280}
    for part, name in (("Det", "PP-OCRv6_det_small"), ("Rec", "PP-OCRv6_rec_small"), ("Cls", "ch_ppocr_mobile_v2.0_cls_mobile")):
        settings |= {f"{part}.engine_type": engine, f"{part}.model_path": str(models / f"{name}.onnx")}
    return rapidocr.RapidOCR(params=settings | {"EngineConfig.openvino.inference_num_threads": THREADS})


async def _collect(folder: Path, rows: list[Row]) -> None:
    async for row in whole_files(folder):
        rows.append(row)


async def whole_files(folder: Path) -> AsyncIterator[Row]:
    """Through the `Reader`, as jobs read."""
    async with Reader(Settings(data_dir=folder, cpu_budget=THREADS)) as reader:
        receipt().image.save(folder / "receipt.png")
        took = [await seconds(reader, folder / "receipt.png") for _ in range(6)]
        yield Row(
            "photo of a receipt, file to Document", median(took[1:]), "s", "<= 2.5 with extraction", f"first, engines cold: {took[0]:.1f} s"
        )
        lines = [(72.0, 60.0 + 14 * n, 10.0, f"Line {n} of a page of text with some ten words on it.") for n in range(48)]
        path = write_pdf(folder / "digital.pdf", [lines] * 80)
        took = [await seconds(reader, path) for _ in range(3)]
        yield Row("born-digital PDF, 48 lines a page", 80 / median(took), "pages/s", ">= 40", "words, lines, blocks, tables")
        for points in (5.0, 7.0, 10.0):
            page = dense(points, 300)
            scan = folder / f"scan{points:g}.pdf"
            page.image.save(scan, resolution=300)
            for detail in get_args(Detail):
                begun = time.perf_counter()
                words = [word.text for word in (await reader.read(scan, detail=detail)).pages[0].words]
                yield Row(
                    f"scan, {points:g} pt, detail {detail}",
                    time.perf_counter() - begun,
                    "s",
                    "",
                    f"word F1 {f1([w for w, _ in page.words], words):.3f}",
                )
        yield await memory(reader, folder)


async def memory(reader: Reader, folder: Path) -> Row:
    """Growth of the engine child over documents of ever new sizes."""
    generator = random.Random(3)

    async def some(count: int) -> float:
        for number in range(count):
            page = Drawing(generator.randint(500, 1600), generator.randint(500, 1600))
            for line in range(12):
                page.text(20, 30 + 38 * line, phrase(generator, 5), generator.randint(14, 34))
            page.image.save(folder / f"{number % 2}.png")
            await reader.read(folder / f"{number % 2}.png")
        return max(resident(pid) for pid in reader.pids)

    before = await some(40)
    after = await some(60)
    return Row("engine child, memory over 60 more documents", after - before, "MiB", "flat", f"{before:.0f} MiB after the first 40")


async def seconds(reader: Reader, path: Path) -> float:
    """How long one file takes to read."""
    begun = time.perf_counter()
    await reader.read(path)
    return time.perf_counter() - begun


def timed(call: Any) -> tuple[list[str], float]:
    """What `call` gives, and its median time over three calls after a first."""
    result: list[str] = call()
    times: list[float] = []
    for _ in range(3):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return result, median(times)


def dense(points: float, dpi: float) -> Drawing:
    """A Letter page full of words and numbers in `points`, drawn at `dpi`."""
    generator = random.Random(int(points * 10))
    page = Drawing(round(8.5 * dpi), round(11 * dpi))
    size = points * dpi / 72
    y = dpi * 0.7
    while y < 10.3 * dpi:
        page.text(dpi * 0.8, y, phrase(generator, int(80 / points)), round(size))
        y += 1.5 * size
    return page


def phrase(generator: random.Random, count: int) -> str:
    """Words made of syllables, a number now and then."""
    return " ".join(
        f"{generator.randint(1, 9999)}.{generator.randint(0, 99):02}"
        if generator.random() < 0.15
        else "".join(generator.choices(SYLLABLES, k=generator.randint(1, 4)))
        for _ in range(count)
    )


def resident(pid: int) -> float:
    """Memory of a process in MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 2**20
