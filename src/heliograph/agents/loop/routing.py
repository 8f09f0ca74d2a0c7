"""Which toolsets a run has that names none: `core`, and while somebody listens those that its words and files call for."""

from __future__ import annotations

import re
from collections.abc import Iterable

from heliograph.agents import providers
from heliograph.agents.task import TOOLSETS, Media, Task, Toolset
from heliograph.config import Ability

_WORDS: dict[Toolset, str] = {
    "image": r"images?|pictures?|photos?|faces?|people|persons?|objects?|logos?|bar ?codes?|qr|crop\w*|rotat\w*|resiz\w*|blur\w*|detect\w*|"
    r"count|enhanc\w*|sharpen\w*|keypoints?|segment\w*|masks?|upscal\w*|thumbnails?",
    "document": r"documents?|pdfs?|pages?|invoices?|receipts?|forms?|contracts?|letters?|tables?|ocr|extract\w*|read|redact\w*|classif\w*|"
    r"layout|markdown|summar\w*|fields?|split\w*|merg\w*|paragraphs?|total|amounts?",
    "viz": r"draw\w*|charts?|plots?|graphs?|highlight\w*|annotat\w*|overlays?|grids?|visuali[sz]\w*|diagrams?|mark(ed|s)?|outline\w*|boxes",
    "video": r"videos?|clips?|frames?|keyframes?|footage|films?|movies?|recordings?|audios?|podcasts?|voice ?(notes?|memos?)|trim\w*|"
    r"transcri\w*|subtitles?|captions?|gifs?|mp[34]|watermark\w*|speech|speakers?|spoken",
    "web": r"web|internet|online|website|google|search (for|the)|news|latest|https?://",
    "image-gen": r"(generate|create|imagine|paint|design) (an?|some|the)? ?(\w+ )?(images?|pictures?|photos?|logos?|illustrations?)|"
    r"inpaint\w*|remove (the )?background|try.on",
    "world-gen": r"depth maps?|depth|3d|reconstruct\w*|point clouds?|splats?",
    "code-execution": r"python|code|script|comput\w*|calculat\w*|statistics|average|median|regression|simulat\w*|csv|spreadsheets?",
}
_CALLED_FOR = {toolset: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for toolset, words in _WORDS.items()}
_BY_KIND: dict[str, tuple[Toolset, ...]] = {"img": ("image", "viz"), "doc": ("document",), "vid": ("video",), "aud": ("video",)}
_BY_PART: dict[str, tuple[Toolset, ...]] = {"image": ("image", "document"), "video": ("video",), "file": ("document",), "audio": ("video",)}

_FILMS: Toolset = "video"
_PROVIDED: dict[Ability, Toolset] = {
    "look": "core", "detect": "image", "segment": "image", "generate": "image-gen", "depth": "world-gen", "reconstruct": "world-gen",
}  # fmt: skip


def toolsets(task: Task, kinds: Iterable[str]) -> list[Toolset]:
    """The toolsets of a run, and those that the providers it names bring tools of. `kinds`: of the artifacts that there are already."""
    found = _chosen(task, kinds)
    abilities: list[tuple[str, Ability]] = [(name, ability) for name in task.providers for ability in providers.DOES.get(name, ())]
    return list(dict.fromkeys([*found, *(_FILMS if name == providers.FILM else _PROVIDED[ability] for name, ability in abilities)]))


def _chosen(task: Task, kinds: Iterable[str]) -> list[Toolset]:
    if task.toolsets is not None:
        return task.toolsets
    if task.kind == "execution" or not task.stream:
        return ["core"]
    latest = task.newest
    words = latest.text if latest else ""
    found = {toolset for toolset, pattern in _CALLED_FOR.items() if pattern.search(words)}
    found.add("core")
    for part in latest.parts if latest else []:
        if isinstance(part, Media):
            found |= set(_BY_PART[part.kind])
    for kind in kinds:
        found |= set(_BY_KIND.get(kind, ()))
    return [toolset for toolset in TOOLSETS if toolset in found]
