"""Edits of pictures: the tool that does each, and the sentence that says so."""

from __future__ import annotations

from typing import Any

from heliograph.agents.planner.clauses import Clause
from heliograph.agents.planner.hand import Done, Hand
from heliograph.agents.planner.moves import Act


async def rotate(hand: Hand, act: Act, clause: Clause) -> Done:
    """By an angle, counter-clockwise."""
    angle: float = act.arguments["angle"]
    way = "" if abs(angle) == 180 else " clockwise" if angle < 0 else " counter-clockwise"
    return await edited(hand, clause, "rotate_image", f"turned by {abs(angle):g}°{way}", angle=angle)


async def flip(hand: Hand, act: Act, clause: Clause) -> Done:
    """Mirror it."""
    direction = act.arguments["direction"]
    return await edited(hand, clause, "flip_image", f"mirrored {direction}ly", direction=direction)


async def grayscale(hand: Hand, _act: Act, clause: Clause) -> Done:
    """Without its colours."""
    return await edited(hand, clause, "grayscale_image", "in shades of gray")


async def upscale(hand: Hand, act: Act, clause: Clause) -> Done:
    """More pixels."""
    return await edited(hand, clause, "super_resolution", f"with {act.arguments['factor']} times the pixels on each side", **act.arguments)


async def resize(hand: Hand, act: Act, clause: Clause) -> Done:
    """Another size."""
    return await edited(hand, clause, "resize_image", "resized", **act.arguments)


async def crop(hand: Hand, act: Act, clause: Clause) -> Done:
    """A part of it."""
    return await edited(hand, clause, "crop_image", "cropped", **act.arguments)


async def enhance(hand: Hand, act: Act, clause: Clause) -> Done:
    """Clearer."""
    contrast = 0.8 if act.arguments["brighten"] else 0.5
    return await edited(hand, clause, "enhance_image", "with more contrast and sharpness", contrast=contrast)


async def convert(hand: Hand, act: Act, clause: Clause) -> Done:
    """Another type of file."""
    form = act.arguments["format"]
    return await edited(hand, clause, "convert_image", f"as {form.upper()}", format=form)


async def crop_pixels(hand: Hand, act: Act, clause: Clause) -> Done:
    """A piece of so many pixels from a corner."""
    (wide, high), (across, down) = act.arguments["size"], act.arguments["corner"]
    made: list[str] = []
    for image in await hand.images(clause):
        same = await hand.call("convert_image", image=image.ref, format="png")
        w, h = min(1.0, wide / same["width"]), min(1.0, high / same["height"])
        xywh = [round(across * (1 - w), 6), round(down * (1 - h), 6), round(w, 6), round(h, 6)]
        made.append((await hand.call("crop_image", image=same["id"], xywh=xywh))["id"])
    return Done(text=f"Here is that piece of {wide} by {high} pixels: {', '.join(made)}.", made=made)


async def grid(hand: Hand, _act: Act, clause: Clause) -> Done:
    """Several side by side."""
    images = await hand.subjects("images", clause)
    answer = await hand.call("image_grid", images=[image.ref for image in images], columns=len(images) if len(images) <= 3 else None)
    return Done(text=f"Here they are side by side: {answer['id']}.", made=[answer["id"]])


async def edited(hand: Hand, clause: Clause, tool: str, how: str, **arguments: Any) -> Done:
    """Every image that the clause is about, through one tool."""
    made: list[str] = []
    lines: list[str] = []
    for image in await hand.images(clause):
        answer = await hand.call(tool, image=image.ref, **arguments)
        made.append(answer["id"])
        size = f" ({answer['width']} by {answer['height']} pixels)" if answer.get("width") else ""
        lines.append(f"Here is {image.name}, {how}: {answer['id']}{size}.")
    return Done(text="\n".join(lines), made=made)
