"""Pages of PDFs, put together into a new one. Runs in the child.

Pages are copied as they are, with their fonts and pictures, and what is written into forms becomes part of them. What belongs to a whole
file, such as its outline, scripts, attachments and metadata, is left behind.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pypdfium2

from heliograph.errors import CorruptMedia, EncryptedMedia, InvalidRequest, MediaLimitExceeded

pdfium: Any = pypdfium2  # it comes without types
raw: Any = pypdfium2.raw


def assemble(sources: list[tuple[Path, list[int] | None]], target: Path, most: int) -> int:
    """Write the pages of `sources` (a PDF and the indices wanted of it, None for all) one after the other to `target`.

    Returns how many there are. Raises EncryptedMedia, CorruptMedia, InvalidRequest for a page that is not there, and MediaLimitExceeded for
    more than `most` pages.
    """
    made = pdfium.PdfDocument.new()
    try:
        for path, indices in sources:
            source = _opened(path)
            try:
                count = len(source)
                wanted = list(range(count)) if indices is None else indices
                missing = next((index for index in wanted if not 0 <= index < count), None)
                if missing is not None:
                    raise InvalidRequest(f"There is no page {missing}; the file has {count}, counted from 0.", param="pages")
                if len(made) + len(wanted) > most:
                    raise MediaLimitExceeded(f"The new file would have more than the {most} pages that this server reads of one file.")
                for index in set(wanted):
                    _flatten(source, index)
                made.import_pages(source, wanted)
            except pdfium.PdfiumError:
                raise CorruptMedia("A page of the PDF is damaged and cannot be copied.") from None
            finally:
                source.close()
        made.save(target)
        return len(made)
    finally:
        made.close()


def _flatten(source: Any, index: int) -> None:
    """Make what is written into a page's form part of the page: the form belongs to the file, and stays behind."""
    page = source[index]
    if raw.FPDFPage_GetAnnotCount(page):
        raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY)
    page.close()


def _opened(path: Path) -> Any:
    try:
        source = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        if error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise EncryptedMedia from None
        raise CorruptMedia("The PDF is damaged and cannot be opened.") from None
    with contextlib.suppress(pdfium.PdfiumError):  # a broken form does not make the pages unreadable
        source.init_forms()
    return source
