"""What is done for each act that the rules understand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from heliograph.agents.planner.clauses import Clause
from heliograph.agents.planner.doing import documents, figures, finding, pictures, recordings, talk
from heliograph.agents.planner.hand import Done, Hand
from heliograph.agents.planner.moves import Act

Doer = Callable[[Hand, Act, Clause], Awaitable[Done]]

DOERS: dict[str, Doer] = {
    "rotate": pictures.rotate,
    "flip": pictures.flip,
    "grayscale": pictures.grayscale,
    "upscale": pictures.upscale,
    "resize": pictures.resize,
    "crop": pictures.crop,
    "enhance": pictures.enhance,
    "convert": pictures.convert,
    "crop_pixels": pictures.crop_pixels,
    "grid": pictures.grid,
    "crop_faces": finding.crop_faces,
    "faces": finding.faces,
    "draw_faces": finding.draw_faces,
    "blur_faces": finding.blur_faces,
    "codes": finding.codes,
    "draw_codes": finding.draw_codes,
    "blur_codes": finding.blur_codes,
    "draw_words": finding.draw_words,
    "blur_words": finding.blur_words,
    "draw_found": finding.draw_found,
    "draw_field": finding.draw_field,
    "chart": figures.chart,
    "chart_table": figures.chart_table,
    "calculate": figures.calculate,
    "merge": documents.merge,
    "split": documents.split,
    "drop": documents.drop,
    "column": documents.column,
    "count_pages": documents.count_pages,
    "page_images": documents.page_images,
    "redact": documents.redact,
    "markdown": documents.markdown,
    "layout": documents.layout,
    "classify": documents.classify,
    "table": documents.table,
    "search": documents.search,
    "read": documents.read,
    "extract": documents.extract,
    "answer": documents.answer,
    "transcribe": recordings.transcribe,
    "search_recording": recordings.search,
    "read_screen": recordings.read_screen,
    "recording_info": recordings.info,
    "trim": recordings.trim,
    "change_recording": recordings.change,
    "watermark": recordings.watermark,
    "captions": recordings.captions,
    "gif": recordings.gif,
    "extract_audio": recordings.audio,
    "frames": recordings.frames,
    "keyframes": recordings.keyframes,
    "join": recordings.join,
    "fetch": talk.fetch,
    "web_search": talk.web_search,
    "artifacts": talk.artifacts,
    "introduce": talk.introduce,
}
"""By the name of the act."""
