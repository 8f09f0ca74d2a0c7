"""Reading: seconds a scan, pages a second of born-digital PDF, what `detail` costs and brings, and memory over many documents."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from collections.abc import Iterator
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
    """The rows of this bench, under four minutes on two quiet cores."""
    yield from against_the_wheel()
    with tempfile.TemporaryDirectory() as name, asyncio.Runner() as runner:
        folder = Path(name)
        reader = runner.run(opened(folder))
        try:
            yield runner.run(photo(reader, folder))
            yield runner.run(digital(reader, folder))
            for detail in get_args(Detail):
                yield runner.run(scan(reader, folder, detail))
            yield runner.run(memory(reader, folder))
        finally:
            runner.run(reader.close())


def against_the_wheel() -> Iterator[Row]:
    """Our pipeline and the wheel's own on the same networks, runtime, threads and pictures."""
    pages = [receipt(), dense(7.0, 130)]
    ours, theirs = TextReader(THREADS), wheel()
    for name, page in zip(("receipt", "dense page, 7 pt"), pages, strict=True):
        want = [word for word, _ in page.words]
        mine, took = timed(lambda page=page: [word.text for line in ours.read(page.pixels).lines for word in line.words])
        peer, peer_took = timed(lambda page=page: " ".join(theirs(page.pixels[:, :, ::-1]).txts or []).split())
        yield Row(f"OCR of a drawn {name}, warm", took, "CPU s", "", f"rapidocr's pipeline {peer_took:.2f}, ratio {took / peer_took:.2f}")
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


async def opened(folder: Path) -> Reader:
    """A reader as jobs use it."""
    return Reader(Settings(data_dir=folder, cpu_budget=THREADS))


async def photo(reader: Reader, folder: Path) -> Row:
    """A receipt, from file to Document."""
    receipt().image.save(folder / "receipt.png")
    took = [await seconds(reader, folder / "receipt.png") for _ in range(6)]
    note = f"first, engines cold: {took[0]:.1f} s"
    return Row("photo of a receipt, file to Document", median(took[1:]), "s", "<= 2.5 with extraction", note)


async def digital(reader: Reader, folder: Path) -> Row:
    """A born-digital PDF to words, lines, blocks and tables."""
    lines = [(72.0, 60.0 + 14 * n, 10.0, f"Line {n} of a page of text with some ten words on it.") for n in range(48)]
    path = write_pdf(folder / "digital.pdf", [lines] * 80)
    await seconds(reader, path)
    used = processor(reader)
    took = [await seconds(reader, path) for _ in range(3)]
    note = f"wall, median of 3; {240 / (processor(reader) - used):.0f} pages a processor second of its children"
    return Row("born-digital PDF, 48 lines a page", 80 / median(took), "pages/s", ">= 40", note)


async def scan(reader: Reader, folder: Path, detail: Detail) -> Row:
    """What `detail` costs and brings on small print."""
    page = dense(7.0, 300)
    page.image.save(folder / "scan.pdf", resolution=300)
    begun = time.perf_counter()
    words = [word.text for word in (await reader.read(folder / "scan.pdf", detail=detail)).pages[0].words]
    took = time.perf_counter() - begun
    return Row(f"scan, 7 pt, detail {detail}", took, "s", "", f"word F1 {f1([w for w, _ in page.words], words):.3f}")


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

    before = await some(30)
    after = await some(50)
    return Row("engine child, memory over 50 more documents", after - before, "MiB", "flat", f"{before:.0f} MiB after the first 30")


async def seconds(reader: Reader, path: Path) -> float:
    """How long one file takes to read."""
    begun = time.perf_counter()
    await reader.read(path)
    return time.perf_counter() - begun


def processor(reader: Reader) -> float:
    """Processor seconds that its children have used."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in reader.pids]
    return sum(int(field[11]) + int(field[12]) for field in fields) / os.sysconf("SC_CLK_TCK")


def timed(call: Any) -> tuple[list[str], float]:
    """What `call` gives, and its median processor time, in seconds over all threads, of three calls after a first."""
    result: list[str] = call()
    times: list[float] = []
    for _ in range(3):
        begun = time.process_time()
        call()
        times.append(time.process_time() - begun)
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
