"""What is done to documents."""

from __future__ import annotations

import re
from typing import Any

from heliograph.agents.planner.clauses import Clause
from heliograph.agents.planner.moves import Act, Decline, Move, Question, unsure


def merge(clause: Clause) -> Move | None:
    """`merge these`."""
    if not clause.has("merge"):
        return None
    if re.search(r"\b(?:first|last|order|before|after|end|beginning|front|back)\b", clause.text, re.IGNORECASE):
        return Question(
            "I put them together in the order in which they were attached. Attach them in the one that you want, and say “merge these”."
        )
    return unsure(clause) if clause.unknown else Act("merge", "documents")


def drop(clause: Clause) -> Move | None:
    """`remove the last page`."""
    if not clause.has("drop") or not clause.slots.pages or not clause.has("page"):
        return None
    return unsure(clause) if clause.unknown else Act("drop", "document", {"pages": clause.slots.pages})


def column(clause: Clause) -> Move | None:
    """`sum up the sales column in this table`, `what is the average price in the table?`"""
    how = "average" if re.search(r"\b(?:average|mean)\b", clause.text, re.IGNORECASE) else "sum" if clause.has("add") else None
    if how is None or not clause.has("table"):
        return None
    about = [word for word in clause.unknown if word.lower() not in ("average", "mean", "values", "numbers", "figures")]
    return Act("column", "document", {"how": how, "about": about})


def on_page(clause: Clause) -> Move | None:
    """`on which page is the warranty mentioned?`"""
    asked = re.match(
        r"\s*(?:on|at|in)?\s*(?:which|what)\s+pages?\s+(?:is|are|does|do|has|have|can\s+i\s+find|mentions?|talks?\s+about)\s+(?:the\s+)?"
        r"(.{1,60}?)(?:\s+(?:mentioned|appear\w*|stand|occur\w*|found|on|written))?[\s?.!]*$",
        clause.text, re.IGNORECASE,
    )  # fmt: skip
    return Act("search", "document", {"words": asked[1]}) if asked else None


def split(clause: Clause) -> Move | None:
    """`split it into single pages`, `give me just pages 2-3`."""
    keeping = clause.has("keep", "extract", "split", "crop", "convert", "tell")
    if clause.has("split") or (clause.slots.pages and clause.has("keep") and not clause.has("read")):
        if clause.unknown and [word.lower() for word in clause.unknown] not in ([["single"], ["individual"], ["separate"]]):
            return unsure(clause)
        return Act("split", "document", {"pages": clause.slots.pages})
    if (
        clause.slots.pages
        and keeping
        and clause.has("page")
        and re.search(r"\bas\b.*\b(?:pdf|document|file)\b|\bpages\b", clause.text, re.IGNORECASE)
        and not clause.has("read", "ask")
        and not clause.unknown
    ):
        return Act("split", "document", {"pages": clause.slots.pages})
    return None


def pages(clause: Clause) -> Move | None:
    """`how many pages?`, `show me page 2`."""
    if not clause.has("page"):
        return None
    if clause.has("count") and not clause.unknown:
        return Act("count_pages", "document")
    if clause.unknown or not (clause.slots.pages or clause.has("image", "png", "jpeg")):
        return None
    if clause.has("read") or re.search(r"\b(?:say|says|text|written)\b", clause.text, re.IGNORECASE):
        return None
    if clause.has("tell", "convert", "image", "png", "jpeg", "extract") or not clause.concepts - {"page", "document", "it"}:
        return Act("page_images", "document", {"pages": clause.slots.pages})
    return None


def redact(clause: Clause) -> Move | None:
    """`redact all personal data`, `black out the phone numbers`."""
    hiding = clause.has("redact") or (clause.has("anonymise") and not clause.has("face"))
    if not hiding:
        return None
    return Act("redact", "document", redaction(clause))


def redaction(clause: Clause) -> dict[str, Any]:
    """What a clause wants hidden: kinds of data, and words in quotes; nothing named is all of it."""
    kinds = {
        "phone": r"phone|telephone",
        "email": r"e-?mail",
        "ssn": r"ssn|social security",
        "name": r"\bnames?\b",
        "date": r"\bdates?\b",
        "address": r"(?<!mail )\baddress(?:es)?\b",
    }
    named = [kind for kind, pattern in kinds.items() if re.search(pattern, clause.text, re.IGNORECASE)]
    return {"only": named, "words": clause.slots.quoted}


