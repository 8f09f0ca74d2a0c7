"""What is done to recordings, and what they are asked. Tried first where a request comes with a recording, or speaks of one."""

from __future__ import annotations

import re
from typing import Any

from heliograph.agents.planner.clauses import Clause
from heliograph.agents.planner.moves import Act, Decline, Move, Question, Rule, unsure
from heliograph.agents.planner.rules import pictures
from heliograph.agents.planner.slots import COUNTED
from heliograph.agents.planner.times import Times, times
from heliograph.agents.planner.words import stem

SPOKEN_OF = re.compile(
    r"\b(?:videos?|clips?|footage|films?|movies?|recordings?|audios?|podcasts?|voice\s*(?:notes?|memos?|messages?)|soundtracks?|key\s?frames?|subtitles?|"
    r"mp[34]|vid_[0-9a-f]{6}|aud_[0-9a-f]{6})\b",
    re.IGNORECASE,
)
"""Words that say that a recording is meant."""
_VOCABULARY = """
play speed up down normal half
video clip footage film movie recording audio podcast voice note memo message soundtrack sound music track mp3 mp4 gif animated
frame keyframe still screenshot snapshot thumbnail sheet storyboard second minute hour time moment part piece section segment
start end beginning first last middle rest between until till trim cut chop shorten keep drop remove delete strip lose skip leave
subtitle caption srt vtt closed burn burned burnt hard soft file watermark stamp overlay put place corner edge over across
transcribe transcript transcription speech spoken word say said talk speaker everything write down download join merge combine
concatenate stitch append together one after other another two three mute silent silence without speed faster slower fast slow
motion double half twice rotate resize wide tall high pixel clockwise counterclockwise long length duration resolution large big
fps rate codec info size screen text title slide show shown appear visible read shot scene evenly spread take grab pull rip save
export convert turn only just need want whole every each per from add make create how give get please picture image contact
"""
_KNOWN = frozenset(stem(word) for word in _VOCABULARY.split())
"""Words that rules here understand, whatever else they mean elsewhere."""
_CUT_OFF = re.compile(
    r"\b(?:cut|trim|chop|crop|take|leave)\s+(?:off|away|out)\b|\b(?:remove|drop|delete|skip|strip|lose|without)\b|\b(?:cut|trim|chop)\b.*\b(?:off|away|out)\b",
    re.IGNORECASE,
)
_KEEP = re.compile(r"\b(?:keep|only|just|give|get|need|want|extract|show|to\s+the|shorten|save|grab|take|make)\b", re.IGNORECASE)
_CUTS = re.compile(r"\b(?:trim|cut|chop|crop|shorten|clip)\b", re.IGNORECASE)
_SOUND = r"(?:audio|sound(?:track)?|music|mp3|voice)"
_POSITIONS = (
    (r"top[\s-]+left|upper[\s-]+left", "top-left"), (r"top[\s-]+right|upper[\s-]+right", "top-right"),
    (r"bottom[\s-]+left|lower[\s-]+left", "bottom-left"), (r"bottom[\s-]+right|lower[\s-]+right", "bottom-right"),
    (r"\bcent(?:er|re)\b|\bmiddle\b", "center"), (r"\btop\b", "top"), (r"\bbottom\b", "bottom"), (r"\bleft\b", "left"),
    (r"\bright\b", "right"),
)  # fmt: skip


def speaks_of_one(clause: Clause) -> bool:
    """Whether a clause's own words mean a recording."""
    return SPOKEN_OF.search(clause.text) is not None


def translate(clause: Clause) -> Move | None:
    """`translate the subtitles`."""
    return Decline("Translating", "language model") if clause.has("translate") else None


def tell(clause: Clause) -> Move | None:
    """`summarise what happens`, `describe the scene`, `what is the man wearing?`"""
    text = clause.text
    if re.search(
        r"\b(?:summar\w*|chapters?|topics?|highlights?|best\s+(?:parts?|moments?)|main\s+points|action\s+items?)\b", text, re.IGNORECASE
    ):
        if re.search(r"\b(?:scenes?|happens?|happening|see|seen|shown?|visual\w*)\b", text, re.IGNORECASE):
            return Decline("Saying what happens in a scene", "vision model")
        return Decline("Summarising and choosing what matters", "language model")
    if re.search(
        r"\bwhat(?:'s|’s|s|\s+is)?\s+(?:happen\w*|going\s+on)\b|\bdescrib\w*|\bcaption\s+(?:this|the)\s+(?:video|clip)\b",
        text,
        re.IGNORECASE,
    ):
        return Decline("Saying what happens in a scene", "vision model")
    if clause.has("feature") or (clause.has("person", "thing", "face") and clause.has("detect", "count", "ask", "tell", "blur")):
        return Decline("Telling what people and things in a film do or look like", "vision model")
    return None


