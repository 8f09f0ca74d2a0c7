"""Pictures that show where each value was found: boxes on the page, their names in the margins beside it.

Boxes take the colour of the value's confidence. Names never stand on the page, where they would hide what they point
at, but in two margins, each joined to its box by a thin line; the items of a list are named once a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from PIL import Image, ImageDraw, ImageFont

from heliograph.media.geometry import Box, union

Colour = tuple[int, int, int]

COLOURS: dict[str, Colour] = {"hi": (14, 134, 92), "med": (196, 112, 0), "lo": (196, 43, 72)}
"""By the label of `<field>_metadata.confidence`. Dark enough to read on white, apart for eyes that confuse red and green."""
WORDS = {"hi": "high confidence", "med": "medium", "lo": "low"}
MARGIN = (248, 249, 251)
INK, SOFT, RULE = (24, 32, 44), (96, 108, 124), (222, 227, 233)
SHARP = 2
"""Lines are drawn this much larger and scaled down, since Pillow draws them without antialiasing."""


@dataclass(frozen=True)
class Mark:
    """A value that stands on a page. `path` is its place in the answer, as in `("items", 0, "description")`."""

    path: tuple[str | int, ...]
    value: object
    confidence: str
    boxes: list[Box]


@dataclass
class _Callout:
    """A name and value in a margin, on one line when it is a `row` of a list.

    `boxes` are on the page, `anchor` is the one that the line comes from. In pixels of the page: `y` is where that is, `top` where
    there is room for the callout.
    """

    name: str
    text: str
    colour: Colour
    boxes: list[Box]
    row: bool = False
    anchor: Box = field(default_factory=lambda: Box(0, 0, 0, 0))
    y: float = 0.0
    top: float = 0.0
    height: float = 0.0
    lines: list[str] = field(default_factory=lambda: [])


def marks(answer: object, path: tuple[str | int, ...] = ()) -> Iterator[Mark]:
    """The located values of an answer that has `<field>_metadata` beside its fields, in the answer's order."""
    if isinstance(answer, list):
        for index, item in enumerate(cast("list[object]", answer)):
            yield from marks(item, (*path, index))
    elif isinstance(answer, dict):
        fields = cast("dict[str, Any]", answer)
        for name, value in fields.items():
            metadata: Any = fields.get(f"{name}_metadata")
            if name.endswith("_metadata") and name.removesuffix("_metadata") in fields:
                continue
            if isinstance(value, dict | list):
                yield from marks(cast("object", value), (*path, name))
            if isinstance(metadata, dict) and (found := cast("dict[str, Any]", metadata).get("bboxes")):
                boxes = [Box(*box["bbox"]["xywh"], page=box["page"]) for box in found]
                yield Mark((*path, name), cast("object", value), str(cast("dict[str, Any]", metadata).get("confidence") or "lo"), boxes)


