"""Charts and sums."""

from __future__ import annotations

import re
from typing import Any

from heliograph.agents.planner.clauses import Clause
from heliograph.agents.planner.moves import Act, Move, Question
from heliograph.agents.planner.slots import number, pairs

_CALCULATION = re.compile(
    r"^(?:what(?:'s|\s+is|s)|how\s+much\s+is|calculate|compute|work\s+out)?\s*"
    r"([-+*/().,\d\s%^x×÷]*\d[-+*/().,\d\s%^x×÷]*[-+*/%^x×÷][-+*/().,\d\s%^x×÷]*)\s*\??$",
    re.IGNORECASE,
)
_PERCENT_OF = re.compile(r"(\d[\d.,]*)\s*(?:%|percent|per\s+cent)\s+of\s+(\d[\d.,]*)", re.IGNORECASE)
_HALVES = re.compile(
    r"\b(left|right|top|upper|bottom|lower)(?:\s+hand)?\s+(half|third|quarter|side|part)\b|\b(top|bottom|upper|lower)[\s-](left|right)\b",
    re.IGNORECASE,
)


def chart(clause: Clause) -> Move | None:
    """`make a pie chart of rent 1200, food 450`, `chart the sales from the table`."""
    kind = next((kind for kind in ("pie", "scatter", "line", "bar") if clause.has(kind)), None)
    if not clause.has("chart") and not (kind == "pie" and pairs(clause.text)):
        return None
    if re.search(r"\bhistogram\b", clause.text, re.IGNORECASE):
        kind = "histogram"
    title = re.search(
        r"[,;]?\s*\b(?:titled?|called|named|heading)\s*(?:it|is)?\s*:?\s*[\"“]?([^\"”\n:]{2,80}?)[\"”]?(?=[:,;]|$)",
        clause.text,
        re.IGNORECASE,
    )
    given = _given(clause.text[: title.start()] + clause.text[title.end() :] if title else clause.text)
    labelled = pairs(given)
    arguments: dict[str, Any] = {"kind": kind, "title": title[1].strip() if title else _chart_title(clause.text)}
    figures = len(re.findall(r"\d+(?:[.,]\d+)*", given))
    if len(labelled) >= 2 and figures != len(labelled):
        read = ", ".join(f"{label} {value:g}" for label, value in labelled)
        return Question(f"I read {read} there, and {figures} numbers. Write each with its label, such as “apples 3, pears 5”.")
    if len(labelled) >= 2:
        return Act("chart", "nothing", arguments | {"labels": [label for label, _ in labelled], "values": [value for _, value in labelled]})
    numbers = [number(found) for found in re.findall(r"(?<![\w.,])-?\d+(?:\.\d+)?(?![\w])", given)]
    if len(numbers) >= 3 and not clause.has("page"):
        return Act("chart", "nothing", arguments | {"labels": [], "values": numbers})
    if clause.has("table", "document") or (clause.unknown and not numbers):
        return Act("chart_table", "document", arguments | {"about": [word for word in clause.unknown if len(word) > 2]})
    return Question("Of which numbers? Write them with their labels, such as “apples 3, pears 5”, or attach a document with a table.")


def _given(text: str) -> str:
    """What stands behind the words that ask for the chart."""
    ask = re.search(
        r"\b(?:chart|plot|graph|diagram|histogram|pie|visuali[sz]e)\b[^\d:]{0,60}?(?::|\b(?:of|for|with|from|showing|where)\b(?!.*:))",
        text,
        re.IGNORECASE,
    )
    return text[ask.end() :] if ask else re.sub(r"^.*?\b(?:chart|plot|graph|diagram|histogram)\b", "", text, count=1, flags=re.IGNORECASE)


def _chart_title(text: str) -> str | None:
    about = re.search(
        r"\b(?:chart|plot|graph|diagram|histogram)\s+(?:of|for|showing)\s+(?:the\s+|my\s+|our\s+)?([^:\d,]{3,60}?)\s*:", text, re.IGNORECASE
    )
    return about[1].strip() if about else None


def calculation(clause: Clause) -> Move | None:
    """`what is 17% of 2400?`, `add up 12, 30 and 8`."""
    formula = _CALCULATION.match(re.sub(r"\s*=\s*\??\s*$", "", clause.text.strip()))
    share = _PERCENT_OF.search(clause.text)
    if share is not None and not clause.has("document", "image", "page"):
        return Act("calculate", "nothing", {"expression": f"{number(share[1])} / 100 * {number(share[2])}"})
    if formula is not None:
        expression = formula[1].replace("×", "*").replace("÷", "/").replace("^", "**")
        return Act("calculate", "nothing", {"expression": re.sub(r"(?<=\d)\s*x\s*(?=\d)", "*", expression).strip().rstrip("?")})
    if (
        re.search(r"\b(?:average|mean)\b", clause.text, re.IGNORECASE)
        and len(clause.slots.numbers) >= 2
        and not clause.has("table", "document")
    ):
        terms = " + ".join(f"{value:g}" for value in clause.slots.numbers)
        return Act("calculate", "nothing", {"expression": f"({terms}) / {len(clause.slots.numbers)}"})
    if clause.has("add") and len(clause.slots.numbers) >= 2 and not clause.has("table", "document"):
        return Act("calculate", "nothing", {"expression": " + ".join(f"{value:g}" for value in clause.slots.numbers)})
    return None
