"""What is done to pictures."""

from __future__ import annotations

import re

from heliograph.agents.planner.clauses import Clause
from heliograph.agents.planner.moves import Act, Decline, Move, Question, coloured, unsure
from heliograph.agents.planner.rules import documents
from heliograph.agents.planner.rules.questions import field_of

_INTO = re.compile(r"\b(?:turn|make)\b[\w\s]{0,30}\binto\b|\bchange\b[\w\s]{0,30}\b(?:into|to)\b", re.IGNORECASE)
_CALCULATION = re.compile(
    r"^(?:what(?:'s|\s+is|s)|how\s+much\s+is|calculate|compute|work\s+out)?\s*([-+*/().,\d\s%^x×÷]*\d[-+*/().,\d\s%^x×÷]*[-+*/%^x×÷][-+*/().,\d\s%^x×÷]*)\s*\??$",
    re.IGNORECASE,
)
_HALVES = re.compile(
    r"\b(left|right|top|upper|bottom|lower)(?:\s+hand)?\s+(half|third|quarter|side|part)\b|\b(top|bottom|upper|lower)[\s-](left|right)\b",
    re.IGNORECASE,
)
_BOX = re.compile(
    r"\[?\(?\s*(0?\.\d+|[01](?:\.\d+)?)\s*,\s*(0?\.\d+|[01](?:\.\d+)?)\s*,\s*(0?\.\d+|[01](?:\.\d+)?)\s*,\s*(0?\.\d+|[01](?:\.\d+)?)\s*\)?\]?"
)


def rotate(clause: Clause) -> Move | None:
    """`turn it 45° to the left`."""
    if clause.has("upside") and not clause.has("rotate", "flip") and not clause.unknown:
        return Act("rotate", "image", {"angle": 180.0})
    if not clause.has("rotate") or _INTO.search(clause.text) or clause.has("grayscale"):
        return None
    if clause.unknown:
        return unsure(clause)
    angle = clause.slots.angle
    if angle is None and len(clause.slots.numbers) == 1:
        angle = clause.slots.numbers[0]
    if angle is None and clause.has("upside"):
        angle = 180.0
    if angle is None and clause.has("half"):
        angle = 180.0
    if angle is None and (clause.has("quarter") or (clause.has("clockwise") != clause.has("counterclockwise"))):
        angle = 90.0
    if angle is None:
        return Question("By how many degrees, and which way (clockwise or counter-clockwise)?")
    # tools count counter-clockwise, as the platform does
    clockwise = clause.has("clockwise") and not re.search(r"\b(?:counter|anti)[\s-]?clockwise|\bccw\b", clause.text, re.IGNORECASE)
    return Act("rotate", "image", {"angle": -angle if clockwise else angle})


def flip(clause: Clause) -> Move | None:
    """`mirror the picture`."""
    if not clause.has("flip"):
        return None
    if clause.unknown:
        return unsure(clause)
    if clause.has("vertical", "upside"):
        return Act("flip", "image", {"direction": "vertical"})
    if clause.has("horizontal") or re.search(r"\bmirror", clause.text, re.IGNORECASE):
        return Act("flip", "image", {"direction": "horizontal"})
    return Question("Which way: horizontally (left and right change places) or vertically?")


def grayscale(clause: Clause) -> Move | None:
    """`make it black and white`."""
    if not clause.has("grayscale"):
        return None
    return unsure(clause) if clause.unknown else Act("grayscale", "image")


def upscale(clause: Clause) -> Move | None:
    """`upscale this 4x`."""
    if not clause.has("upscale"):
        return None
    if clause.unknown:
        return unsure(clause)
    factor = clause.slots.factor or (2.0 if clause.has("double") else None) or next(iter(clause.slots.numbers), 4.0)
    if factor not in (2.0, 4.0, 8.0):
        return Question("By which factor: 2, 4 or 8?")
    return Act("upscale", "image", {"factor": int(factor)})


_SHARES = {"half": 0.5, "quarter": 0.25, "double": 2.0, "twice": 2.0}


