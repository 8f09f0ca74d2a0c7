"""Finding things in pictures and on pages, and what is done with what was found: boxes drawn, parts blurred or cut out."""

from __future__ import annotations

from typing import Any

from heliograph.agents.artifacts import Artifact
from heliograph.agents.planner.clauses import Clause
from heliograph.agents.planner.hand import Asks, Done, Found, Hand
from heliograph.agents.planner.moves import Act

Json = Any
Boxes = list[dict[str, Json]]


async def faces(hand: Hand, _act: Act, clause: Clause) -> Done:
    """How many there are, and where."""
    lines: list[str] = []
    counts: dict[str, int] = {}
    for image in await hand.images(clause):
        found = await _faces(hand, image)
        hand.found = Found(ref=image.ref, what="face", boxes=found)
        counts[image.ref] = len(found)
        where = "; ".join(_place(box) for box in found[:20])
        lines.append(f"I found {_counted(len(found), 'face')} in {image.name}{f': {where}' if found else ''}.")
    return Done(text="\n".join(lines), value={"count": sum(counts.values())})


async def draw_faces(hand: Hand, act: Act, clause: Clause) -> Done:
    """A box around each."""
    return await _each(hand, act, clause, "face", _faces, _drawn)


async def blur_faces(hand: Hand, act: Act, clause: Clause) -> Done:
    """Nobody is to be known again. `blur them` behind other findings blurs those."""
    if act.arguments.get("pronoun") and hand.found is not None:
        return await _blurred(hand, await hand.at.artifacts.get(hand.found.ref), hand.found.boxes, hand.found.what)
    return await _each(hand, act, clause, "face", _faces, _hidden)


async def crop_faces(hand: Hand, _act: Act, clause: Clause) -> Done:
    """Each face as a picture of its own."""
    made: list[str] = []
    lines: list[str] = []
    for image in await hand.images(clause):
        found = await _faces(hand, image)
        refs = [(await hand.call("crop_image", image=image.ref, xywh=box["xywh"]))["id"] for box in found[:20]]
        made += refs
        lines.append(f"I cut {_counted(len(refs), 'face')} out of {image.name}: {', '.join(refs)}." if refs else _none(image, "face"))
    return Done(text="\n".join(lines), made=made)


async def codes(hand: Hand, _act: Act, clause: Clause) -> Done:
    """What barcodes say."""
    lines: list[str] = []
    texts: list[str] = []
    for image in await hand.images(clause):
        found = await _codes(hand, image)
        hand.found = Found(ref=image.ref, what="barcode", boxes=found)
        texts += [box["data"] for box in found]
        lines += [f"The {box['type']} in {image.name} says: {box['data']}" for box in found] or [_none(image, "barcode")]
    return Done(text="\n".join(lines), value={"texts": texts})


async def draw_codes(hand: Hand, act: Act, clause: Clause) -> Done:
    """A box around each."""
    return await _each(hand, act, clause, "barcode", _codes, _drawn)


async def blur_codes(hand: Hand, act: Act, clause: Clause) -> Done:
    """So that nobody reads them."""
    return await _each(hand, act, clause, "barcode", _codes, _hidden)


async def draw_words(hand: Hand, act: Act, clause: Clause) -> Done:
    """A box around certain words, or all text."""
    return await _words(hand, act, clause, _drawn)


async def blur_words(hand: Hand, act: Act, clause: Clause) -> Done:
    """So that nobody reads them."""
    return await _words(hand, act, clause, _hidden)


async def draw_found(hand: Hand, act: Act, clause: Clause) -> Done:
    """Around what the clause before has found."""
    if hand.found is None:
        raise Asks("Around what shall I draw: the faces, the text, the barcodes, or certain words (put them in quotes)?")
    del clause
    return await _drawn(hand, await hand.at.artifacts.get(hand.found.ref), hand.found.boxes, hand.found.what, act)


async def draw_field(hand: Hand, act: Act, clause: Clause) -> Done:
    """Around the value of a field of a document."""
    subject = (await hand.subjects("document", clause))[0]
    field = act.arguments["field"]
    answer = await hand.call("answer_from_document", document=subject.ref, field=field)
    if answer["value"] is None or answer["xywh"] is None:
        return Done(text=f"I did not find “{field}” in {subject.name}, so there is nothing to draw around.")
    page = subject if subject.kind == "img" else (await hand.pages(subject, [answer["page"]]))[0]
    return await _drawn(hand, page, [{"xywh": answer["xywh"], "label": field}], "place", act)


