"""The functions that run in a reading child: `inspect`, `open_page`, `render`, `mask`, `picture`, `assemble`, `web_page`.

Call them through a `ChildPool("heliograph.media.opening")`. PDF and images are imported with this module, the parsers of other formats
when the first file of theirs comes. The last file stays open between calls, so that the pages of a document do not each pay for
opening it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from heliograph.errors import CorruptMedia, EmptyMedia, HeliographError, InvalidRequest, MediaLimitExceeded
from heliograph.media.content import Inspection, Limits, PageContent, PagePicture
from heliograph.media.document import PageImage
from heliograph.media.images import ImageFileReader, as_jpeg
from heliograph.media.mask import Mask, Masked
from heliograph.media.masking import OWN, masked
from heliograph.media.pdf import PdfFile
from heliograph.media.pdfassembly import assemble
from heliograph.media.sniff import MediaType, sniff_file
from heliograph.media.website import WebPage

__all__ = ["assemble", "inspect", "mask", "open_page", "picture", "render", "web_page"]


class _OpenFile(Protocol):
    page_count: int

    def inspect(self, media_type: str) -> Inspection: ...
    def open_page(self, index: int, dpi: float | None, want_text: bool) -> PageContent: ...
    def render(self, index: int, dpi: float) -> PageImage: ...
    def close(self) -> None: ...


_open: tuple[tuple[object, ...], MediaType, _OpenFile] | None = None


def inspect(path: Path, limits: Limits | None = None) -> Inspection:
    """What the file is, how many pages it has and how large they are.

    Raises EmptyMedia, UnsupportedMedia, EncryptedMedia, CorruptMedia, MediaLimitExceeded, NotConfigured (a format that needs LibreOffice).
    """
    media_type, file = _opened(path, limits or Limits())
    return file.inspect(media_type.media_type)


def open_page(path: Path, index: int, dpi: float | None = None, want_text: bool = True, limits: Limits | None = None) -> PageContent:
    """One page: its text layer with a verdict when `want_text`, its pixels when `dpi` is given. Raises as `inspect` does."""
    _, file = _opened(path, limits or Limits())
    _check_index(file, index)
    return file.open_page(index, dpi, want_text)


def render(path: Path, index: int, dpi: float, limits: Limits | None = None) -> PageImage:
    """The upright pixels of one page. Raises as `inspect` does."""
    _, file = _opened(path, limits or Limits())
    _check_index(file, index)
    return file.render(index, dpi)


def mask(path: Path, index: int, how: Mask, limits: Limits | None = None) -> Masked:
    """One page drawn anew with parts of it painted over. Raises as `inspect` does."""
    media_type, file = _opened(path, limits or Limits())
    _check_index(file, index)
    if isinstance(file, PdfFile):
        return masked(file.drawn(index, how.dpi), how)
    dpi = OWN if media_type.require() == "image" else how.dpi
    return masked((file.render(index, dpi), None, []), how)


def picture(path: Path, index: int, dpi: float, longest_side: int, rotation: int, limits: Limits | None = None) -> PagePicture:
    """One page as JPEG, drawn at `dpi`, turned clockwise by `rotation`, no side longer than `longest_side` pixels. Raises as `inspect`."""
    return as_jpeg(render(path, index, dpi, limits), longest_side, rotation)


def web_page(path: Path, address: str, limits: Limits | None = None) -> WebPage:
    """An HTML file, which stands at `address`, as Markdown with its links. Raises MediaLimitExceeded."""
    from heliograph.media import webpage  # noqa: PLC0415 - as the other parsers, with the first file of its kind

    return webpage.web_page(path, address, limits or Limits())


def _check_index(file: _OpenFile, index: int) -> None:
    if not 0 <= index < file.page_count:
        raise InvalidRequest(f"There is no page {index}; the file has {file.page_count}, counted from 0.", param="page_indices")


def _opened(path: Path, limits: Limits) -> tuple[MediaType, _OpenFile]:
    global _open  # noqa: PLW0603
    status = path.stat()
    key = (str(path), status.st_mtime_ns, status.st_size, limits)
    if _open is not None and _open[0] == key:
        return _open[1], _open[2]
    if _open is not None:
        _open[2].close()
        _open = None
    if not status.st_size:
        raise EmptyMedia
    media_type = sniff_file(path)
    file = _reader(path, media_type, limits)
    _open = key, media_type, file
    return media_type, file


def _reader(path: Path, media_type: MediaType, limits: Limits) -> _OpenFile:
    reader = media_type.require()
    if reader == "pdf":
        return PdfFile(path, limits)
    if reader == "image":
        return ImageFileReader(path, media_type.media_type, limits)
    if reader == "libreoffice":
        from heliograph.media.libreoffice import convert_to_pdf  # noqa: PLC0415

        return PdfFile(convert_to_pdf(path, media_type), limits)
    try:
        from heliograph.media.flowing import open_flowing  # noqa: PLC0415

        return open_flowing(path, reader, limits)
    except (HeliographError, MemoryError):
        raise
    except RecursionError:
        raise MediaLimitExceeded(f"{media_type.name.capitalize()} nested too deeply to read.") from None
    except Exception as error:  # parsers meet damage in as many ways as there are bytes
        raise CorruptMedia(f"The file is {media_type.name}, but it is damaged ({type(error).__name__}).") from error
