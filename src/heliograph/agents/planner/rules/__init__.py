"""The rules that say what a clause asks for."""

from __future__ import annotations

from heliograph.agents.planner.clauses import Clause
from heliograph.agents.planner.moves import Move, Rule
from heliograph.agents.planner.rules import beyond, documents, figures, pictures, questions, recordings, talk

FIRST: tuple[Rule, ...] = (talk.about_us, talk.artifacts, talk.web_search)
"""Tried before all others, whatever a request is about."""
RULES: tuple[Rule, ...] = (
    figures.calculation,
    beyond.beyond,
    figures.chart,
    talk.fetch,
    beyond.picture_words,
    pictures.grayscale,
    pictures.flip,
    pictures.rotate,
    pictures.grid,
    pictures.upscale,
    pictures.resize,
    pictures.crop,
    pictures.convert_image,
    pictures.blur,
    documents.redact,
    pictures.enhance,
    pictures.faces,
    pictures.codes,
    documents.merge,
    documents.drop,
    documents.split,
    documents.on_page,
    documents.pages,
    pictures.draw,
    documents.classify,
    documents.column,
    documents.table,
    documents.line_items,
    documents.summarise,
    documents.markdown,
    documents.layout,
    documents.search,
    documents.read,
    questions.extract,
    questions.ask,
)
"""Tried in this order: the particular before the general."""


def understand(clause: Clause, *, recorded: bool = False) -> Move | None:
    """What a clause asks for; None when it says nothing that we know. `recorded`: a recording came with it."""
    if clause.forbids:
        return None
    meant = recorded or recordings.speaks_of_one(clause)
    for rule in (*FIRST, *(recordings.RULES if meant else ()), *RULES):
        move = rule(clause)
        if move is not None:
            return move
    return None
