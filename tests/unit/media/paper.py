"""Small PDFs and pictures written by hand, so that a test says exactly what is in them."""

from __future__ import annotations

import hashlib
import io
import zlib

import numpy as np
from PIL import Image

from heliograph.media.document import PageImage
from heliograph.media.geometry import Box

PAD = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


class Pdf:
    """Objects of a PDF; `page` adds one, `bytes` writes the file. Object 1 is the catalog, 2 the page tree, 3 Helvetica."""

    def __init__(self) -> None:
        self.objects: list[bytes] = [b"", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
        self.pages: list[int] = []
        self.catalog = b""

    def add(self, body: bytes) -> int:
        self.objects.append(body)
        return len(self.objects)

    def stream(self, data: bytes, entries: bytes = b"") -> int:
        return self.add(b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data))

    def page(
        self,
        content: bytes,
        *,
        media: str = "0 0 612 792",
        crop: str = "",
        rotate: int = 0,
        annotations: list[int] | None = None,
        resources: bytes = b"",
    ) -> int:
        stream = self.stream(content)
        body = f"<< /Type /Page /Parent 2 0 R /MediaBox [{media}] /Contents {stream} 0 R"
        body += f" /CropBox [{crop}]" if crop else ""
        body += f" /Rotate {rotate}" if rotate else ""
        body += " /Annots [" + " ".join(f"{number} 0 R" for number in annotations) + "]" if annotations else ""
        whole = body.encode() + b" /Resources << /Font << /F1 3 0 R >> " + resources + b" >> >>"
        self.pages.append(self.add(whole))
        return self.pages[-1]

    def image(self, width: int = 40, height: int = 40, grey: int = 128) -> int:
        data = zlib.compress(bytes([grey]) * (width * height))
        entries = b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /FlateDecode"
        return self.stream(data, entries % (width, height))

    def bytes(self, *, password: bytes | None = None) -> bytes:
        """The file; with a `password` (may be empty) encrypted as revision 2, 40-bit RC4 (ISO 32000-1, 7.6.3)."""
        self.objects[0] = b"<< /Type /Catalog /Pages 2 0 R " + self.catalog + b" >>"
        kids = " ".join(f"{number} 0 R" for number in self.pages)
        self.objects[1] = f"<< /Type /Pages /Kids [{kids}] /Count {len(self.pages)} >>".encode()
        objects, trailer = list(self.objects), b""
        if password is not None:
            objects, trailer = self._encrypted(objects, password)
        out = io.BytesIO()
        out.write(b"%PDF-1.7\n")
        offsets: list[int] = []
        for number, body in enumerate(objects, 1):
            offsets.append(out.tell())
            out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
        start = out.tell()
        out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
        for offset in offsets:
            out.write(b"%010d 00000 n \n" % offset)
        out.write(b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start))
        return out.getvalue()

    @staticmethod
    def _encrypted(objects: list[bytes], password: bytes) -> tuple[list[bytes], bytes]:
        padded = (password + PAD)[:32]
        owner = rc4(hashlib.md5(padded).digest()[:5], padded)
        identity = b"0123456789abcdef"
        permissions = (-4).to_bytes(4, "little", signed=True)
        key = hashlib.md5(padded + owner + permissions + identity).digest()[:5]
        user = rc4(key, PAD)
        made: list[bytes] = []
        for number, body in enumerate(objects, 1):
            head, found, rest = body.partition(b"\nstream\n")
            if found:
                data, _, tail = rest.rpartition(b"\nendstream")
                own = hashlib.md5(key + number.to_bytes(3, "little") + b"\0\0").digest()[:10]
                body = head + found + rc4(own, data) + b"\nendstream" + tail  # noqa: PLW2901
            made.append(body)
        made.append(b"<< /Filter /Standard /V 1 /R 2 /O <%s> /U <%s> /P -4 >>" % (owner.hex().encode(), user.hex().encode()))
        return made, b"/Encrypt %d 0 R /ID [<%s> <%s>]" % (len(made), identity.hex().encode(), identity.hex().encode())


def rc4(key: bytes, data: bytes) -> bytes:
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def say(text: str, x: float, y: float, size: float = 12, *, matrix: str = "1 0 0 1", mode: int = 0) -> bytes:
    """Content that shows `text` at x, y of user space."""
    escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    return f"BT {mode} Tr /F1 {size} Tf {matrix} {x} {y} Tm ({escaped}) Tj ET\n".encode("latin-1")


def pixels(image: PageImage) -> np.ndarray:
    """Height x width x 3."""
    return np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, 3)


def ink_of(image: PageImage, box: Box, margin: int = 4) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of what is dark in and right around a box, in pixels."""
    x0, y0, x1, y1 = box.to_xyxy(image.width, image.height)
    left, top = max(int(x0) - margin, 0), max(int(y0) - margin, 0)
    part = pixels(image)[top : int(y1) + margin + 1, left : int(x1) + margin + 1].min(axis=2) < 128
    rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    if not len(rows):
        return None
    return left + int(columns[0]), top + int(rows[0]), left + int(columns[-1]) + 1, top + int(rows[-1]) + 1


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()
