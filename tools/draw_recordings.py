"""The recordings that the tests hold a bar to, in `tests/data/eval`: a drawn video with cuts and signs, and two sentences read aloud.

`python tools/draw_recordings.py LJSPEECH` writes them anew. LJSPEECH is a folder with `LJ001-0001.flac` and `LJ001-0005.flac` of the LJ
Speech Dataset (Keith Ito and Linda Johnson, 2017; texts of 1884 to 1964 read for LibriVox), which is in the public domain.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont

TARGET = Path(__file__).resolve().parents[1] / "tests" / "data" / "eval"
WIDTH, HEIGHT, FPS = 320, 180, 10
SHOTS = (("PLATFORM 4", 24, 20, 60), ("HARBOUR", 31, 120, 110), ("", 18, 0, 0), ("OPEN 9-17", 27, 60, 20), ("THE END", 20, 140, 70))
"""What stands on each shot, how many frames it has, and where its sign is; the third has none."""
READ = {
    "LJ001-0001": "Printing, in the only sense with which we are at present concerned, differs from most if not from all the arts "
    "and crafts represented in the Exhibition",
    "LJ001-0005": "the invention of movable metal letters in the middle of the fifteenth century may justly be considered "
    "as the invention of the art of printing.",
}


def main() -> None:
    """Write items, truth and lines of the manifest."""
    made = [("drawn_shots", "shots.mp4", "video", "shot_boundaries", _video(TARGET / "items" / "shots.mp4"))]
    for name, text in READ.items():
        _sound(Path(sys.argv[1]) / f"{name}.flac", TARGET / "items" / f"{name}.ogg")
        made.append(("read_aloud", f"{name}.ogg", "audio", "asr", {"language": "en", "text": text}))
    manifest = TARGET / "manifest.jsonl"
    rows = [row for row in manifest.read_text().splitlines() if json.loads(row)["set"] not in {one[0] for one in made}]
    for name, file, kind, task, truth in made:
        (TARGET / "truth" / f"{file}.json").write_text(json.dumps(truth, indent=1) + "\n")
        row = {"id": f"{name}/{file}", "set": name, "kind": kind, "path": f"items/{file}", "truth_path": f"truth/{file}.json", "task": task}
        row["sha256"] = hashlib.sha256((TARGET / "items" / file).read_bytes()).hexdigest()
        rows.append(json.dumps(row))
    manifest.write_text("\n".join(rows) + "\n")


def _video(path: Path) -> dict[str, Any]:
    chance = np.random.default_rng(2)
    starts: list[int] = []
    shown: list[dict[str, Any]] = []
    at = 0
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=FPS, options={"crf": "24", "preset": "veryslow"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for text, length, left, top in SHOTS:
            starts.append(at)
            if text:
                shown.append({"text": text, "start_sec": at / FPS, "end_sec": (at + length) / FPS})
            colours = chance.integers(0, 120, 3) + chance.integers(0, 60, (9, 16, 3))
            ground = Image.fromarray(np.kron(colours, np.ones((20, 20, 1))).astype(np.uint8))
            for number in range(length):
                picture = ground.rotate(number / 4, resample=Image.Resampling.BILINEAR)
                if text:
                    pen = ImageDraw.Draw(picture)
                    face = ImageFont.load_default(30)
                    x = left + number // 6
                    pen.rectangle((x, top, x + 24 + face.getlength(text), top + 50), fill=(245, 245, 240))
                    pen.text((x + 12, top + 6), text, font=face, fill=(10, 10, 10))
                out.mux(stream.encode(av.VideoFrame.from_image(picture)))
            at += length
        out.mux(stream.encode(None))
    return {"shot_start_frames": starts, "shown": shown}


def _sound(source: Path, target: Path) -> None:
    with av.open(str(source)) as file, av.open(str(target), "w") as out:
        stream = out.add_stream("libopus", rate=16_000)
        assert isinstance(stream, av.AudioStream)
        stream.layout, stream.bit_rate = "mono", 24_000
        turned = av.AudioResampler("s16", "mono", 16_000)
        for frame in file.decode(audio=0):
            for part in turned.resample(frame):
                out.mux(stream.encode(part))
        out.mux(stream.encode(None))


if __name__ == "__main__":
    main()