def annotate(page: Image.Image, found: list[Mark], index: int) -> Image.Image:
    """A copy of `page` (page `index` of its file, upright) with the marks that lie on it; wider by two margins for their names."""
    on_page = [mark for mark in found if any(box.page == index for box in mark.boxes)]
    page = page.convert("RGB")
    if page.width < 1000 or page.width > 1500:
        scale = (1000 if page.width < 1000 else 1500) / page.width
        page = page.resize((round(page.width * scale), round(page.height * scale)), Image.Resampling.LANCZOS)
    _draw_boxes(page, on_page, index)

    size = max(15, min(22, page.height // 75))
    font, small = _font(size), _font(round(size * 0.8))
    margin, band = size * 17, size * 3
    left: list[_Callout] = []
    right: list[_Callout] = []
    for callout in _callouts(on_page, index):
        whole = union(callout.boxes)
        to_right = whole.cx > 0.5 or whole.x1 > 0.75
        callout.anchor = max(callout.boxes, key=lambda box: box.x1) if to_right else min(callout.boxes, key=lambda box: box.x)
        _lay_out(callout, font, small, margin - 2.2 * size, page)
        (right if to_right else left).append(callout)
    for side in (left, right):
        _spread(side, page.height, gap=size * 0.5)
    height = max([page.height, *(round(callout.top + callout.height) for callout in (*left, *right))])
    sheet = Image.new("RGB", (page.width + 2 * margin, height + 2 * band), MARGIN)
    sheet.paste(page, (margin, band))
    draw = ImageDraw.Draw(sheet)
    draw.rectangle((margin - 1, band - 1, margin + page.width, band + page.height), outline=RULE)
    _draw_leaders(sheet, page, left, right, margin=margin, band=band, size=size)
    for side, x in ((left, size * 0.8), (right, margin + page.width + size * 1.4)):
        for callout in side:
            _draw_callout(draw, callout, (x, band + callout.top), font, small)
    _legend(sheet, f"page {index}, {len(on_page)} values", small, size)
    return sheet


def _draw_boxes(page: Image.Image, found: list[Mark], index: int) -> None:
    """Translucent, with a crisp edge, a little larger than the words they surround."""
    pad = 3 * SHARP
    layer = Image.new("RGBA", (page.width * SHARP, page.height * SHARP), (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    for mark in found:
        colour = COLOURS.get(mark.confidence, COLOURS["lo"])
        for box in mark.boxes:
            if box.page == index:
                x0, y0, x1, y1 = box.to_xyxy(layer.width, layer.height)
                shape = (x0 - pad, y0 - pad, x1 + pad, y1 + pad)
                draw.rounded_rectangle(shape, radius=4 * SHARP, fill=(*colour, 34), outline=(*colour, 235), width=round(1.5 * SHARP))
    small = layer.resize(page.size, Image.Resampling.LANCZOS)
    page.paste(small, (0, 0), small)


def _callouts(found: list[Mark], index: int) -> Iterator[_Callout]:
    """One for each value, but one for all values of a list's item that stand side by side."""
    rows: dict[tuple[str | int, ...], list[Mark]] = {}
    for mark in found:
        item = next((mark.path[: place + 1] for place in range(len(mark.path) - 1, 0, -1) if isinstance(mark.path[place], int)), mark.path)
        rows.setdefault(item, []).append(mark)
    for item, members in rows.items():
        first = [next(box for box in mark.boxes if box.page == index) for mark in members]
        worst = min((mark.confidence for mark in members), key=lambda label: ("lo", "med", "hi").index(label) if label in COLOURS else 0)
        name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in item).removeprefix(".")
        text = " · ".join(_shown(mark.value) for mark in members)
        yield _Callout(name, text, COLOURS.get(worst, COLOURS["lo"]), first, row=item != members[0].path)


def _shown(value: object) -> str:
    return f"{value:,.2f}".removesuffix(".00") if isinstance(value, float) else str(value)


def _lay_out(callout: _Callout, font: ImageFont.FreeTypeFont, small: ImageFont.FreeTypeFont, width: float, page: Image.Image) -> None:
    """Break the value to at most two lines of `width` pixels, or one beside the name of a row, and say how high the callout is."""
    callout.y = callout.anchor.y1 * page.height
    if callout.row:
        callout.lines = [_shorten(callout.text, small, width - small.getlength(f"{callout.name}  "))]
        callout.height = small.size * 1.2
        return
    words, lines = callout.text.split(), [""]
    for word in words:
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        elif len(lines) < 2:
            lines.append(word)
        else:
            lines[-1] += " …"
            break
    callout.lines = [_shorten(line, font, width) for line in lines]
    callout.height = small.size * 1.35 + len(lines) * font.size * 1.25


def _shorten(line: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    while font.getlength(line) > width:
        line = line.removesuffix("…")[:-1] + "…"
    return line


def _font(size: int) -> ImageFont.FreeTypeFont:
    """The typeface inside Pillow, so that a picture is the same on every machine."""
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def _spread(side: list[_Callout], room: float, gap: float) -> None:
    """Give each callout the place nearest to its box such that none overlaps: neighbours in each other's way move together."""
    side.sort(key=lambda callout: (callout.y, callout.anchor.x))
    groups: list[tuple[list[_Callout], float]] = []  # members, and the top of the first
    for callout in side:
        members, top = [callout], callout.y - callout.height / 2
        while groups and groups[-1][1] + sum(c.height + gap for c in groups[-1][0]) > top:
            members = groups.pop()[0] + members
            offset, wished = 0.0, 0.0
            for member in members:
                wished += member.y - member.height / 2 - offset
                offset += member.height + gap
            top = wished / len(members)
        total = sum(c.height + gap for c in members)
        groups.append((members, max(0.0, min(top, room - total))))
    floor = 0.0
    for members, top in groups:
        y = max(floor, top)
        for member in members:
            member.top = y
            y += member.height + gap
        floor = y


def _draw_leaders(
    sheet: Image.Image,
    page: Image.Image,
    left: list[_Callout],
    right: list[_Callout],
    *,
    margin: int,
    band: int,
    size: int,
) -> None:
    """From box to name: level across the page below the line of text, where it strikes nothing out, then to the name's height."""
    layer = Image.new("RGBA", (sheet.width * SHARP, sheet.height * SHARP), (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    dot = size * 0.18
    for side, way in ((left, -1), (right, 1)):
        for callout in side:
            anchor = callout.anchor
            y_box = band + anchor.y1 * page.height + 4
            x_box = margin + (anchor.x * page.width - dot if way < 0 else anchor.x1 * page.width + dot)
            edge = margin if way < 0 else margin + page.width
            y_name = band + callout.top + size * 0.5
            points = [(x_box, y_box), (edge, y_box), (edge + way * size * 0.7, y_name), (edge + way * size, y_name)]
            draw.line([(x * SHARP, y * SHARP) for x, y in points], fill=(*callout.colour, 150), width=round(1.2 * SHARP), joint="curve")
            draw.ellipse([v * SHARP for v in (x_box - dot, y_box - dot, x_box + dot, y_box + dot)], fill=(*callout.colour, 255))
    small = layer.resize(sheet.size, Image.Resampling.LANCZOS)
    sheet.paste(small, (0, 0), small)


def _draw_callout(
    draw: ImageDraw.ImageDraw, callout: _Callout, at: tuple[float, float], font: ImageFont.FreeTypeFont, small: ImageFont.FreeTypeFont
) -> None:
    x, y = at
    draw.text((x, y), callout.name, font=small, fill=callout.colour)
    if callout.row:
        draw.text((x + small.getlength(f"{callout.name}  "), y), callout.lines[0], font=small, fill=INK)
        return
    y += small.size * 1.35
    for line in callout.lines:
        draw.text((x, y), line, font=font, fill=INK)
        y += font.size * 1.25


def _legend(sheet: Image.Image, words: str, small: ImageFont.FreeTypeFont, size: int) -> None:
    draw = ImageDraw.Draw(sheet)
    x, y = size * 0.8, sheet.height - size * 2
    for label, word in WORDS.items():
        draw.rounded_rectangle((x, y, x + size, y + size * 0.8), radius=4, fill=COLOURS[label])
        draw.text((x + size * 1.4, y - size * 0.08), word, font=small, fill=SOFT)
        x += size * 2.6 + small.getlength(word)
    draw.text((sheet.width - size * 0.8 - small.getlength(words), y - size * 0.08), words, font=small, fill=SOFT)
