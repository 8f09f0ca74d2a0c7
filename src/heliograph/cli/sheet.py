"""What `--annotate` writes about a recording: a contact sheet of its shots with the boxes of cited text, and subtitles of what is said."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from PIL import Image, ImageDraw, ImageFont

from heliograph.cli.annotate import COLOURS, INK, MARGIN, SOFT
from heliograph.cli.progress import clock

if TYPE_CHECKING:
    from heliograph.cli.answering import Record
    from heliograph.extraction.answered import Answer
    from heliograph.media.recording import Recording
    from heliograph.perception.player import Player

MOST = 60
"""Frames on a sheet; of more, those with boxes come first and the rest are spread over the recording."""
COLUMNS, CELL, GAP, LINE = 4, 400, 16, 24
"""Frames in a row; pixels of their longest side, between them and of a line of text."""


class Cited(NamedTuple):
    """A value read on a frame: its box as `(x, y, w, h)` in fractions of the frame."""

    name: str
    confidence: str
    xywh: tuple[float, float, float, float]


async def write_recording(player: Player, path: Path, record: Record, made: Answer, folder: Path, name: str) -> list[Path]:
    """Write `<name>.srt` and `<name>.vtt` where somebody speaks, and `<name>-sheet.png` where there are pictures; gives their paths."""
    from heliograph.media.subtitles import cues, srt, vtt

    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    if made.transcript is not None and made.transcript.segments:
        shown = cues(made.transcript)
        for ending, text in (("srt", srt(shown)), ("vtt", vtt(shown, language=made.transcript.language))):
            written.append(folder / f"{name}.{ending}")
            written[-1].write_text(text, "utf-8")
    if made.recording is not None and made.recording.video is not None and made.viewing is not None:
        found: dict[float, list[Cited]] = {}
        for time, cited in citations(record["response"]):
            found.setdefault(time, []).append(cited)
        sheet = await draw(player, path, made.recording, chosen([shot.best for shot in made.viewing.shots], found), found)
        written.append(folder / f"{name}-sheet.png")
        sheet.quantize(200, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(written[-1])
    return written


def citations(answer: object, path: str = "") -> Iterator[tuple[float, Cited]]:
    """The values of an answer that were read on frames, with the frames' times."""
    if isinstance(answer, list):
        for index, item in enumerate(cast("list[object]", answer)):
            yield from citations(item, f"{path}[{index}]")
    elif isinstance(answer, dict):
        fields = cast("dict[str, Any]", answer)
        for name, value in fields.items():
            where = f"{path}.{name}" if path else name
            if name.endswith("_metadata") and isinstance(value, dict) and name.removesuffix("_metadata") in fields:
                metadata = cast("dict[str, Any]", value)
                boxes: list[dict[str, Any]] = metadata.get("bboxes") or []
                for box in boxes:
                    if "time" in box:
                        x, y, w, h = box["bbox"]["xywh"]
                        yield box["time"], Cited(where.removesuffix("_metadata"), str(metadata.get("confidence") or "lo"), (x, y, w, h))
            else:
                yield from citations(cast("object", value), where)


def chosen(shots: list[float], cited: dict[float, list[Cited]]) -> list[float]:
    """The times of the frames on a sheet, in order: all cited ones, and of the shots as many as there is room for."""
    times = sorted(cited)[:MOST]
    rest = [time for time in sorted(set(shots)) if all(abs(time - other) > 0.05 for other in times)]
    room = MOST - len(times)
    spread = rest if len(rest) <= room else [rest[round(place * (len(rest) - 1) / max(1, room - 1))] for place in range(room)]
    return sorted([*times, *spread])


async def draw(player: Player, path: Path, recording: Recording, times: list[float], cited: dict[float, list[Cited]]) -> Image.Image:
    """The sheet: each frame with its time beneath, and the names of the values that were read on it."""
    font = ImageFont.load_default(18)
    frames = [Image.open(io.BytesIO((await player.jpeg(path, recording, time, CELL)).data)).convert("RGB") for time in times]
    columns = max(1, min(COLUMNS, len(frames)))
    width = max((frame.width for frame in frames), default=CELL)
    heights = [frame.height + LINE * (1 + len(cited.get(time, []))) + GAP for time, frame in zip(times, frames, strict=True)]
    rows = [max(heights[at : at + columns]) for at in range(0, len(heights), columns)]
    sheet = Image.new("RGB", (columns * (width + GAP) + GAP, sum(rows) + 2 * GAP), MARGIN)
    pen = ImageDraw.Draw(sheet)
    for place, (time, frame) in enumerate(zip(times, frames, strict=True)):
        row, column = divmod(place, columns)
        left, top = GAP + column * (width + GAP), GAP + sum(rows[:row])
        sheet.paste(frame, (left, top))
        pen.text((left, top + frame.height + 3), f"{clock(time)}.{int(time * 10) % 10}", font=font, fill=INK)
        for line, value in enumerate(cited.get(time, []), 1):
            colour = COLOURS.get(value.confidence, COLOURS["lo"])
            x, y, w, h = value.xywh
            corner = left + x * frame.width - 2, top + y * frame.height - 2
            pen.rectangle((*corner, corner[0] + w * frame.width + 4, corner[1] + h * frame.height + 4), outline=colour, width=2)
            pen.text((left, top + frame.height + 3 + LINE * line), value.name, font=font, fill=colour)
    if not frames:
        pen.text((GAP, GAP), "no frames", font=font, fill=SOFT)
    return sheet
