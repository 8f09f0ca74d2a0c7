"""What is done to recordings: the tool that does each, and the sentence that says so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from heliograph.agents.artifacts import Artifact
from heliograph.agents.planner.clauses import Clause
from heliograph.agents.planner.hand import Done, Hand
from heliograph.agents.planner.moves import Act
from heliograph.media.timecode import clock

Json = Any
Made = tuple[list[str], str]
"""References of what was made, and the sentence that says so."""
LONGEST_READ = 20_000
"""Letters of a transcript that an answer holds."""


async def transcribe(hand: Hand, act: Act, clause: Clause) -> Done:
    """All that is said, with the times at which paragraphs begin."""
    lines: list[str] = []
    texts: list[str] = []
    for subject in await hand.subjects("recording", clause):
        answer = await hand.call("transcribe_video", video=subject.ref, **await _part(hand, subject, act))
        texts.append(answer["text"])
        said = [f"[{clock(segment['start'])}] {_speaker(segment)}{segment['text']}" for segment in answer["segments"]]
        text = "\n".join(said) or f"Nobody speaks in {subject.name}, as far as I hear."
        lines.append(
            text if len(text) <= LONGEST_READ else f"{text[:LONGEST_READ]}...\nThere is more; ask for an srt file to have all of it."
        )
    return Done(text="\n\n".join(lines), value={"text": "\n".join(texts)})


async def search(hand: Hand, act: Act, clause: Clause) -> Done:
    """When words are said or shown."""
    lines: list[str] = []
    found: list[Json] = []
    query = act.arguments["query"]
    for subject in await hand.subjects("recording", clause):
        answer = await hand.call("search_video", video=subject.ref, query=query, where=act.arguments["where"])
        found += answer["matches"]
        lines += [f"At {clock(hit['start'])}, {hit['how']}: {hit['context']}" for hit in answer["matches"]]
        if not answer["matches"]:
            lines.append(f"I did not find “{query}” in {subject.name}.")
    return Done(text="\n".join(lines), value={"matches": found})


async def read_screen(hand: Hand, _act: Act, clause: Clause) -> Done:
    """What stands on screen, and when."""
    lines: list[str] = []
    texts: list[Json] = []
    for subject in await hand.subjects("recording", clause):
        answer = await hand.call("read_video", video=subject.ref)
        texts += [text["text"] for text in answer["texts"]]
        lines += [f"{clock(text['start'])} to {clock(text['end'])}: {text['text']}" for text in answer["texts"]]
        lines += [f"{clock(code['start'])}: a barcode that says {code['text']}" for code in answer["codes"]]
        if not answer["texts"] and not answer["codes"]:
            lines.append(f"I found no text in {subject.name}.")
    return Done(text="\n".join(lines), value={"texts": texts})


async def info(hand: Hand, _act: Act, clause: Clause) -> Done:
    """How long, how large, what is in it."""
    lines: list[str] = []
    value: dict[str, Json] = {}
    for subject in await hand.subjects("recording", clause):
        value = await hand.call("video_info", video=subject.ref)
        seconds = value["duration"]
        size = (
            f", {value['width']} by {value['height']} pixels, {value['fps']:g} frames a second ({value['video_codec']})"
            if value["width"]
            else ""
        )
        heard = f", sound in {value['audio_codec']} at {value['sample_rate']} Hz" if value["audio_codec"] else ", without sound"
        lines.append(f"{subject.name} lasts {round(seconds, 1):g} seconds ({clock(seconds)}){size}{heard}.")
    return Done(text="\n".join(lines), value={"duration": value["duration"]})


async def trim(hand: Hand, act: Act, clause: Clause) -> Done:
    """A part of it, or it without a part."""
    away: bool = act.arguments["away"]

    async def cut(subject: Artifact) -> Made:
        part = await _part(hand, subject, act)
        start, end = part.get("start", 0.0), part.get("end")
        if not away:
            answer = await hand.call("trim_video", video=subject.ref, start=start, end=end)
        elif start <= 0 and end is not None:
            answer = await hand.call("trim_video", video=subject.ref, start=end)
        elif end is None:
            answer = await hand.call("trim_video", video=subject.ref, end=start)
        else:
            lasts = (await hand.call("video_info", video=subject.ref))["duration"]
            spans = [{"start": 0.0, "end": start}, {"start": end, "end": lasts}]
            answer = await hand.call("cut_highlights", video=subject.ref, spans=spans)
        which = f"{'without ' if away else 'from '}{clock(start)} to {clock(end) if end is not None else 'its end'}"
        return [answer["id"]], f"Here is {subject.name} {which}: {answer['id']} ({answer['seconds']:g} seconds)."

    return await _of_each(hand, clause, cut)


async def change(hand: Hand, act: Act, clause: Clause) -> Done:
    """Its size, speed, direction or sound."""
    how = act.arguments["how"]
    return await _each(hand, clause, "change_video", how, {name: value for name, value in act.arguments.items() if name != "how"})


async def watermark(hand: Hand, act: Act, clause: Clause) -> Done:
    """Words over it."""
    return await _each(hand, clause, "add_watermark", f"with “{act.arguments['text']}” over it", act.arguments)


async def captions(hand: Hand, act: Act, clause: Clause) -> Done:
    """What is said, to be read."""
    style = act.arguments["style"]
    how = {"burnt": "with captions in its picture", "track": "with a track of captions that players can switch on"}.get(
        style, f"as .{style}"
    )

    async def captioned(subject: Artifact) -> Made:
        answer = await hand.call("add_video_captions", video=subject.ref, style=style)
        what = f"Here are the captions of {subject.name} {how}" if style in ("srt", "vtt") else f"Here is {subject.name} {how}"
        return [answer["id"]], f"{what}: {answer['id']} ({answer['captions']} captions)."

    return await _of_each(hand, clause, captioned)


async def gif(hand: Hand, act: Act, clause: Clause) -> Done:
    """A part of it as a moving picture."""

    async def shown(subject: Artifact) -> Made:
        answer = await hand.call("video_to_gif", video=subject.ref, **await _part(hand, subject, act))
        told = f"{answer['id']} ({answer['seconds']:g} seconds); download it as {answer['filename']}."
        return [answer["id"]], f"Here is a GIF of {subject.name}: {told}"

    return await _of_each(hand, clause, shown)


async def audio(hand: Hand, act: Act, clause: Clause) -> Done:
    """Its sound alone."""

    async def heard(subject: Artifact) -> Made:
        answer = await hand.call("extract_audio", video=subject.ref, **await _part(hand, subject, act))
        return [answer["id"]], f"Here is the sound of {subject.name} as MP3: {answer['id']} ({answer['seconds']:g} seconds)."

    return await _of_each(hand, clause, heard)


async def frames(hand: Hand, act: Act, clause: Clause) -> Done:
    """Pictures of it."""
    arguments = {name: value for name, value in act.arguments.items() if name in ("count", "times", "sheet")}
    return await _pictures(hand, act, clause, "sample_frames", arguments)


async def keyframes(hand: Hand, act: Act, clause: Clause) -> Done:
    """A picture of each shot."""
    return await _pictures(hand, act, clause, "get_keyframes", dict(act.arguments))


async def join(hand: Hand, _act: Act, clause: Clause) -> Done:
    """One after the other."""
    subjects = await hand.subjects("recordings", clause)
    answer = await hand.call("concatenate_videos", videos=[subject.ref for subject in subjects])
    names = ", ".join(subject.name for subject in subjects)
    return Done(text=f"Here are {names} one after the other: {answer['id']} ({answer['seconds']:g} seconds).", made=[answer["id"]])


async def _pictures(hand: Hand, act: Act, clause: Clause, tool: str, arguments: dict[str, Json]) -> Done:
    async def shown(subject: Artifact) -> Made:
        part = await _part(hand, subject, act) if tool == "sample_frames" else {}
        answer = await hand.call(tool, video=subject.ref, **arguments, **part)
        frames = ", ".join(f"{frame['id']} ({clock(frame['time'])})" for frame in answer["frames"])
        together = f" All in one picture: {answer['sheet']}." if answer["sheet"] else ""
        made = [answer["sheet"]] if answer["sheet"] else [frame["id"] for frame in answer["frames"]]
        return made, f"Here {'is a frame' if len(answer['frames']) == 1 else 'are frames'} of {subject.name}: {frames}.{together}"

    return await _of_each(hand, clause, shown)


async def _each(hand: Hand, clause: Clause, tool: str, how: str, arguments: dict[str, Json]) -> Done:
    async def changed(subject: Artifact) -> Made:
        answer = await hand.call(tool, video=subject.ref, **arguments)
        size = f" ({answer['width']} by {answer['height']} pixels, {answer['seconds']:g} seconds)" if answer.get("width") else ""
        return [answer["id"]], f"Here is {subject.name}, {how}: {answer['id']}{size}."

    return await _of_each(hand, clause, changed)


async def _of_each(hand: Hand, clause: Clause, make: Callable[[Artifact], Awaitable[Made]]) -> Done:
    """What `make` gives for each recording that is meant."""
    each = [await make(subject) for subject in await hand.subjects("recording", clause)]
    return Done(text="\n".join(line for _, line in each), made=[ref for refs, _ in each for ref in refs])


async def _part(hand: Hand, subject: Artifact, act: Act) -> dict[str, Json]:
    """From where to where; `the last 5 seconds` needs to know how long it is."""
    if "last" in act.arguments:
        lasts = (await hand.call("video_info", video=subject.ref))["duration"]
        return {"start": max(0.0, round(lasts - act.arguments["last"], 3))}
    return {name: act.arguments[name] for name in ("start", "end") if name in act.arguments}


def _speaker(segment: dict[str, Json]) -> str:
    return f"{segment['speaker']}: " if segment["speaker"] else ""