def markdown(clause: Clause) -> Move | None:
    """`convert it to markdown`."""
    return Act("markdown", "document") if clause.has("markdown") and not clause.unknown else None


def layout(clause: Clause) -> Move | None:
    """`show the layout`."""
    return Act("layout", "document") if clause.has("layout") and not clause.unknown else None


def classify(clause: Clause) -> Move | None:
    """`what kind of document is this?`"""
    if not clause.has("classify"):
        return None
    return unsure(clause) if clause.unknown else Act("classify", "document")


def table(clause: Clause) -> Move | None:
    """`summarise the table`."""
    if not clause.has("table"):
        return None
    if re.search(r"\b(?:spreadsheet|excel|xlsx|csv)\b", clause.text, re.IGNORECASE):
        return Decline("Writing spreadsheets (I can show a table as Markdown)", "no tool")
    unknown = [word for word in clause.unknown if word.lower() not in ("contents",)]
    if clause.has("summarise", "extract", "tell", "read", "count", "add", "convert", "detect") and not unknown:
        return Act("table", "document", {"summary": clause.has("summarise", "add", "count")})
    return None


def summarise(clause: Clause) -> Move | None:
    """`summarise this contract`."""
    return Decline("Summarising texts", "language model") if clause.has("summarise") else None


_THROUGH = re.compile(
    r"\s*(?:search|scan|look\s+(?:through|in|into)|go\s+through|check)\s+(?:the|this|that|my|our|these)?\s*(?:\w+\s+)?"
    r"(?:document|pdf|file|invoice|contract|letter|report|text|pages?|doc|it)s?\s+for\s+(?:the\s+(?:word|phrase|term)\s+)?(.{1,80})$",
    re.IGNORECASE,
)
"""`search the contract for penalties`."""


def search(clause: Clause) -> Move | None:
    """`find the word "net"`, `where does it mention bank details?`"""
    through = _THROUGH.match(clause.text)
    asked_where = re.match(r"\s*where\b", clause.text, re.IGNORECASE) is not None
    if (
        not clause.has("search")
        and not (clause.has("detect") and (clause.slots.quoted or clause.has("word")))
        and not asked_where
        and not through
    ):
        return None
    if clause.slots.quoted:
        return Act("search", "document", {"words": clause.slots.quoted[0]})
    if through is not None:
        return Act("search", "document", {"words": through[1].strip(" ?.!")})
    text = re.sub(
        r"^.*?\b(?:search\s+for|look\s+for|mentions?|mentioned|contains?|talks?\s+about|says?|occurrences?\s+of|find|search|locate|word|phrase|term|where\s+(?:is|are|does|do))\b\s*"
        r"(?:it\s+)?(?:(?:say|mention|talk\s+about)\s+)?(?:anything\s+about\s+|(?:the\s+)?(?:word|phrase|term)s?\s+|all\s+|any\s+|every\s+|the\s+)*",
        "", clause.text, count=1, flags=re.IGNORECASE,
    )  # fmt: skip
    text = re.sub(
        r"\s+\b(?:in|on|within|of)\b\s+(?:the\s+|this\s+|that\s+|my\s+|these\s+)?(?:pdf|document|file|invoice|contract|pages?|text|doc|it|image|letter|report)s?\b.*$",
        "",
        text,
        flags=re.IGNORECASE,
    )
    text = re.sub(r"\b(?:mentioned|occur\w*|appear\w*)\b.*$", "", text, flags=re.IGNORECASE).strip(" ?.!")
    if not text or len(text.split()) > 6:
        return Question("Which words shall I look for?")
    return Act("search", "document", {"words": text})


def read(clause: Clause) -> Move | None:
    """`what does the second page say?`"""
    if not clause.has("read") or clause.has("line item"):
        return None
    if clause.unknown:
        return None
    return Act("read", "anything", {"pages": clause.slots.pages})


def line_items(clause: Clause) -> Move | None:
    """`give me the line items`."""
    if not clause.has("line item") or not clause.has("extract", "tell", "ask", "read", "detect"):
        return None
    usual = "Extract a list of line items with description, quantity, unit price and amount"
    text = re.sub(r"\s+as\s+(?:an?\s+)?(?:table|list|json)\b", "", clause.text, flags=re.IGNORECASE)
    named = re.search(r"\bitems?\b.*?\bwith\s+(?!their\b|its\b|all\b)(.+)", text, re.IGNORECASE)
    if clause.unknown and named is None and "with" not in text.lower():
        return None
    return Act("extract", "document", {"request": f"Extract a list of line items with {named[1]}" if named else usual})