def gif(clause: Clause) -> Move | None:
    """`make a gif of 3s to 5s`."""
    found = times(clause.text)
    if not re.search(r"\bgifs?\b", clause.text, re.IGNORECASE):
        return None
    return _checked(clause, found, Act("gif", "recording", _part(found)))


def captions(clause: Clause) -> Move | None:
    """`add subtitles`, `make an srt file`."""
    text = clause.text
    if not re.search(r"\b(?:subtitl\w*|captions?|captioned|srt|vtt)\b", text, re.IGNORECASE) or _CUT_OFF.search(text):
        return None
    style = "burnt"
    if re.search(r"\bvtt\b|\bwebvtt\b", text, re.IGNORECASE):
        style = "vtt"
    elif re.search(r"\bsrt\b|\bfiles?\b", text, re.IGNORECASE) and not re.search(r"\binto\b|\bburn", text, re.IGNORECASE):
        style = "srt"
    elif re.search(r"\btrack\b|\bsoft\b|\b(?:switch|turn|toggle)", text, re.IGNORECASE):
        style = "track"
    return _checked(clause, times(text), Act("captions", "recording", {"style": style}))


def watermark(clause: Clause) -> Move | None:
    """`put 'DRAFT' as a watermark`."""
    text = clause.text
    named = re.search(r"\bwatermark\w*|\bstamp\b", text, re.IGNORECASE)
    written = clause.slots.quoted and re.search(r"\b(?:put|write|add|place|overlay|show|print)\b", text, re.IGNORECASE)
    if (not named and not written) or _CUT_OFF.search(text) or clause.has("search", "detect"):
        return None
    said = re.search(
        r"\b(?:watermark|stamp)\s+(?:saying|that\s+says|which\s+says|reading|with(?:\s+the)?\s+(?:text|words?))\s+(.{1,60})$",
        text,
        re.IGNORECASE,
    )
    words = clause.slots.quoted[0] if clause.slots.quoted else said[1].strip() if said else None
    if words is None:
        return Question("What shall it say? Put the words in quotes, such as “DRAFT”.")
    place = next((name for pattern, name in _POSITIONS if re.search(pattern, text, re.IGNORECASE)), None)
    arguments: dict[str, Any] = {"text": words} | ({"position": place} if place else {})
    return Act("watermark", "recording", arguments) if said else _checked(clause, times(text), Act("watermark", "recording", arguments))


def transcribe(clause: Clause) -> Move | None:
    """`transcribe this`, `what is said?`"""
    asked = re.search(
        r"\btranscri\w*|\bspeech[\s-]to[\s-]text\b|\bwhat(?:'s|’s|s|\s+is|\s+are|\s+was)\s+(?:being\s+|they\s+|he\s+|she\s+)?(?:said|spoken|saying)\b"
        r"|\bwhat\s+do(?:es)?\s+(?:he|she|they|it|the\s+(?:speakers?|recording|audio|video))\s+say\s*\??$|\bwrite\s+down\b.*\b(?:said|says|spoken|speech|hear)\b",
        clause.text,
        re.IGNORECASE,
    )
    if asked is None or clause.slots.quoted:
        return None
    found = times(clause.text)
    return _checked(clause, found, Act("transcribe", "recording", _part(found)))


