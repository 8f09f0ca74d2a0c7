"""What is done to documents, and what they are asked."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from heliograph.agents.artifacts import Artifact
from heliograph.agents.planner.clauses import Clause
from heliograph.agents.planner.doing.tables import Grid, column_of, numeric, tables_of
from heliograph.agents.planner.hand import Asks, Done, Hand
from heliograph.agents.planner.moves import Act

Json = Any

SURE = {"hi": "", "med": " I am fairly sure.", "lo": " I am not sure: please check it."}
"""What is said beside a value, by its confidence."""
LABELS = "I look up what a document labels; other questions need a language model."
LONGEST_READ = 20_000
"""Letters of a document's text that an answer holds."""


async def merge(hand: Hand, _act: Act, clause: Clause) -> Done:
    """Several into one PDF."""
    documents = await hand.subjects("documents", clause)
    if len(documents) < 2:
        raise Asks("Merge it with what? Attach two or more documents.")
    answer = await hand.call("merge_documents", documents=[document.ref for document in documents])
    names = ", ".join(document.name for document in documents)
    return Done(text=f"Here is one PDF of {names}: {answer['id']} ({_pages(answer['pages'])}).", made=[answer["id"]])


async def split(hand: Hand, act: Act, clause: Clause) -> Done:
    """Single pages, or some of them as a document of their own."""
    document = (await hand.subjects("document", clause))[0]
    pages = await _counted(hand, document, act.arguments["pages"])
    answer = await hand.call("split_document", document=document.ref, parts=[pages] if pages else None)
    made = [each["id"] for each in answer["documents"]]
    if pages:
        text = f"Here is page {_listed(pages)} of {document.name}: {made[0]}."
    else:
        text = f"Here is {document.name} in {len(made)} documents, one a page: {', '.join(made)}."
    return Done(text=text, made=made)


async def drop(hand: Hand, act: Act, clause: Clause) -> Done:
    """All pages but some."""
    document = (await hand.subjects("document", clause))[0]
    count = (await hand.call("document_info", document=document.ref))["pages"]
    gone = {page if page >= 0 else count + page for page in act.arguments["pages"]}
    left = [page for page in range(count) if page not in gone]
    if not left or not gone <= set(range(count)):
        raise Asks(f"{document.name} has {_pages(count)}. Which shall I take out?")
    answer = await hand.call("split_document", document=document.ref, parts=[left])
    made = answer["documents"][0]["id"]
    return Done(text=f"Here is {document.name} without page {_listed(sorted(gone))}: {made} ({_pages(len(left))}).", made=[made])


async def column(hand: Hand, act: Act, clause: Clause) -> Done:
    """The sum or the average of a column."""
    document = (await hand.subjects("document", clause))[0]
    grids = await tables_of(hand, document, clause)
    choice = column_of(grids, [word.lower() for word in act.arguments["about"]])
    if choice is None:
        named = ", ".join(head for grid in grids for place in numeric(grid) if (head := grid.heads[place]))
        raise Asks(f"Which column? With numbers there are: {named}." if named else "Which numbers? I found no table with numbers in it.")
    grid, place = choice
    values = [value for row in grid.rows if (value := grid.number(row[place])) is not None]
    how = act.arguments["how"]
    result = sum(values) / (len(values) if how == "average" else 1)
    text = f"The {how} of {grid.heads[place] or 'the column'} over {_many(len(values), 'row')} (page {grid.page + 1}) is {result:,.10g}."
    return Done(text=text, value={"value": result})


async def count_pages(hand: Hand, _act: Act, clause: Clause) -> Done:
    """How many pages there are."""
    lines: list[str] = []
    count = 0
    for document in await hand.subjects("document", clause):
        answer = await hand.call("document_info", document=document.ref)
        count += answer["pages"]
        lines.append(f"{document.name} has {_pages(answer['pages'])}.")
    return Done(text="\n".join(lines), value={"pages": count})


async def page_images(hand: Hand, act: Act, clause: Clause) -> Done:
    """Pages as pictures."""
    document = (await hand.subjects("document", clause))[0]
    images = await hand.pages(document, await _counted(hand, document, act.arguments["pages"]))
    made = [image.ref for image in images]
    return Done(
        text=f"Here {'is' if len(made) == 1 else 'are'} {document.name} as {_many(len(made), 'picture')}: {', '.join(made)}.", made=made
    )