async def _faces(hand: Hand, image: Artifact) -> Boxes:
    answer = await hand.call("detect_faces", image=image.ref)
    return [{**face, "label": "face"} for face in answer["faces"]]


async def _codes(hand: Hand, image: Artifact) -> Boxes:
    answer = await hand.call("detect_barcodes", image=image.ref)
    return [{**code, "label": code["type"]} for code in answer["barcodes"]]


async def _words(hand: Hand, act: Act, clause: Clause, then: Any) -> Done:
    wanted: list[str] = act.arguments["words"]
    done: list[Done] = []
    for subject in await hand.subjects("anything", clause):
        if not wanted:
            answer = await hand.call("detect_texts", image=subject.ref)
            done.append(
                await then(hand, subject, [{"xywh": text["xywh"], "label": text["text"]} for text in answer["texts"]], "line of text", act)
            )
            continue
        found = [
            match
            for word in wanted
            for match in (await hand.call("search_document", document=subject.ref, query=word, whole_words=True))["matches"]
        ]
        by_page: dict[int, Boxes] = {}
        for match in found:
            by_page.setdefault(match["page"], []).append({"xywh": match["xywh"], "label": match["text"]})
        if not by_page:
            done.append(Done(text=f"I did not find {' or '.join(f'“{word}”' for word in wanted)} in {subject.name}."))
        for page, boxes in sorted(by_page.items()):
            image = subject if subject.kind == "img" else (await hand.pages(subject, [page]))[0]
            done.append(await then(hand, image, boxes, "place", act))
    return _joined(done)


async def _each(hand: Hand, act: Act, clause: Clause, what: str, find: Any, then: Any) -> Done:
    return _joined([await then(hand, image, await find(hand, image), what, act) for image in await hand.images(clause)])


async def _drawn(hand: Hand, image: Artifact, boxes: Boxes, what: str, act: Act) -> Done:
    if not boxes:
        return Done(text=_none(image, what))
    color = {"color": act.arguments["colour"]} if "colour" in act.arguments else {}
    placed = [{"xywh": box["xywh"], "label": box.get("label", "")[:60], **color} for box in boxes]
    answer = await hand.call("visualize_bboxes", image=image.ref, boxes=placed)
    return Done(text=f"Here is {image.name} with a box around {_counted(len(boxes), what)}: {answer['id']}.", made=[answer["id"]])


async def _hidden(hand: Hand, image: Artifact, boxes: Boxes, what: str, _act: Act) -> Done:
    return await _blurred(hand, image, boxes, what)


async def _blurred(hand: Hand, image: Artifact, boxes: Boxes, what: str) -> Done:
    if not boxes:
        return Done(text=f"{_none(image, what)} I changed nothing; please look yourself before you pass it on.")
    if what == "face":
        answer = await hand.call("blur_faces", image=image.ref)
    else:
        answer = await hand.call("blur_bboxes", image=image.ref, boxes=[{"xywh": box["xywh"]} for box in boxes])
    text = f"Here is {image.name} with {_counted(len(boxes), what)} blurred: {answer['id']}. Please check it: a detector can miss one."
    return Done(text=text, made=[answer["id"]])


def _joined(done: list[Done]) -> Done:
    return Done(text="\n".join(each.text for each in done), made=[ref for each in done for ref in each.made])


def _none(image: Artifact, what: str) -> str:
    return f"I found no {what} in {image.name}."


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}" if what != "line of text" else f"{count} line{'' if count == 1 else 's'} of text"


def _place(box: dict[str, Json]) -> str:
    x, y, w, h = box["xywh"]
    across = "left" if x + w / 2 < 1 / 3 else "right" if x + w / 2 > 2 / 3 else "middle"
    down = "top" if y + h / 2 < 1 / 3 else "bottom" if y + h / 2 > 2 / 3 else "middle"
    return f"{'middle' if across == down == 'middle' else f'{down} {across}'} [{x:.3f}, {y:.3f}, {w:.3f}, {h:.3f}]"
