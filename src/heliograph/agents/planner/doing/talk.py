"""What is said about ourselves, the chat and the web."""

from __future__ import annotations

from heliograph.agents.planner.clauses import Clause
from heliograph.agents.planner.hand import Done, Hand
from heliograph.agents.planner.moves import Act

INTRODUCTION = """I am the embedded planner of this Heliograph server. No language model is configured here, so I hold no conversations; \
I match what you write to tools that run on this machine. Attach a picture, a document or a recording and say, for example:
- “rotate it by 90 degrees clockwise”, “crop to the left half”, “resize to 800 pixels wide”
- “blur the faces”, “read the QR code”, “draw a box around the word "TOTAL"”
- “what is the total?”, “extract the invoice number, date and total”, “what does page 2 say?”, “find "warranty"”
- “redact all personal data”, “split it into single pages”, “merge these”
- “transcribe this”, “when do they say "budget"?”, “cut 0:30 to 1:15”, “add subtitles”, “give me 6 frames”
- “make a pie chart of rent 1200, food 450, fun 220”"""


async def introduce(hand: Hand, _act: Act, _clause: Clause) -> Done:
    """Who this is, and what can be asked."""
    del hand
    return Done(text=INTRODUCTION)


async def artifacts(hand: Hand, _act: Act, _clause: Clause) -> Done:
    """What this chat has."""
    await hand.brought()
    every = await hand.at.artifacts.list()
    if not every:
        return Done(text="There are no files in this chat yet.", value={"artifacts": []})
    lines = [f"- {each.ref}{f' ({each.filename})' if each.filename else ''}: {each.media_type}, {each.bytes:,} bytes" for each in every]
    return Done(text="In this chat there are:\n" + "\n".join(lines), value={"artifacts": [{"id": each.ref} for each in every]})


async def fetch(hand: Hand, act: Act, _clause: Clause) -> Done:
    """A page of the web that the user named."""
    answer = await hand.call("fetch_page", url=act.arguments["url"])
    return Done(text=answer["text"])


async def web_search(hand: Hand, act: Act, _clause: Clause) -> Done:
    """What a search service finds for words of the user's."""
    answer = await hand.call("web_search", query=act.arguments["query"])
    lines = [f"- [{result['title']}]({result['url']}): {result['text']}" for result in answer["results"]]
    return Done(text="\n".join(lines) or "Nothing was found.", value={"results": answer["results"]})