async def redact(hand: Hand, act: Act, clause: Clause) -> Done:
    """Everything that identifies people; a part of it alone is not something that the tool does."""
    if act.arguments["only"] or act.arguments["words"]:
        wanted = ", ".join([*act.arguments["only"], *(f"“{word}”" for word in act.arguments["words"])])
        raise Asks(
            f"I cannot black out {wanted} alone: I black out everything that identifies people (names, dates, addresses, phone "
            "numbers, e-mail addresses and other numbers). If that is what you want, say “redact all personal data”."
        )
    lines: list[str] = []
    made: list[str] = []
    for document in await hand.subjects("document", clause):
        answer = await hand.call("redact_document", document=document.ref)
        counts = ", ".join(f"{count} {kind.replace('_', ' ').lower()}" for kind, count in answer["counts"].items() if count)
        made.append(answer["id"])
        lines.append(f"Here is {document.name} redacted: {answer['id']}. Blacked out: {counts or 'nothing'}. A person must check it.")
    return Done(text="\n".join(lines), made=made)


async def markdown(hand: Hand, act: Act, clause: Clause) -> Done:
    """As Markdown."""
    del act
    document = (await hand.subjects("document", clause))[0]
    answer = await hand.call("parse_document_markdown", document=document.ref, pages=clause.slots.pages or None)
    text = "\n\n".join(page["markdown"].strip() for page in answer["pages"])
    if answer["next_page"] is not None:
        text += f"\n\n(There is more from page {answer['next_page'] + 1} on.)"
    return Done(text=text, value={"markdown": text})


async def layout(hand: Hand, _act: Act, clause: Clause) -> Done:
    """What parts its pages have."""
    document = (await hand.subjects("document", clause))[0]
    answer = await hand.call("detect_document_layout", document=document.ref, pages=clause.slots.pages or None)
    counts: dict[str, int] = {}
    for element in answer["elements"]:
        counts[element["category"]] = counts.get(element["category"], 0) + 1
    parts = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    return Done(text=f"{document.name} has these parts: {parts or 'none that I found'}.", value={"elements": answer["elements"]})


async def classify(hand: Hand, _act: Act, clause: Clause) -> Done:
    """What kind of document it is."""
    lines: list[str] = []
    kinds: list[Json] = []
    for document in await hand.subjects("document", clause):
        answer = await hand.call("classify_document", document=document.ref)
        kinds.append(answer["kind"])
        if answer["kind"] is None:
            lines.append(f"I cannot tell what kind of document {document.name} is.")
        else:
            doubt = "" if answer["certain"] else f" I am not sure: {answer['rationale']}"
            lines.append(f"{document.name} looks like this kind of document: {answer['kind']}.{doubt}")
    return Done(text="\n".join(lines), value={"kinds": kinds})


async def table(hand: Hand, act: Act, clause: Clause) -> Done:
    """Its tables, or what they come to."""
    document = (await hand.subjects("document", clause))[0]
    grids = await tables_of(hand, document, clause)
    if not grids:
        return Done(text=f"I found no table in {document.name}.")
    lines = [f"{document.name} has {_many(len(grids), 'table')}."]
    for grid in grids:
        lines.append("")
        lines += _summary(grid) if act.arguments["summary"] else _markdown(grid)
    return Done(text="\n".join(lines), value={"tables": [[dict(zip(grid.heads, row, strict=True)) for row in grid.rows] for grid in grids]})


async def search(hand: Hand, act: Act, clause: Clause) -> Done:
    """Where words stand."""
    words = act.arguments["words"]
    lines: list[str] = []
    matches: list[Json] = []
    for document in await hand.subjects("document", clause):
        answer = await hand.call("search_document", document=document.ref, query=words)
        matches += [{"document": document.ref, **match} for match in answer["matches"]]
        if not answer["count"]:
            lines.append(f"I did not find “{words}” in {document.name} ({_pages(answer['pages_searched'])} read).")
            continue
        lines.append(f"I found “{words}” {_many(answer['count'], 'time')} in {document.name}:")
        lines += [f"- page {match['page'] + 1}: {match['context']}" for match in answer["matches"][:20]]
    return Done(text="\n".join(lines), value={"matches": matches})