def resize(clause: Clause) -> Move | None:
    """`make it 800 pixels wide`, `shrink it to half its size`."""
    wide, high = clause.has("width"), clause.has("height")
    if not clause.has("resize") and not (clause.slots.pixels and (wide or high)):
        return None
    if [word for word in clause.unknown if word.lower() not in ("size", "aspect", "ratio", "proportion", "save", "space")]:
        return unsure(clause)
    if clause.slots.size:
        return Act("resize", "image", dict(zip(("width", "height"), clause.slots.size, strict=True)))
    pixels = clause.slots.pixels or (int(clause.slots.numbers[0]) if len(clause.slots.numbers) == 1 and (wide or high) else None)
    if pixels:
        return Act("resize", "image", {"height" if high and not wide else "width": pixels})
    scale = clause.slots.percent / 100 if clause.slots.percent else clause.slots.factor
    if (
        scale is not None
        and re.search(r"\bby\b", clause.text)
        and clause.slots.percent
        and re.search(r"shrink|smaller|reduc", clause.text, re.IGNORECASE)
    ):
        scale = 1 - scale
    if scale is None:
        scale = next((share for word, share in _SHARES.items() if re.search(rf"\b{word}\b", clause.text, re.IGNORECASE)), None)
    if scale is None or not 0 < scale <= 16:
        return Question("To which size: how many pixels wide or high, or to what percentage?")
    return Act("resize", "image", {"scale": scale})


_ONE = re.compile(
    r"\b(?:on|at|in|to)\s+the\s+(?:far\s+)?(?:left|right|top|bottom|middle|back|front)\b"
    r"|\b(?:left|right|first|second|last|biggest|largest|tallest)(?:most)?\s+(?:one|face|person)\b",
    re.IGNORECASE,
)


def _one_of(clause: Clause) -> Question | None:
    """`the face on the left`: one of several is not told apart."""
    if clause.has("face") and _ONE.search(clause.text):
        return Question("I do not tell one face from another. Shall I do it to all of them?")
    return None


def grid(clause: Clause) -> Move | None:
    """`put these two next to each other`."""
    return Act("grid", "images") if clause.has("grid") and not clause.unknown else None


def crop(clause: Clause) -> Move | None:
    """`crop to the left half`."""
    if not clause.has("crop") and not (clause.slots.size and re.match(r"\s*cut\b", clause.text, re.IGNORECASE)):
        return None
    box = _BOX.search(clause.text)
    if box is not None:
        return Act("crop", "image", {"xywh": [float(value) for value in box.groups()]})
    if clause.slots.size and _HALVES.search(clause.text) and not clause.unknown:
        corner = clause.text.lower()
        across = 1.0 if "right" in corner else 0.0
        down = 1.0 if "bottom" in corner or "lower" in corner else 0.0
        return Act("crop_pixels", "image", {"size": clause.slots.size, "corner": (across, down)})
    if clause.has("face"):
        if one := _one_of(clause):
            return one
        return Act("crop_faces", "image") if not clause.unknown else unsure(clause)
    if re.search(r"\bcrop\s+out\b|\bcut\s+(?:off|away)\b", clause.text, re.IGNORECASE) and _HALVES.search(clause.text):
        return Question("Shall that part be kept, or cut away?")
    part = _part(clause.text)
    if part is not None and not clause.unknown:
        return Act("crop", "image", {"xywh": part})
    if clause.unknown:
        return unsure(clause)
    return Question(
        "Which part: say a half (left, right, top, bottom), the middle, the faces, or a box as x, y, width and height in fractions."
    )


def _part(text: str) -> list[float] | None:
    """The box of `the left half`, `the top third`, `the bottom right quarter`, `the middle`."""
    share = next(
        (fraction for word, fraction in (("third", 1 / 3), ("quarter", 0.25)) if re.search(rf"\b{word}\b", text, re.IGNORECASE)), 0.5
    )
    corner = re.search(r"\b(top|bottom|upper|lower)[\s-](left|right)\b", text, re.IGNORECASE)
    if corner:
        return [0.5 if corner[2].lower() == "right" else 0.0, 0.5 if corner[1].lower() in ("bottom", "lower") else 0.0, 0.5, 0.5]
    side = re.search(r"\b(left|right|top|upper|bottom|lower)\b", text, re.IGNORECASE)
    if side:
        match side[1].lower():
            case "left":
                return [0.0, 0.0, share, 1.0]
            case "right":
                return [1 - share, 0.0, share, 1.0]
            case "top" | "upper":
                return [0.0, 0.0, 1.0, share]
            case _:
                return [0.0, 1 - share, 1.0, share]
    if re.search(r"\b(?:cent(?:er|re)|middle|central)\b", text, re.IGNORECASE):
        return [0.25, 0.25, 0.5, 0.5]
    return None


