"""Writes a PDF of pictures with their words beneath: page by page, from nothing but what it is given.

No byte of another PDF goes into one: no metadata, attachment, annotation, form, script, layer or earlier revision can. The words are there
for search and copying; they are drawn invisibly over the picture (text render mode 3), in an embedded font with one glyph whose
codes are UTF-16, as makers of searchable scans do it. The glyph is a box, so that readers know where the words stand.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from heliograph.media.document import Word
from heliograph.media.mask import Encoding

_CATALOG, _PAGES, _FONT, _CID_FONT, _DESCRIPTOR, _FONT_FILE, _UNICODE, _GLYPHS, _INFO = range(1, 10)
_ADVANCE = 500
"""Width of every character in thousandths of the font size; each word is stretched to its box."""
_ASCENT, _DESCENT = 800, -200

_TO_UNICODE = b"""/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
1 beginbfrange
<0000> <FFFF> <0000>
endbfrange
endcmap
CMapName currentdict /CMap defineresource pop
end
end
"""


class PdfWriter:
    """Writes to `path`, which is whole only after `close`. Memory does not grow with the pages."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("wb")
        self._offsets: dict[int, int] = {}
        self._next = _INFO + 1
        self._kids: list[int] = []
        self._file.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        self._font()

    def page(
        self, picture: bytes, encoding: Encoding, pixels: tuple[int, int], size: tuple[float, float], words: Iterable[Word] = ()
    ) -> None:
        """Add a page of `size` points, filled by `picture` of `pixels`, over invisible `words` (boxes in fractions of the page)."""
        image, content, page = self._next, self._next + 1, self._next + 2
        self._next += 3
        self._stream(image, picture, _picture(encoding, pixels))
        width, height = size
        drawn = f"q {width:.2f} 0 0 {height:.2f} 0 0 cm /I Do Q\n".encode() + _text(words, width, height)
        self._stream(content, zlib.compress(drawn), "/Filter /FlateDecode")
        self._object(
            page,
            f"<< /Type /Page /Parent {_PAGES} 0 R /MediaBox [0 0 {width:.2f} {height:.2f}] /Contents {content} 0 R "
            f"/Resources << /XObject << /I {image} 0 R >> /Font << /F {_FONT} 0 R >> >> >>",
        )
        self._kids.append(page)

    def close(self) -> None:
        """Write what holds the pages together, and close the file."""
        kids = " ".join(f"{kid} 0 R" for kid in self._kids)
        self._object(_PAGES, f"<< /Type /Pages /Count {len(self._kids)} /Kids [{kids}] >>")
        self._object(_CATALOG, f"<< /Type /Catalog /Pages {_PAGES} 0 R >>")
        self._object(_INFO, "<< /Producer (Heliograph) >>")
        start = self._file.tell()
        rows = "".join(f"{self._offsets[number]:010} 00000 n \n" for number in range(1, self._next))
        self._file.write(f"xref\n0 {self._next}\n0000000000 65535 f \n{rows}".encode())
        self._file.write(f"trailer\n<< /Size {self._next} /Root {_CATALOG} 0 R /Info {_INFO} 0 R >>\nstartxref\n{start}\n%%EOF\n".encode())
        self._file.close()

    def discard(self) -> None:
        """Close the file as it is."""
        self._file.close()

    def _font(self) -> None:
        self._object(
            _FONT,
            f"<< /Type /Font /Subtype /Type0 /BaseFont /Unseen /Encoding /Identity-H /DescendantFonts [{_CID_FONT} 0 R] "
            f"/ToUnicode {_UNICODE} 0 R >>",
        )
        self._object(
            _CID_FONT,
            "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Unseen "
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "
            f"/FontDescriptor {_DESCRIPTOR} 0 R /DW {_ADVANCE} /CIDToGIDMap {_GLYPHS} 0 R >>",
        )
        self._object(
            _DESCRIPTOR,
            f"<< /Type /FontDescriptor /FontName /Unseen /Flags 5 /FontBBox [0 {_DESCENT} {_ADVANCE} {_ASCENT}] /ItalicAngle 0 "
            f"/Ascent {_ASCENT} /Descent {_DESCENT} /CapHeight {_ASCENT} /StemV 80 /FontFile2 {_FONT_FILE} 0 R >>",
        )
        font = unseen_font()
        self._stream(_FONT_FILE, zlib.compress(font), f"/Filter /FlateDecode /Length1 {len(font)}")
        self._stream(_UNICODE, zlib.compress(_TO_UNICODE), "/Filter /FlateDecode")
        self._stream(_GLYPHS, zlib.compress(b"\x00\x01" * 0x10000), "/Filter /FlateDecode")

    def _object(self, number: int, body: str) -> None:
        self._offsets[number] = self._file.tell()
        self._file.write(f"{number} 0 obj\n{body}\nendobj\n".encode())

    def _stream(self, number: int, data: bytes, entries: str) -> None:
        self._offsets[number] = self._file.tell()
        self._file.write(f"{number} 0 obj\n<< /Length {len(data)} {entries} >>\nstream\n".encode())
        self._file.write(data)
        self._file.write(b"\nendstream\nendobj\n")