async def read(hand: Hand, act: Act, clause: Clause) -> Done:
    """What is written there."""
    texts: list[str] = []
    for document in await hand.subjects("anything", clause):
        pages = await _counted(hand, document, act.arguments["pages"])
        answer = await hand.call("read_document", document=document.ref, pages=pages or None, characters=LONGEST_READ)
        text = "\n\n".join(page["text"].strip() for page in answer["pages"]).strip()
        if answer["next_page"] is not None:
            text += f"\n\n(There is more from page {answer['next_page'] + 1} on.)"
        texts.append(text or f"I can read no text in {document.name}.")
    return Done(text="\n\n".join(texts), value={"text": "\n\n".join(texts)})


async def extract(hand: Hand, act: Act, clause: Clause) -> Done:
    """The fields that a sentence names, as JSON."""
    values: list[tuple[Artifact, Json]] = []
    for document in await hand.subjects("document", clause):
        answer = await hand.call("parse_document", document=document.ref, prompt=act.arguments["request"])
        values.append((document, answer["response"]))
    value = values[0][1] if len(values) == 1 else {document.name: each for document, each in values}
    shown = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    absent = [
        name for _, each in values if isinstance(each, dict) for name, found in cast("dict[str, Json]", each).items() if found is None
    ]
    note = f"\n\nNot found: {', '.join(absent)}." if absent else ""
    if all(
        each is None or each in ([], {}) or (isinstance(each, dict) and not any(cast("dict[str, Json]", each).values()))
        for _, each in values
    ):
        return Done(text=f"I found none of that. {LABELS}", value={"data": value}, result="decline")
    return Done(text=f"```json\n{shown}\n```{note}", value={"data": value})


async def answer(hand: Hand, act: Act, clause: Clause) -> Done:
    """One value, with where it stands."""
    lines: list[str] = []
    values: list[Json] = []
    field = act.arguments["field"]
    for document in await hand.subjects("document", clause):
        found = await hand.call("answer_from_document", document=document.ref, field=field)
        values.append(
            {"document": document.ref, "field": field, **{key: found[key] for key in ("value", "page", "xywh", "match", "confidence")}}
        )
        if found["value"] is None or found["match"] == "none":
            lines.append(f"I did not find “{field}” in {document.name}. {LABELS}")
            continue
        where = f" (page {found['page'] + 1}: “{found['places'][0]['text']}”)" if found["places"] else ""
        lines.append(f"{field[0].upper()}{field[1:]}: {_plain(found['value'])}{where}.{SURE[found['confidence'] or 'lo']}")
    found = any(value["value"] is not None and value["match"] != "none" for value in values)
    return Done(text="\n".join(lines), value={"answers": values}, result=None if found else "decline")


async def _counted(hand: Hand, document: Artifact, pages: list[int]) -> list[int]:
    """Pages as the request counts them, with `the last` counted from the end."""
    if not any(page < 0 for page in pages):
        return pages
    count = (await hand.call("document_info", document=document.ref))["pages"]
    return [page if page >= 0 else max(0, count + page) for page in pages]


def _summary(grid: Grid) -> list[str]:
    lines = [f"Page {grid.page + 1}: {_many(len(grid.rows), 'row')} of {', '.join(head or '(no heading)' for head in grid.heads)}."]
    for column in numeric(grid):
        values = [value for row in grid.rows if (value := grid.number(row[column])) is not None]
        low, high = min(values), max(values)
        lines.append(f"- {grid.heads[column] or f'column {column + 1}'}: sum {sum(values):,.10g}, from {low:,.10g} to {high:,.10g}")
    return lines


def _markdown(grid: Grid) -> list[str]:
    return [
        f"| {' | '.join(_cell(head) for head in grid.heads)} |",
        f"|{' --- |' * len(grid.heads)}",
        *(f"| {' | '.join(_cell(cell) for cell in row)} |" for row in grid.rows),
    ]


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _plain(value: Json) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _listed(pages: list[int]) -> str:
    if len(pages) > 2 and pages == list(range(pages[0], pages[-1] + 1)):
        return f"{pages[0] + 1} to {pages[-1] + 1}"
    return ", ".join(str(page + 1) for page in pages)


def _pages(count: int) -> str:
    return _many(count, "page")


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
