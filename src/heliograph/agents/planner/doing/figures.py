"""Charts and sums."""

from __future__ import annotations

from typing import Any

from heliograph.agents.planner.clauses import Clause
from heliograph.agents.planner.doing.tables import column_of, numeric, tables_of
from heliograph.agents.planner.hand import Asks, Done, Hand
from heliograph.agents.planner.moves import Act


async def chart(hand: Hand, act: Act, _clause: Clause) -> Done:
    """Of numbers that the request gives."""
    labels: list[str] = act.arguments["labels"]
    values: list[float] = act.arguments["values"]
    kind = act.arguments["kind"] or ("bar" if labels else "line")
    return await _drawn(hand, kind, labels or [str(place + 1) for place in range(len(values))], values, act.arguments["title"])


async def chart_table(hand: Hand, act: Act, clause: Clause) -> Done:
    """Of a column of numbers in a document's table."""
    subject = (await hand.subjects("document", clause))[0]
    grids = await tables_of(hand, subject, clause)
    if not grids:
        return Done(text=f"I found no table in {subject.name}, so there is nothing to chart.")
    about = [word.lower() for word in act.arguments["about"]]
    choice = column_of(grids, about)
    if choice is None:
        named = "; ".join(
            ", ".join(grid.heads[place] or f"column {place + 1}" for place in numeric(grid)) for grid in grids if numeric(grid)
        )
        raise Asks(f"Which column shall I chart? With numbers there are: {named}." if named else "Which numbers? The tables hold none.")
    grid, column = choice
    rows = [(row[grid.label].strip(), grid.number(row[column])) for row in grid.rows]
    points = [(label or str(place + 1), value) for place, (label, value) in enumerate(rows) if value is not None]
    kind = act.arguments["kind"] or "bar"
    return await _drawn(
        hand, kind, [label for label, _ in points], [value for _, value in points], act.arguments["title"] or grid.heads[column]
    )


async def calculate(hand: Hand, act: Act, _clause: Clause) -> Done:
    """A sum."""
    answer = await hand.call("calculate", expression=act.arguments["expression"])
    return Done(text=f"{act.arguments['expression']} = {answer['text']}", value={"value": answer["value"]})


async def _drawn(hand: Hand, kind: str, labels: list[str], values: list[float], title: str | None) -> Done:
    arguments: dict[str, Any] = {"kind": kind, "labels": labels, "values": values, "title": title}
    answer = await hand.call("make_chart", **arguments)
    shown = {"pie": "pie chart", "line": "line chart", "scatter": "scatter plot", "histogram": "histogram"}.get(kind, "bar chart")
    return Done(text=f"Here is the {shown} of {len(values)} values: {answer['id']}.", made=[answer["id"]])
