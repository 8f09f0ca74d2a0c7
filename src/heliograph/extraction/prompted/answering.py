"""One window: shown, asked, heard, looked up on its pages, its rows counted, and kept before anything else happens to it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterable
from typing import Any, cast

import msgspec

import heliograph
from heliograph.errors import HeliographError, InvalidRequest
from heliograph.extraction.alignment import Alignment, Found
from heliograph.extraction.prompted import prompts
from heliograph.extraction.prompted.accounting import MOST_ASKED, Account, account, put_in
from heliograph.extraction.prompted.conversation import Said, converse
from heliograph.extraction.prompted.pagetext import page_text
from heliograph.extraction.prompted.request import Pictures, Request
from heliograph.extraction.prompted.states import settled
from heliograph.extraction.prompted.windows import Budget, Window
from heliograph.extraction.result import Leaf, Path, State
from heliograph.extraction.schema import Schema, compile_schema
from heliograph.media.document import Page
from heliograph.models.contract import Backend, Part, Picture, Spent
from heliograph.models.errors import ModelError, ModelLimit, ModelUnavailable
from heliograph.perception.steps import Steps

Json = Any
Leaves = dict[Path, Leaf]
log = logging.getLogger(__name__)


class Known(msgspec.Struct):
    """What is known of one value of an answer: where it is, how it was found, and the logarithm of the probability of its tokens."""

    path: list[str | int]
    found: Found
    logprob: float | None = None


class Answered(msgspec.Struct, kw_only=True):
    """A window's answer, as it is kept. `asked`: requests that it took. `resumed`: an earlier run asked for it."""

    pages: list[int]
    carried: list[int] = []
    value: Json = None
    known: list[Known] = []
    warnings: list[str] = []
    refused: bool = False
    spent: Spent = Spent()
    asked: int = 0
    resumed: bool = False


