"""The files of skills' examples, for predictions: fetched to this machine once, and read once for all who use the skill.

What is read of them is not journalled and costs no credits: they are no pages of the request.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from heliograph.errors import NotFound
from heliograph.extraction.plan import Example, SkillUse
from heliograph.media.document import Document
from heliograph.skills.shelf import Shelf
from heliograph.store import skills
from heliograph.store.database import Database

if TYPE_CHECKING:
    from heliograph.perception.reader import Reader

REMEMBERED = 64
"""Examples that a worker keeps read."""

Place = tuple[str, str]
"""The hash of a package, and the path of a file in it."""


class Bookcase:
    """What a worker has read of the skills on its shelf. One for all its jobs, on one event loop."""

    def __init__(self, database: Database, shelf: Shelf, reader: Reader) -> None:
        self._database, self._shelf, self._reader = database, shelf, reader
        self._documents: OrderedDict[Place, Document] = OrderedDict()
        self._turn = asyncio.Lock()

    def of(self, used: Sequence[SkillUse]) -> KeptExamples:
        """The examples of the skills that a prediction uses."""
        return KeptExamples(self, used)

    async def document(self, id: str, place: Place) -> Document:
        """The first pages of a file of the version with this id. Raises NotFound when it was deleted, and what reading raises."""
        known = self._documents.get(place)
        if known is None:
            async with self._turn:  # who asks for the same meanwhile finds it read; reading two at a time would be no faster
                known = self._documents.get(place) or await self._read(id, place)
                self._documents[place] = known
        self._documents.move_to_end(place)
        while len(self._documents) > REMEMBERED:
            self._documents.popitem(last=False)
        return known

    async def _read(self, id: str, place: Place) -> Document:
        hash, path = place
        async with self._database.begin() as conn:
            row = await skills.linked(conn, id)
        if row is None or row.hash != hash:
            raise NotFound("The skill that the example belongs to was deleted.")
        folder = await self._shelf.folder(row.hash, row.blob)
        file = (folder / path).resolve()
        if not file.is_relative_to(folder.resolve()) or not file.is_file():
            raise NotFound("The skill has no such file.")
        from heliograph.extraction.examples import first_pages  # noqa: PLC0415 - the extractors: seconds

        return await first_pages(self._reader, file)


class KeptExamples:
    """`extraction.examples.Examples` of the kept skills that one prediction uses."""

    def __init__(self, bookcase: Bookcase, used: Sequence[SkillUse]) -> None:
        self._bookcase = bookcase
        self._ids = {use.hash: use.id for use in used if use.id is not None}

    async def document(self, example: Example) -> Document:
        """The example's file, read. Raises NotFound for one of no skill in use, and as `Bookcase.document`."""
        id = self._ids.get(example.package or "")
        if id is None or example.package is None or example.path is None:
            raise NotFound("The example belongs to no skill that is kept.")
        return await self._bookcase.document(id, (example.package, example.path))