_SAYS = re.compile(
    r"\b(?:when|where|at\s+what\s+(?:time|point)|how\s+(?:often|many\s+times))\b.*?\b(?:says?|said|saying|mention(?:s|ed|ing)?|talk(?:s|ed|ing)?\s+about|"
    r"speaks?\s+(?:of|about)|discuss(?:es|ed)?|hear)\s+(?:the\s+words?\s+|about\s+|of\s+)?(.+)",
    re.IGNORECASE,
)
_SHOWS = re.compile(
    r"\b(?:when|where)\b.*?\b(?:does|do|is|are|can)\b\s+(.+?)\s+\b(?:appear|show(?:n|s)?(?:\s+up)?|visible|on\s+(?:the\s+)?screen|come\s+up|be\s+read)\b",
    re.IGNORECASE,
)
_FINDS = re.compile(
    r"\b(?:find|search(?:\s+for)?|look\s+for|locate|jump\s+to)\s+(?:where\s+.*?\b(?:says?|mentions?|talks?\s+about)\s+)?(.+)", re.IGNORECASE
)
_TRAIL = re.compile(
    r"\s*\b(?:in|on|of|during)\s+(?:the|this|that|my)\s+(?:video|clip|recording|audio|film|movie|podcast|footage|talk)\b.*$|[?.!]+\s*$|^(?:the\s+(?:words?|phrase|term)\s+)",
    re.IGNORECASE,
)


def search(clause: Clause) -> Move | None:
    """`when do they say budget?`, `find "warranty"`."""
    text = clause.text
    for pattern, where in ((_SAYS, "said"), (_SHOWS, "shown"), (_FINDS, "both")):
        match = pattern.search(text)
        if match is None:
            continue
        query = clause.slots.quoted[0] if clause.slots.quoted else _TRAIL.sub("", _TRAIL.sub("", match[1].strip())).strip(" \"'“”")
        if query and not re.search(r"\b(?:all|every)\s+(?:the\s+)?(?:\w+\s+)?(?:scenes?|shots?|faces?|people)\b", query, re.IGNORECASE):
            return Act("search_recording", "recording", {"query": query[:200], "where": where})
    return None


def on_screen(clause: Clause) -> Move | None:
    """`what text is on screen?`"""
    text = clause.text
    shown = re.search(
        r"\b(?:text|words?|titles?|slides?|written|writing|ocr)\b.*\b(?:screen|shown|show|video|clip|slides?|film|frames?|picture)\b|\bwhat\s+text\b|^\s*(?:read|ocr)\b"
        r"|\b(?:screen|video|slides?)\b.*\b(?:text|say|says|written)\b|\bwhat(?:'s|’s|s|\s+is)\s+written\b",
        text,
        re.IGNORECASE,
    )
    return _checked(clause, times(text), Act("read_screen", "recording")) if shown else None


def info(clause: Clause) -> Move | None:
    """`how long is this video?`"""
    asked = re.search(
        r"\bhow\s+(?:long|large|big)\b|\b(?:duration|length|resolution|frame\s*rate|fps|codecs?|running\s+time|runtime)\b",
        clause.text,
        re.IGNORECASE,
    )
    changing = clause.has("resize", "crop", "convert") or clause.slots.pixels or clause.slots.size
    return _checked(clause, times(clause.text), Act("recording_info", "recording")) if asked and not changing else None


def mute(clause: Clause) -> Move | None:
    """`mute it`, `remove the sound`."""
    text = clause.text
    if not re.search(
        rf"\bmute\b|\bsilence\s+(?:it|the|this)\b|\b(?:remove|delete|drop|strip|kill|without)\b.*\b{_SOUND}\b", text, re.IGNORECASE
    ):
        return None
    if re.search(r"\b(?:noise|background)\b", text, re.IGNORECASE):
        return Decline("Taking noise out of sound", "no tool")
    return _checked(clause, times(text), _also(clause, {"mute": True, "how": "without its sound"}))


def _also(clause: Clause, arguments: dict[str, Any]) -> Act:
    """What else is to be changed in the same breath: `resize it to 640 pixels and mute it`."""
    for rule in (speed, rotate, resize):
        move = rule(clause)
        if isinstance(move, Act):
            arguments = move.arguments | arguments | {"how": f"{move.arguments['how']} and {arguments['how']}"}
    return Act("change_recording", "recording", arguments)


def audio(clause: Clause) -> Move | None:
    """`extract the audio as mp3`."""
    text = clause.text
    if not re.search(rf"\b{_SOUND}\b", text, re.IGNORECASE):
        return None
    wanted = clause.has("extract", "convert", "keep", "detect") or re.search(
        r"\b(?:rip|save|pull|separate|isolate|mp3|only|just|out\s+of)\b", text, re.IGNORECASE
    )
    if not wanted or _CUTS.search(text):
        return None
    found = times(text)
    return _checked(clause, found, Act("extract_audio", "recording", _part(found)))


