import io
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from heliograph.errors import CorruptMedia, EmptyMedia, EncryptedMedia, UnsupportedMedia
from heliograph.media.sniff import sniff, sniff_file, text_of


def zipped(*names: str, first: tuple[str, bytes] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        if first:
            archive.writestr(*first)
        for name in names:
            archive.writestr(name, b"<x/>")
    return buffer.getvalue()


def ole(*streams: str) -> bytes:
    header = bytearray(512)
    header[:8] = bytes.fromhex("d0cf11e0a1b11ae1")
    struct.pack_into("<H", header, 30, 9)
    struct.pack_into("<I", header, 48, 2)
    directory = b"".join(name.encode("utf-16-le").ljust(64, b"\0") + bytes(64) for name in ("Root Entry", *streams))
    return bytes(header) + bytes(1024) + directory.ljust(2048, b"\0")


READ = {
    "application/pdf": [b"%PDF-1.4\n", b"junk before it\n" * 20 + b"%PDF-1.7"],
    "image/jpeg": [b"\xff\xd8\xff\xe0\0\x10JFIF"],
    "image/png": [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"],
    "image/gif": [b"GIF89a\1\0\1\0"],
    "image/webp": [b"RIFF\x24\0\0\0WEBPVP8 "],
    "image/tiff": [b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"],
    "image/bmp": [b"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0"],
    "image/heic": [b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf"],
    "text/html": [b"<!DOCTYPE html><html>", b"\xef\xbb\xbf  <!-- hi -->\n<HTML>", b"<table><tr><td>1</td></tr></table>"],
    "message/rfc822": [b"From: a@b.c\r\nTo: d@e.f\r\nSubject: hi\r\n\r\nbody", b"Received: from x\n by y\nMessage-ID: <1@x>\n\nhi"],
    "text/csv": [b"a,b,c\n1,2,3\n4,5,6\n", b'name\tcity\n"x\ty"\tRome\nz\tOslo\n'],
    "text/plain": [
        "Grüße aus Köln".encode(),
        "Grüße".encode("utf-16"),
        "Grüße aus Köln".encode("cp1252"),
        b"one line",
        b"Dear all, hello,\nyes\n",
    ],
    "application/xml": [b'<?xml version="1.0"?><a/>'],
}
REFUSED = {
    "MP3": [b"ID3\3\0", b"\xff\xfb\x90\x44" + bytes(64)],
    "WAV": [b"RIFF\x24\0\0\0WAVEfmt "],
    "FLAC": [b"fLaC\0\0"],
    "Ogg": [b"OggS\0\2"],
    "MP4": [b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"],
    "MPEG-4 recording": [b"\0\0\0\x18ftypM4A \0\0\0\0"],
    "QuickTime": [b"\0\0\0\x14ftypqt  \0\0\0\0"],
    "Matroska": [b"\x1aE\xdf\xa3\x01\0"],
    "AVI": [b"RIFF\x24\0\0\0AVI LIST"],
    "ZIP": [zipped("a.txt")],
    "gzip": [b"\x1f\x8b\x08\0"],
    "7-Zip": [b"7z\xbc\xaf\x27\x1c\0\4"],
    "RAR": [b"Rar!\x1a\x07\1\0"],
    "tar": [bytes(257) + b"ustar\x0000"],
    "EPUB": [zipped(first=("mimetype", b"application/epub+zip"))],
    "AVIF": [b"\0\0\0\x1cftypavif\0\0\0\0avifmif1"],
    "does not know": [bytes(range(256)) * 4, b"\0\1\2\3" * 20],
}


@pytest.mark.parametrize(("media_type", "head"), [(kind, head) for kind, heads in READ.items() for head in heads])
def test_a_type_that_is_read_is_known_by_its_first_bytes(media_type: str, head: bytes) -> None:
    found = sniff(head)
    assert found.media_type == media_type
    assert found.require()


@pytest.mark.parametrize(("name", "head"), [(name, head) for name, heads in REFUSED.items() for head in heads])
def test_a_type_that_is_not_read_is_named(name: str, head: bytes) -> None:
    with pytest.raises(UnsupportedMedia, match=name):
        sniff(head).require()


def test_no_bytes_are_an_empty_file() -> None:
    with pytest.raises(EmptyMedia):
        sniff(b"")


@pytest.mark.parametrize(("part", "reader"), [("word/document.xml", "docx"), ("ppt/presentation.xml", "pptx"), ("xl/workbook.xml", "xlsx")])
def test_office_documents_are_told_apart_by_the_zip_directory(part: str, reader: str, tmp_path: Path) -> None:
    path = tmp_path / "x.pdf"
    path.write_bytes(zipped("[Content_Types].xml", *(f"filler{n}.bin" for n in range(50)), part))
    assert sniff_file(path).reader == reader
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(CorruptMedia):
        sniff_file(path)


def test_open_document_is_for_libreoffice() -> None:
    found = sniff(zipped(first=("mimetype", b"application/vnd.oasis.opendocument.text")))
    assert (found.name, found.reader) == ("an OpenDocument text", "libreoffice")


@pytest.mark.parametrize(("stream", "name"), [("WordDocument", "Word"), ("Workbook", "Excel"), ("PowerPoint Document", "PowerPoint")])
def test_old_office_files_are_told_apart_by_their_streams(stream: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(ole(stream))
    assert name in sniff_file(path).name
    assert sniff_file(path).reader == "libreoffice"


def test_an_encrypted_office_package_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.docx"
    path.write_bytes(ole("EncryptionInfo", "EncryptedPackage"))
    with pytest.raises(EncryptedMedia):
        sniff_file(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_text_is_decoded_whatever_its_encoding(encoding: str) -> None:
    text = "Größe: 12,50 £ für München\n" * 20
    assert text_of(text.encode(encoding))[0] == text


def test_the_api_may_sniff_without_loading_parsers() -> None:
    code = (
        "import sys\nfrom heliograph.media import content, document, fetch, geometry, sniff\n"
        "heavy = {'numpy', 'PIL', 'cv2', 'pypdfium2', 'lxml', 'openvino'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