def enhance(clause: Clause) -> Move | None:
    """`sharpen this blurry picture`."""
    if not clause.has("enhance") or clause.has("read", "extract", "code"):
        return None
    unknown = [
        word
        for word in clause.unknown
        if word.lower()
        not in ("blurry", "dark", "noisy", "quality", "lighting", "unsharp", "increase", "raise", "boost", "more", "colors", "colours")
    ]
    if unknown:
        return unsure(clause)
    return Act("enhance", "image", {"brighten": bool(re.search(r"bright|dark|light", clause.text, re.IGNORECASE))})


def convert_image(clause: Clause) -> Move | None:
    """`convert to png`."""
    if not clause.has("convert") and not _INTO.search(clause.text):
        return None
    if clause.has("png", "jpeg") and not clause.has("page"):
        if clause.unknown:
            return unsure(clause)
        return Act("convert", "anything", {"format": "png" if clause.has("png") else "jpeg"})
    if clause.has("other format"):
        return Decline("Writing files of that type (I write PNG, JPEG, PDF and Markdown)", "no tool")
    return None


def blur(clause: Clause) -> Move | None:
    """`blur the faces`, `anonymise this picture`."""
    blurring = clause.has("blur") and not re.search(r"\bblurr?y\b", clause.text, re.IGNORECASE)
    if not blurring and not clause.has("anonymise"):
        return None
    if one := _one_of(clause):
        return one
    if clause.has("face", "person") or (
        clause.concepts <= {"blur", "anonymise", "it", "image"} and not clause.unknown and clause.has("it") and not clause.has("image")
    ):
        return Act("blur_faces", "image", {"pronoun": not clause.has("face", "person")}) if not clause.unknown else unsure(clause)
    if clause.has("code"):
        return Act("blur_codes", "image")
    if clause.slots.quoted:
        return Act("blur_words", "image", {"words": clause.slots.quoted})
    if clause.has("contact", "personal") or (clause.has("document") and clause.has("anonymise")):
        return Act("redact", "document", documents.redaction(clause))
    if clause.has("read") and not clause.unknown:
        return Act("blur_words", "image", {"words": []})
    if clause.unknown:
        return Decline(f"Finding “{' '.join(clause.unknown)}” in a picture", "vision model")
    return Question("What shall be blurred: the faces, the text, the barcodes, or certain words (put them in quotes)?")


def faces(clause: Clause) -> Move | None:
    """`how many faces are there?`"""
    if not clause.has("face"):
        return None
    if not clause.has("count") and (one := _one_of(clause)):
        return one
    if clause.unknown:
        return unsure(clause)
    return Act("draw_faces" if clause.has("draw") else "faces", "image", coloured(clause))


def codes(clause: Clause) -> Move | None:
    """`read the QR code`."""
    if not clause.has("code"):
        return None
    return Act("draw_codes" if clause.has("draw") else "codes", "anything", coloured(clause))


def draw(clause: Clause) -> Move | None:
    """`draw a red box around the word TOTAL`."""
    if not clause.has("draw"):
        return None
    if clause.slots.quoted:
        return Act("draw_words", "anything", {"words": clause.slots.quoted, **coloured(clause)})
    if re.search(r"\b(?:every|each|all|single)\b.*\bwords?\b", clause.text, re.IGNORECASE) and not clause.unknown:
        return Act("draw_words", "anything", {"words": [], **coloured(clause)})
    word = re.search(r"\b(?:the\s+)?(?:word|phrase|term|text)s?\s+(\S+)", clause.text, re.IGNORECASE)
    if word is not None and word[1].lower() not in ("in", "on", "of"):
        return Act("draw_words", "anything", {"words": [word[1].strip(".,;:")], **coloured(clause)})
    if clause.has("it") and not clause.unknown:
        return Act("draw_found", "anything", coloured(clause))
    if clause.has("read") and not clause.unknown:
        return Act("draw_words", "anything", {"words": [], **coloured(clause)})
    if clause.unknown:
        field = field_of(clause.after("draw"))
        return Act("draw_field", "document", {"field": field, **coloured(clause)}) if field and not clause.has("image") else unsure(clause)
    return Question("Around what shall I draw: the faces, the text, the barcodes, or certain words (put them in quotes)?")