def keyframes(clause: Clause) -> Move | None:
    """`show me the keyframes`, `one picture per scene`."""
    asked = re.search(
        r"\bkey[\s-]?frames?\b|\b(?:per|each|every|for\s+each)\s+(?:scene|shot)\b|\b(?:detect|find|list|show)\b.*\b(?:scenes|shots|cuts)\b",
        clause.text,
        re.IGNORECASE,
    )
    sheet = re.search(r"\bsheet\b|\bgrid\b|\bstoryboard\b", clause.text, re.IGNORECASE) is not None
    return _checked(clause, times(clause.text), Act("keyframes", "recording", {"sheet": sheet})) if asked else None


def frames(clause: Clause) -> Move | None:
    """`give me 6 frames`, `a screenshot at 0:07`, `make a contact sheet`."""
    text = clause.text
    sheet = re.search(r"\bcontact\s+sheet\b|\bstoryboard\b|\bgrid\b|\bcollage\b|\bmontage\b", text, re.IGNORECASE)
    if not sheet and not re.search(
        r"\b(?:frames?|screen\s?shots?|stills?|snapshots?|thumbnails?|images|pictures|frame\s?grabs?)\b", text, re.IGNORECASE
    ):
        return None
    found = times(text)
    numbers = [int(number) for number in re.findall(r"(?<![\w.:])\d{1,3}(?![\w.:])", found.text)]
    counted = [number for word, number in COUNTED.items() if re.search(rf"\b{word}\b", found.text, re.IGNORECASE)]
    single = re.search(r"\b(?:a|the|one)\s+(?:frame|screen\s?shot|still|snapshot|thumbnail)\b", text, re.IGNORECASE)
    count = next(iter(numbers + counted), 1 if single else 12 if sheet else 8)
    if not 1 <= count <= 100:
        return Question("How many frames: 1 to 100?")
    arguments: dict[str, Any] = {"count": count, "sheet": sheet is not None, **_part(found)}
    if found.at:
        arguments = {"times": found.at, "sheet": sheet is not None}
    return _checked(clause, found, Act("frames", "recording", arguments))


def join(clause: Clause) -> Move | None:
    """`join these two clips`."""
    if not (clause.has("merge") or re.search(r"\bappend\b|\bone\s+after\s+(?:the\s+other|another)\b", clause.text, re.IGNORECASE)):
        return None
    return _checked(clause, times(clause.text), Act("join", "recordings"))


def speed(clause: Clause) -> Move | None:
    """`speed it up 2x`, `play it at half speed`."""
    text = clause.text
    if not re.search(r"\bspeed\b|\bfaster\b|\bslower\b|\bslow\b|\bfast\b", text, re.IGNORECASE):
        return None
    factor = clause.slots.factor or next(iter(clause.slots.numbers), None)
    if clause.slots.percent:
        factor = clause.slots.percent / 100
    if factor is None:
        factor = (
            0.5 if re.search(r"\bhalf\b", text, re.IGNORECASE) else 2.0 if re.search(r"\b(?:double|twice)\b", text, re.IGNORECASE) else None
        )
    if factor is None:
        return Question("How fast: twice as fast, 1.5 times, or half as fast?")
    if re.search(r"\bslow(?:er)?\b", text, re.IGNORECASE) and factor > 1:
        factor = 1 / factor
    if not 0.25 <= factor <= 8:
        return Question("Films are made 0.25 to 8 times as fast. How fast shall it be?")
    return _checked(
        clause, times(text), Act("change_recording", "recording", {"speed": round(factor, 4), "how": f"{factor:g} times as fast"})
    )


def rotate(clause: Clause) -> Move | None:
    """`rotate the video 90 degrees clockwise`."""
    move = pictures.rotate(Clause(SPOKEN_OF.sub("it", clause.text)))
    if not isinstance(move, Act):
        return move
    angle = round(-move.arguments["angle"]) % 360
    if angle not in (90, 180, 270):
        return Question("Films are turned by 90, 180 or 270 degrees. Which, and which way?")
    return Act("change_recording", "recording", {"rotate": angle, "how": f"turned by {angle}° clockwise"})