def _picture(encoding: Encoding, pixels: tuple[int, int]) -> str:
    width, height = pixels
    colors = 1 if encoding in ("jpeg-grey", "flate-grey") else 3
    entries = f"/Type /XObject /Subtype /Image /Width {width} /Height {height} /BitsPerComponent 8"
    entries += f" /ColorSpace {'/DeviceGray' if colors == 1 else '/DeviceRGB'}"
    if encoding.startswith("jpeg"):
        return entries + " /Filter /DCTDecode"
    return entries + f" /Filter /FlateDecode /DecodeParms << /Predictor 15 /Colors {colors} /BitsPerComponent 8 /Columns {width} >>"


def _text(words: Iterable[Word], width: float, height: float) -> bytes:
    shown: list[str] = []
    for word in words:
        text = "".join(c for c in word.text if " " < c <= "\ufffd" and not 0xD800 <= ord(c) < 0xE000)
        if not text or word.box.w <= 0 or word.box.h <= 0:
            continue
        size = max(word.box.h * height / (_ASCENT - _DESCENT) * 1000, 0.5)
        stretch = word.box.w * width / (len(text) * _ADVANCE / 1000 * size) * 100
        y = height * (1 - word.box.y1) - _DESCENT / 1000 * size
        code = f"{text} ".encode("utf-16-be").hex()
        shown.append(f"/F {size:.2f} Tf {stretch:.2f} Tz 1 0 0 1 {word.box.x * width:.2f} {y:.2f} Tm <{code}> Tj")
    return ("BT 3 Tr\n" + "\n".join(shown) + "\nET\n").encode() if shown else b""


def unseen_font() -> bytes:
    """A TrueType font of two glyphs, the second one a box, with the tables that ISO 32000-2, 9.9 asks of an embedded one."""
    box = struct.pack(">hhhhhHH4B", 1, 0, _DESCENT, _ADVANCE, _ASCENT, 3, 0, 1, 1, 1, 1)
    box += struct.pack(">8h", 0, 0, _ADVANCE, 0, _DESCENT, _ASCENT - _DESCENT, 0, _DESCENT - _ASCENT) + b"\0\0"
    unicode = struct.pack(">12H", 4, 24, 0, 2, 2, 0, 0, 0xFFFF, 0, 0xFFFF, 1, 0)
    tables = {
        b"cmap": struct.pack(">HHHHL", 0, 1, 3, 1, 12) + unicode,
        b"glyf": box,
        b"head": struct.pack(
            ">HHLLLHHQQhhhhHHhhh", 1, 0, 0x10000, 0, 0x5F0F3CF5, 0, 1000, 0, 0, 0, _DESCENT, _ADVANCE, _ASCENT, 0, 8, 2, 0, 0
        ),
        b"hhea": struct.pack(">HHhhhHhhhhhhhhhhhH", 1, 0, _ASCENT, _DESCENT, 0, _ADVANCE, 0, 0, _ADVANCE, 1, 0, 0, 0, 0, 0, 0, 0, 1),
        b"hmtx": struct.pack(">Hhh", _ADVANCE, 0, 0),
        b"loca": struct.pack(">HHH", 0, 0, len(box) // 2),
        b"maxp": struct.pack(">L14H", 0x10000, 2, 4, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
        b"post": struct.pack(">LLhhLLLLL", 0x30000, 0, 0, 0, 1, 0, 0, 0, 0),
    }
    head = struct.pack(">LHHHH", 0x10000, len(tables), 128, 3, len(tables) * 16 - 128)
    at = len(head) + 16 * len(tables)
    directory, body = b"", b""
    for tag, data in tables.items():
        padded = data + b"\0" * (-len(data) % 4)
        total = sum(struct.unpack(f">{len(padded) // 4}L", padded)) & 0xFFFFFFFF
        directory += tag + struct.pack(">LLL", total, at + len(body), len(data))
        body += padded
    return head + directory + body