class Questioner:
    """Asks one backend about windows of one document; several of them at a time, if you like."""

    def __init__(self, schema: Schema, request: Request, backend: Backend, budget: Budget, pictures: Pictures, steps: Steps) -> None:
        self._schema, self._request, self._backend, self._budget = schema, request, backend, budget
        self._pictures, self._steps = pictures, steps
        self._constant = msgspec.json.encode(
            [heliograph.__version__, backend.name, budget.profile.model, schema.source, request, budget.side, budget.profile.vision]
        )

    async def answers(self, window: Window) -> list[Answered]:
        """The answer of a window; of its halves, when the model does not take it whole. Raises `ModelError`s."""
        step = f"window:{self._digest(window)}"
        if (kept := await self._steps.known(step)) is not None:
            try:
                return [msgspec.structs.replace(msgspec.msgpack.decode(kept, type=Answered), resumed=True)]
            except msgspec.DecodeError:
                log.warning("an answer in the journal could not be read; it is asked for again")
        try:
            answered = await self._answered(window)
        except ModelLimit:
            halves = window.halves()
            if not halves:
                raise
            return [answer for half in halves for answer in await self.answers(half)]
        await self._steps.keep(step, msgspec.msgpack.encode(answered))
        return [answered]

    def _digest(self, window: Window) -> str:
        """Changes with everything that the answer depends on; the pictures of a page follow from what it is and how large they are."""
        made = hashlib.sha256(self._constant)
        for page in window.pages:
            made.update(f"\0{page.index}\0{window.carried}\0{window.part}\0{page_text(page)}".encode("utf-8", "surrogatepass"))
        return made.hexdigest()[:32]

    async def _answered(self, window: Window) -> Answered:
        """Ask, look up, count, and ask once more for rows that are missing."""
        made = Answered(pages=window.indices, carried=window.indices[: window.carried])
        if not any(page.words or self._shows(page) for page in window.pages):
            return self._nothing(made, "unreadable" if any(unread(page) for page in window.pages) else "absent")
        parts, blind = await self._shown(window, made.warnings)
        asked = prompts.question(self._schema, self._request.instructions, window.pages, part=window.part, carried=window.carried)
        said = await self._converse(parts, asked, self._schema, made)
        if said.refused:
            made.warnings.append(f"refused: the model would not answer about {span(window.indices)}: {said.refused[:300]}")
            made.refused = True
            return self._nothing(made, "refused")
        if said.truncated:
            made.warnings.append(f"truncated: the answer about {span(window.indices)} was cut at the model's limit")
        alignment = await asyncio.to_thread(Alignment, window.pages)
        found = await asyncio.to_thread(alignment.find, said.value, self._schema)
        leaves = {path: one.leaf for path, one in found.items()}
        why: State = "unreadable" if blind else "absent"
        made.value = settled(said.value, self._schema.root, leaves, missing="not_reached" if said.truncated else why, null=why)
        for path, leaf in leaves.items():
            if leaf.value is None and (state := said.states.get(path, "absent")) in ("unreadable", "refused"):
                leaf.state = state
        sure = {id(leaf): said.tokens[path] for path, leaf in leaves.items() if path in said.tokens}
        ways = list(found.values())
        for one in account(made.value, leaves, self._schema.root, window.pages):
            if one.missing:
                ways += await self._once_more(one, parts, alignment, made, leaves)
        how = {id(way.leaf): way for way in ways}
        made.known = [Known(list(path), how.get(id(leaf), Found(leaf)), sure.get(id(leaf))) for path, leaf in leaves.items()]
        return made

    async def _converse(self, parts: list[Part], asked: str, schema: Schema, made: Answered) -> Said:
        said = await converse(self._backend, prompts.messages(parts, asked, examples=self._request.examples), schema, self._request)
        made.warnings += said.warnings
        made.asked += said.asked
        made.spent = added([made.spent, said.spent])
        return said

    async def _once_more(self, one: Account, parts: list[Part], alignment: Alignment, made: Answered, leaves: Leaves) -> list[Found]:
        """Ask for the rows that `one` lacks, and put what comes in its place. An answer that is no use leaves the first one as it was."""
        schema = _only(self._schema, one.path)
        if schema is None:
            return []
        rows = one.missing[:MOST_ASKED]
        try:
            said = await self._converse(parts, prompts.missing_rows(one.name, [row.text for row in rows]), schema, made)
        except ModelUnavailable:
            raise
        except ModelError as error:
            log.warning("rows that are missing could not be asked for: %s", error)
            return []
        if said.refused or said.value is None:
            return []
        found = await asyncio.to_thread(alignment.find, said.value, schema)
        put_in(made.value, leaves, one.path, said.value, {path: each.leaf for path, each in found.items()}, rows)
        return list(found.values())

    async def _shown(self, window: Window, warnings: list[str]) -> tuple[list[Part], bool]:
        """The pages as parts of a message, and whether some of them can be neither seen nor read."""
        taken: dict[int, Picture] = {}
        blind = False
        cut = self._budget.longest_text
        for page in window.pages:
            if self._shows(page):
                try:
                    taken[page.index] = await self._pictures.picture(page.index, self._budget.side)
                except HeliographError as error:
                    warnings.append(f"page_not_seen: page {page.index + 1} could not be drawn for the model: {error.message}")
            if page.index not in taken and unread(page):
                blind = True
                warnings.append(f"page_not_seen: parts of page {page.index + 1} could not be read, and the model was given no image of it")
            if len(page_text(page)) > cut:
                warnings.append(f"page_cut: page {page.index + 1} has more text than the model takes; its end was left out")
        return prompts.document_parts(window.pages, taken, longest=cut), blind

    def _shows(self, page: Page) -> bool:
        return prompts.shows_picture(page, self._request.detail, self._budget.profile)

    def _nothing(self, made: Answered, why: State) -> Answered:
        leaves: Leaves = {}
        made.value = settled(None, self._schema.root, leaves, missing=why, null=why)
        made.known = [Known(list(path), Found(leaf)) for path, leaf in leaves.items()]
        if why == "unreadable":
            made.warnings.append(f"page_not_seen: {span(made.pages)} could not be read, and the model takes no images")
        return made


def added(spent: Iterable[Spent]) -> Spent:
    """The sum."""
    every = list(spent)
    return Spent(sum(one.input for one in every), sum(one.cached for one in every), sum(one.output for one in every))


def unread(page: Page) -> bool:
    """Whether there is something on a page that reading did not make into words."""
    return bool(page.unread) or (not page.words and bool(page.warnings))


def span(indices: list[int]) -> str:
    """Pages as people count them."""
    first, last = indices[0] + 1, indices[-1] + 1
    return f"page {first}" if first == last else f"pages {first} to {last}"


def _only(schema: Schema, path: Path) -> Schema | None:
    """The schema with nothing but the list at `path`, whose rules stay; None where it is not simply below properties."""
    source = schema.source
    node: Json = source
    for step in path:
        node = cast("dict[str, Json]", node).get("properties", {}).get(step) if isinstance(node, dict) else None
    if not isinstance(node, dict) or not path:
        return None
    made = cast("dict[str, Json]", node)
    for step in reversed(path):
        made = {"type": "object", "properties": {step: made}, "required": [step]}
    rules = {name: source[name] for name in ("$schema", "$id", "$defs", "definitions") if name in source}
    try:
        return compile_schema({**rules, **made})
    except InvalidRequest:
        return None