def resize(clause: Clause) -> Move | None:
    """`make it 640 pixels wide`."""
    if not (clause.has("resize") or clause.slots.pixels or clause.slots.size):
        return None
    if clause.slots.size:
        return Act(
            "change_recording", "recording", {"width": clause.slots.size[0], "height": clause.slots.size[1], "how": "in the new size"}
        )
    if clause.slots.pixels:
        side = "height" if clause.has("height") and not clause.has("width") else "width"
        return _checked(
            clause, times(clause.text), Act("change_recording", "recording", {side: clause.slots.pixels, "how": "in the new size"})
        )
    lines = re.search(r"\b(\d{3,4})p\b", clause.text, re.IGNORECASE)
    if lines:
        return Act("change_recording", "recording", {"height": int(lines[1]), "how": "in the new size"})
    return Question("How large: how many pixels wide or high?")


def trim(clause: Clause) -> Move | None:
    """`cut 0:30 to 1:15`, `keep the first 10 seconds`, `cut off the last 5 seconds`."""
    text = clause.text
    found = times(text)
    if not (_CUTS.search(text) or _CUT_OFF.search(text) or ((found.span or found.edge) and _KEEP.search(text))):
        return None
    if not (found.span or found.edge):
        return Question("From where to where? Say, for example, “from 0:30 to 1:15”, or “keep the first 10 seconds”.")
    away = _CUT_OFF.search(text) is not None
    if found.edge and not away and not _KEEP.search(text):
        return Question(f"Shall the {found.edge[0]} {found.edge[1]:g} seconds be kept, or cut away?")
    if _ANOTHER.search(found.text):
        return Question("Which part do you want? I cut one at a time.")
    arguments: dict[str, Any] = {"away": away, "edge": list(found.edge) if found.edge else None, **_part(found)}
    return _checked(clause, found, Act("trim", "recording", arguments))


RULES: tuple[Rule, ...] = (
    translate, tell, gif, captions, watermark, transcribe, search, info, on_screen, mute, audio, keyframes, frames, join, speed, trim,
    rotate, resize,
)  # fmt: skip
"""In this order: the particular before the general."""


_ANOTHER = re.compile(r"\d:\d\d|\d\s*s(?:ec\w*)?\b", re.IGNORECASE)
"""A time besides those that were taken."""
_JOINT = re.compile(r"\s*,\s+(?:and\s+)?(?:then\s+)?|\s+(?:and|&)\s+(?:then\s+|also\s+)?", re.IGNORECASE)
_DO = re.compile(
    r"(?:add|burn|caption|convert|create|cut|export|extract|find|give|grab|join|keep|make|mute|put|remove|resize|rip|rotate|save|shorten|show|"
    r"slow|speed|stamp|subtitle|transcribe|trim|turn|watermark|write)\b",
    re.IGNORECASE,
)


def parted(clause: Clause) -> list[Clause]:
    """`add subtitles and make a gif of 2s to 4s` is two, since either half alone asks for something."""
    for joint in _JOINT.finditer(clause.text):
        before, after = Clause(clause.text[: joint.start()]), Clause(clause.text[joint.end() :])
        if _DO.match(after.text) and _asks(before) and _asks(after):
            return [before, *parted(after)]
    return [clause]


def _asks(clause: Clause) -> bool:
    return any(rule(clause) is not None for rule in RULES)


def _part(found: Times) -> dict[str, Any]:
    """The part that times say, as arguments of a tool."""
    if found.span is not None:
        return {"start": found.span[0]} | ({"end": found.span[1]} if found.span[1] is not None else {})
    if found.edge is not None and found.edge[0] == "first":
        return {"start": 0.0, "end": found.edge[1]}
    return {"last": found.edge[1]} if found.edge is not None else {}


def _all_known(clause: Clause, found: Times) -> bool:
    rest = Clause(found.text)
    return all(stem(word) in _KNOWN or any(letter.isdigit() for letter in word) for word in rest.unknown)


def _checked(clause: Clause, found: Times, act: Act) -> Move:
    """The act, or a question about words that mean nothing to us."""
    return act if _all_known(clause, found) else unsure(clause)
