"""The words that the planner knows, as concepts: `turn`, `spin` and `rotate` are one, however they are inflected or misspelt."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

import msgspec
from rapidfuzz.distance import OSA

CONCEPTS: Final[dict[str, str]] = {
    # what is to be done
    "rotate": "rotate, rotation, turn, spin, tilt, straighten",
    "flip": "flip, mirror",
    "crop": "crop, cut, cut out, trim, crop out",
    "resize": "resize, scale, rescale, shrink, enlarge, half the size, double the size, twice the size, make smaller, "
    "make bigger, downscale, thumbnail",
    "width": "wide, width",
    "height": "high, height, tall",
    "upscale": "upscale, super resolution, superresolution, increase resolution, higher resolution",
    "blur": "blur, pixelate, unrecognisable, unrecognizable",
    "anonymise": "anonymise, anonymize, hide, censor, mask",
    "redact": "redact, redaction, black out, blackout",
    "draw": "draw, box, mark, highlight, outline, circle, annotate, bounding box, frame, draw box around",
    "grayscale": "grayscale, greyscale, gray, grey, black and white, monochrome, desaturate",
    "enhance": "enhance, sharpen, sharp, brighten, brighter, contrast, denoise, clean up, improve, improve quality, crisp, less blurry",
    "convert": "convert, save as, export, turn into, change to",
    "detect": "detect, find, locate, spot, recognise, recognize, where",
    "count": "how many, count, number of",
    "read": "read, ocr, transcribe, written, say, text",
    "extract": "extract, pull out, pull, get, give, collect, list, return, capture, grab, need, want, fetch out",
    "tell": "tell, show, display, see, view, open, print",
    "ask": "what, what's, whats, who, who's, when, which, how much, whose, where",
    "search": "search, look for, mention, contain, occur, appear, occurrence, talk about",
    "classify": "classify, what kind of, which kind of, what type of, what sort of, which type of, kind of document, type of document",
    "summarise": "summarise, summarize, summary, overview, gist, tl;dr, tldr",
    "split": "split, separate, divide, break up",
    "merge": "merge, combine, join, concatenate, put together, stitch, glue",
    "grid": "next to each other, side by side, collage, grid, contact sheet, montage",
    "drop": "remove, delete, drop, take out, leave out, get rid of",
    "keep": "just, only, keep",
    "chart": "chart, plot, graph, diagram, visualise, visualize, histogram",
    "add": "add up, sum up, sum, sum up, total up, plus",
    "percent": "percent",
    # what is beyond words and tools
    "reason": "highest, lowest, most, least, biggest, largest, smallest, cheapest, "
    "why, explain, should, could have, think, opinion, better, best, worst, legit, legitimate, suspicious, "
    "correct, mean, compare, recommend, advice, advise, reason, because, most important, interpret, analyse, analyze, review, evaluate, "
    "infer, predict, normal",
    "compose": "write, compose, draft, poem, haiku, story, essay, joke, song, reply, answer back, letter, rephrase, rewrite, tweet, post",
    "translate": "translate, translation",
    "describe": "describe, caption, going on, happen, depict",
    "generate": "generate, imagine, paint, picture of, image of, photo of, drawing of, colourise, colorize, colourize, remove background, "
    "inpaint, animate, background",
    "send": "email, mail, send, post to, upload, share, slack, webhook, tweet it, pay, delete, order, buy, call",
    # what it is done to
    "face": "face",
    "word": "word, phrase, term, string",
    "code": "barcode, bar code, qr code, qr, datamatrix, data matrix, upc, ean",
    "table": "table, spreadsheet, row, column",
    "markdown": "markdown, md",
    "layout": "layout, structure",
    "page": "page",
    "document": "document, pdf, file, invoice, receipt, contract, form, letter, report, statement, bill, paper, scan, attachment, "
    "doc, docx, "
    "order, resume, cv",
    "image": "image, picture, photo, pic, photograph, screenshot, img, sign, poster, photograph",
    "personal": "personal information, personal data, personal detail, pii, phi, private information, sensitive information, "
    "sensitive data, identifier, private data",
    "contact": "phone number, telephone number, phone, email address, social security number, ssn",
    "person": "people, person, man, woman, child, someone, guy, girl, boy",
    "thing": "dog, cat, car, object, logo, animal, tree, bird, truck, licence plate, license plate, plate, building, product, shoe",
    "feature": "smile, wear, hold, stand, sit, look like, emotion, age, gender",
    "json": "json, structured data",
    "artifact": "artifact, artefact",
    "line item": "line item, item, position",
    "it": "it, this, that, these, those, them, they, result, here, one, piece, whole thing",
    "you": "who are you, what can you do, what are you, help, what do you do, your capability",
    "greeting": "hello, hi, hey, good morning, good evening, thanks, thank you, thx, cheers",
    # how
    "clockwise": "clockwise, right, cw, to the right",
    "counterclockwise": "counterclockwise, counter clockwise, anticlockwise, anti clockwise, left, ccw, to the left",
    "upside": "upside down, on its head",
    "horizontal": "horizontally, horizontal, left right, sideways",
    "vertical": "vertically, vertical, top bottom",
    "half": "half",
    "quarter": "quarter",
    "double": "double, twice",
    "top": "top, upper",
    "bottom": "bottom, lower",
    "middle": "middle, centre, center, central",
    "bar": "bar, column chart",
    "pie": "pie, donut, doughnut",
    "line": "line",
    "scatter": "scatter",
    "png": "png",
    "jpeg": "jpeg, jpg",
    "other format": "gif, webp, tiff, tif, bmp, svg, heic, docx, word document, excel, xlsx, csv, mp4",
}
"""Concept: the words and phrases for it, separated by commas, uninflected."""

_SILENT = """
a an the of in on to for from by with at as is are was were be been am do does did done have has had can could would will shall may
might must
please pls plz me my mine i we us our you your and or so then also too there now ok okay just that which any all every each both some
bit little quickly again first next image's its it's im i'd id like want need help let lets out up off down into onto about around
across within own round exactly proportions together fix look corner pixel everyone everybody online
over under amount exact whole entire full original attached attachment following given current new version nicely using use
if not no than very more much many such same get got make makes made making put set create give show tell two three four one several
"""
STOP: Final = frozenset(_SILENT.split())
"""Words that say nothing by themselves."""


class Word(msgspec.Struct, frozen=True):
    """A word of a request: as it was written, its stem, and where it stands."""

    text: str
    stem: str
    start: int
    end: int


_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?", re.UNICODE)


def says_nothing(word: str) -> bool:
    """Whether a word is grammar, or one with two letters that changed places."""
    word = word.lower().replace("’", "'").removesuffix("'s")
    return word in STOP or (3 <= len(word) <= 4 and any(sorted(word) == sorted(stop) for stop in STOP if stop[0] == word[0]))


def words(text: str) -> list[Word]:
    """The words of a text."""
    return [Word(found[0], stem(found[0]), found.start(), found.end()) for found in _WORD.finditer(text)]


def stem(word: str) -> str:
    """What is left of an English word without its inflection: enough to tell `blurred`, `blurring` and `blurs` from nothing else."""
    word = word.lower().replace("’", "'").removesuffix("'s")
    for suffix in ("ing", "ed", "es", "s"):
        if word.endswith(suffix) and len(word) - len(suffix) >= 3 and not word.endswith("ss"):
            word = word[: -len(suffix)]
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiousl":
        word = word[:-1]
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    return word[:-1] + "i" if len(word) > 3 and word.endswith("y") else word


@cache
def _phrases() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """Of each first stem, the phrases that begin with it, the longest first, and their concepts."""
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for concept, text in CONCEPTS.items():
        for phrase in text.split(","):
            stems = tuple(word.stem for word in words(phrase))
            if stems:
                found.setdefault(stems[0], []).append((stems, concept))
    for phrases in found.values():
        phrases.sort(key=lambda each: -len(each[0]))
    return found


@cache
def _spelt(stem_: str) -> str:
    """The known stem that was meant, where one letter is wrong in a word of five or more."""
    if len(stem_) < 5 or stem_ in _phrases() or stem_ in STOP:
        return stem_
    near = [known for known in _phrases() if len(known) > 3 and known[0] == stem_[0] and OSA.distance(known, stem_, score_cutoff=1) <= 1]
    return near[0] if len(near) == 1 else stem_


class Found(msgspec.Struct, frozen=True):
    """A concept in a list of words, and which of them it stands in: `[first, last)`."""

    concept: str
    first: int
    last: int


def concepts(among: list[Word]) -> list[Found]:
    """The concepts of a text, from left to right, each word used once by each concept; where phrases overlap the longer one counts."""
    stems = [_spelt(word.stem) for word in among]
    found: list[Found] = []
    place = 0
    while place < len(stems):
        longest = 0
        for phrase, concept in _phrases().get(stems[place], []):
            if len(phrase) >= max(longest, 1) and tuple(stems[place : place + len(phrase)]) == phrase:
                found.append(Found(concept, place, place + len(phrase)))
                longest = len(phrase)
        place += max(longest, 1)
    return found
