"""Page images of the files of a request, drawn and encoded in a child when a model is to see them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from heliograph.media.document import Page
from heliograph.models.contract import Picture
from heliograph.perception.reader import Reader


class ReadPictures:
    """The pictures of `paths`, which are one document, through the reader that reads them. `counts`: pages of each file."""

    def __init__(self, reader: Reader, paths: Sequence[Path], counts: Sequence[int]) -> None:
        self._reader, self._paths, self._counts = reader, paths, counts
        self._pages: dict[int, Page] = {}

    def add(self, page: Page) -> None:
        """A page that was read; only of such there are pictures."""
        bare = Page(page.index, page.width, page.height, rotation=page.rotation)
        self._pages[page.index] = bare

    async def picture(self, page: int, longest_side: int) -> Picture:
        """As `Pictures.picture`. Raises MediaErrors."""
        file, index = 0, page
        while file + 1 < len(self._paths) and index >= self._counts[file]:
            index -= self._counts[file]
            file += 1
        drawn = await self._reader.picture(self._paths[file], index, self._pages[page], longest_side)
        return Picture(drawn.data, drawn.width, drawn.height)
