"""What a file is, by its content and never by its name.

`sniff(head)` needs the first 64 KiB and is light enough for the API; `sniff_file(path)` also looks into the directory of ZIP and OLE
containers and runs in the child. Signatures: the formats' own specifications; HTML and text follow the WHATWG MIME Sniffing standard
where it says something.
"""

from __future__ import annotations

import csv
import re
import struct
import zipfile
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec

from heliograph.errors import CorruptMedia, EmptyMedia, EncryptedMedia, UnsupportedMedia

HEAD = 1 << 16
"""Bytes that `sniff` wants to see."""

Reader = Literal["pdf", "image", "docx", "pptx", "xlsx", "html", "text", "csv", "mail", "libreoffice"]


class MediaType(msgspec.Struct, frozen=True):
    """A file's type. `name` reads in a sentence ("a PDF document"); `reader`: who opens it as pages, None when nobody does; `demuxer`:
    what FFmpeg calls the one that opens it as a recording, None for files that are none."""

    media_type: str
    name: str
    kind: Literal["image", "document", "audio", "video", "other"]
    reader: Reader | None = None
    demuxer: str | None = None

    def require(self) -> Reader:
        """Who opens its pages. Raises UnsupportedMedia naming what it is, and for a recording where to send it."""
        if self.demuxer is not None:
            raise UnsupportedMedia(f"This file is {self.name}, which has no pages; send it to {RECORDINGS[self.kind]}.")
        if self.reader is None:
            raise self._unknown()
        return self.reader

    def require_recording(self) -> str:
        """FFmpeg's demuxer of it. Raises UnsupportedMedia naming what it is, and for pages where to send them."""
        if self.reader is not None:
            place = "`/image/generate`" if self.kind == "image" else "`/document/generate`"
            raise UnsupportedMedia(f"This file is {self.name}, which has neither sound nor moving pictures; send it to {place}.")
        if self.demuxer is None:
            raise self._unknown()
        return self.demuxer

    def _unknown(self) -> UnsupportedMedia:
        if self.media_type == UNKNOWN.media_type:
            return UnsupportedMedia("This file is of a type that Heliograph does not know.")
        return UnsupportedMedia(f"This file is {self.name}, which Heliograph does not read.")


RECORDINGS = {"audio": "`/audio/generate`", "video": "`/video/generate`, or to `/audio/generate` for its sound alone"}
"""Where each kind of recording is sent. What a container holds shows when it is opened, so a type here is only the likelier kind."""


PDF = MediaType("application/pdf", "a PDF document", "document", "pdf")
DOCX = MediaType("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "a Word document", "document", "docx")
PPTX = MediaType(
    "application/vnd.openxmlformats-officedocument.presentationml.presentation", "a PowerPoint presentation", "document", "pptx"
)
XLSX = MediaType("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "an Excel workbook", "document", "xlsx")
DOC = MediaType("application/msword", "a Word 97-2003 document", "document", "libreoffice")
PPT = MediaType("application/vnd.ms-powerpoint", "a PowerPoint 97-2003 presentation", "document", "libreoffice")
XLS = MediaType("application/vnd.ms-excel", "an Excel 97-2003 workbook", "document", "libreoffice")
HTML = MediaType("text/html", "an HTML page", "document", "html")
XML = MediaType("application/xml", "an XML document", "document", "text")
TEXT = MediaType("text/plain", "plain text", "document", "text")
CSV = MediaType("text/csv", "a table of comma-separated values", "document", "csv")
EML = MediaType("message/rfc822", "an e-mail message", "document", "mail")
RTF = MediaType("application/rtf", "a Rich Text document", "document", "libreoffice")
UNKNOWN = MediaType("application/octet-stream", "a file of unknown type", "other")
ZIP = MediaType("application/zip", "a ZIP archive", "other")
OLE = MediaType("application/x-ole-storage", "an OLE container", "other")


def _image(subtype: str, name: str, *, read: bool = True) -> MediaType:
    return MediaType(f"image/{subtype}", name, "image", "image" if read else None)


def _audio(subtype: str, name: str, demuxer: str | None) -> MediaType:
    return MediaType(f"audio/{subtype}", name, "audio", demuxer=demuxer)


def _video(subtype: str, name: str, demuxer: str) -> MediaType:
    return MediaType(f"video/{subtype}", name, "video", demuxer=demuxer)


def _other(media_type: str, name: str) -> MediaType:
    return MediaType(media_type, name, "other")


MPEG_AUDIO = _audio("mpeg", "an MP3 recording", "mp3")
AAC = _audio("aac", "an AAC recording", "aac")
FLAC = _audio("flac", "a FLAC recording", "flac")
WAV = _audio("wav", "a WAV recording", "wav")
TRANSPORT = _video("mp2t", "an MPEG transport stream", "mpegts")
QUICKTIME = _video("quicktime", "a QuickTime video", "mov")
MP4 = _video("mp4", "an MP4 video", "mov")
SIGNATURES: tuple[tuple[int, bytes, MediaType], ...] = (
    (0, b"\xff\xd8\xff", _image("jpeg", "a JPEG image")),
    (0, b"\x89PNG\r\n\x1a\n", _image("png", "a PNG image")),
    (0, b"GIF87a", _image("gif", "a GIF image")),
    (0, b"GIF89a", _image("gif", "a GIF image")),
    (0, b"II*\0", _image("tiff", "a TIFF image")),
    (0, b"MM\0*", _image("tiff", "a TIFF image")),
    (0, b"II+\0", _image("tiff", "a TIFF image")),
    (0, b"MM\0+", _image("tiff", "a TIFF image")),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", _image("jp2", "a JPEG 2000 image", read=False)),
    (0, b"\xff\x4f\xff\x51", _image("jp2", "a JPEG 2000 image", read=False)),
    (0, b"qoif", _image("qoi", "a QOI image", read=False)),
    (0, b"8BPS", _image("vnd.adobe.photoshop", "a Photoshop image", read=False)),
    (0, b"\0\0\1\0", _image("x-icon", "an icon", read=False)),
    (0, b"DDS ", _image("vnd.ms-dds", "a DDS texture", read=False)),
    (0, b"BLP1", _image("x-blp", "a BLP texture", read=False)),
    (0, b"BLP2", _image("x-blp", "a BLP texture", read=False)),
    (0, b"\x01\xda", _image("sgi", "an SGI image", read=False)),
    (0, b"{\\rtf", RTF),
    (0, b"%!PS", _other("application/postscript", "a PostScript document")),
    (0, b"fLaC", FLAC),
    (0, b"OggS", _audio("ogg", "an Ogg recording", "ogg")),
    (0, b"#!AMR", _audio("amr", "an AMR recording", "amr")),
    (0, b".snd", _audio("basic", "an AU recording", "au")),
    (0, b"caff", _audio("x-caf", "a Core Audio recording", "caf")),
    (0, b"RF64", WAV),
    (0, b"BW64", WAV),
    (0, b"riff\x2e\x91\xcf\x11", _audio("x-w64", "a Wave64 recording", "w64")),
    (0, b"MAC ", _audio("x-ape", "a Monkey's Audio recording", "ape")),
    (0, b"wvpk", _audio("x-wavpack", "a WavPack recording", "wv")),
    (0, b"TTA1", _audio("x-tta", "a True Audio recording", "tta")),
    (0, b"\x0bw", _audio("ac3", "an AC-3 recording", "ac3")),
    (0, b".RMF", _video("x-pn-realvideo", "a RealMedia file", "rm")),
    (0, b"DKIF", _video("x-ivf", "an IVF video", "ivf")),
    (0, b"\x06\x0e\x2b\x34\x02\x05\x01\x01", _video("mxf", "an MXF video", "mxf")),
    (0, b"MThd", _audio("midi", "a MIDI file", None)),
    (0, b"FLV\x01", _video("x-flv", "a Flash video", "flv")),
    (0, b"0&\xb2u\x8ef\xcf\x11", _video("x-ms-asf", "a Windows Media file", "asf")),
    (0, b"\0\0\1\xba", _video("mpeg", "an MPEG video", "mpeg")),
    (0, b"\0\0\1\xb3", _video("mpeg", "an MPEG video", "mpegvideo")),
    (0, b"\x1f\x8b", _other("application/gzip", "a gzip archive")),
    (0, b"BZh", _other("application/x-bzip2", "a bzip2 archive")),
    (0, b"\xfd7zXZ\0", _other("application/x-xz", "an xz archive")),
    (0, b"7z\xbc\xaf\x27\x1c", _other("application/x-7z-compressed", "a 7-Zip archive")),
    (0, b"Rar!\x1a\x07", _other("application/vnd.rar", "a RAR archive")),
    (0, b"\x28\xb5\x2f\xfd", _other("application/zstd", "a Zstandard archive")),
    (257, b"ustar", _other("application/x-tar", "a tar archive")),
    (0, b"\x7fELF", _other("application/x-executable", "a program")),
    (0, b"SQLite format 3\0", _other("application/vnd.sqlite3", "an SQLite database")),
    (0, b"wOFF", _other("font/woff", "a font")),
    (0, b"wOF2", _other("font/woff2", "a font")),
    (0, b"\0\1\0\0\0", _other("font/ttf", "a font")),
    (0, b"OTTO", _other("font/otf", "a font")),
)  # fmt: skip

RIFF = {
    b"WEBP": _image("webp", "a WebP image"),
    b"WAVE": WAV,
    b"AVI ": _video("x-msvideo", "an AVI video", "avi"),
}
IFF = {b"AIFF": _audio("aiff", "an AIFF recording", "aiff"), b"AIFC": _audio("aiff", "an AIFF recording", "aiff")}
HEIF_BRANDS = frozenset((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"))
OPEN_DOCUMENT = {
    b"application/vnd.oasis.opendocument.text": "an OpenDocument text",
    b"application/vnd.oasis.opendocument.spreadsheet": "an OpenDocument spreadsheet",
    b"application/vnd.oasis.opendocument.presentation": "an OpenDocument presentation",
}
OLE_STREAMS = {
    "WordDocument": DOC,
    "PowerPoint Document": PPT,
    "Workbook": XLS,
    "Book": XLS,
    "__properties_version1.0": _other("application/vnd.ms-outlook", "an Outlook message (.msg)"),
}


def sniff(head: bytes, *, size: int | None = None) -> MediaType:
    """The type of a file that begins with `head` (give it 64 KiB; `size` is the whole file's). Raises EmptyMedia for no bytes."""
    if not head or size == 0:
        raise EmptyMedia
    if re.search(rb"%PDF[-\d]", head[:1024]):
        return PDF
    for offset, magic, media_type in SIGNATURES:
        if head.startswith(magic, offset):
            return media_type
    kind = head[8:12]
    if head.startswith(b"RIFF") and kind in RIFF:
        return RIFF[kind]
    if head.startswith(b"FORM") and kind in IFF:
        return IFF[kind]
    if head[4:8] == b"ftyp":
        return _iso_media(kind, head)
    if head.startswith(b"\x1aE\xdf\xa3"):
        webm = re.search(rb"\x42\x82.webm", head[:256], re.DOTALL)
        return _video("webm", "a WebM video", "matroska") if webm else _video("x-matroska", "a Matroska video", "matroska")
    if head.startswith(b"ID3"):
        return _tagged(head)
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return _zip(head)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return next((kind for name, kind in OLE_STREAMS.items() if name.encode("utf-16-le") + b"\0\0" in head), OLE)
    if head.startswith(b"BM") and len(head) > 18 and struct.unpack_from("<I", head, 14)[0] in (12, 16, 40, 52, 56, 64, 108, 124):
        return _image("bmp", "a BMP image")
    return _stream(head) or _text(head)


def sniff_file(path: Path) -> MediaType:
    """The type of the file, with a look into the directory of ZIP and OLE containers. Raises EmptyMedia, EncryptedMedia, CorruptMedia."""
    with path.open("rb") as file:
        head = file.read(HEAD)
        found = sniff(head)
        if head.startswith(b"ID3") and _tag_length(head) >= len(head) - 8:  # a tag with a large cover picture
            file.seek(_tag_length(head))
            found = _stream(file.read(HEAD)) or found
        if found is OLE or found.reader == "libreoffice":
            found = _ole_directory(file) if found in (OLE, DOC, PPT, XLS) else found
    if found.media_type in (ZIP.media_type, DOCX.media_type, PPTX.media_type, XLSX.media_type):
        return _zip_directory(path) or found
    return found


def text_of(data: bytes) -> tuple[str, str]:
    """Decode text of unknown encoding: `(text, encoding)`. By byte order mark, then UTF-8, then UTF-16 by its zeros, then windows-1252."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\0\0", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace"), encoding
    sample = data[:4096]
    zeros = sample.count(0)
    if zeros > len(sample) // 4:
        encoding = "utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"
        return data.decode(encoding, "replace"), encoding
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        if error.start > len(data) - 4 and error.reason == "unexpected end of data":
            return data.decode("utf-8", "ignore"), "utf-8"
        return data.decode("cp1252", "replace"), "windows-1252"


def _iso_media(brand: bytes, head: bytes) -> MediaType:
    length = min(struct.unpack_from(">I", head)[0], 256)
    brands = {brand} | {head[i : i + 4] for i in range(16, length, 4)}
    if brand in (b"avif", b"avis") or (brand in (b"mif1", b"msf1") and b"avif" in brands):
        return _image("avif", "an AVIF image", read=False)
    if brand in HEIF_BRANDS:
        return _image("heic", "a HEIC image")
    if brand in (b"M4A ", b"M4B ", b"M4P ", b"F4A "):
        return _audio("mp4", "an MPEG-4 recording", "mov")
    if brand.startswith((b"3gp", b"3g2")):
        return _video("3gpp", "a 3GP video", "mov")
    return QUICKTIME if brand == b"qt  " else MP4


def _tag_length(head: bytes) -> int:
    """The length of the ID3 tag at the beginning, by ID3v2.4.0, 3.1: four bytes of seven bits each, and a header of ten."""
    length = 10
    for place, byte in enumerate(head[6:10]):
        length += (byte & 0x7F) << (21 - 7 * place)
    return length


def _tagged(head: bytes) -> MediaType:
    """What follows an ID3 tag: nearly always MP3."""
    return _stream(head[_tag_length(head) :]) or MPEG_AUDIO


def _stream(head: bytes) -> MediaType | None:
    """Sound or pictures that begin with their first frame, without a header before it."""
    if head.startswith(b"fLaC"):
        return FLAC
    if len(head) > 6 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:  # ADTS, ISO/IEC 13818-7, 6.2: its frames say their length
        length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        following = head[length : length + 2]
        return AAC if length > 7 and (not following or (following[0] == 0xFF and following[-1] & 0xF6 in (0xF0, 0xF6))) else None
    if len(head) > 3 and head[0] == 0xFF and head[1] & 0xE6 in (0xE2, 0xE4) and head[2] & 0xF0 not in (0, 0xF0):
        return MPEG_AUDIO
    for first, step in ((0, 188), (4, 192)):  # as broadcast, and as Blu-ray discs and camcorders keep it
        if len(head) > first + 2 * step and all(head[first + step * packet] == 0x47 for packet in range(3)):
            return TRANSPORT
    if head[4:8] in (b"moov", b"mdat", b"wide", b"pnot") and len(head) > 16:  # QuickTime from before there was a type
        return QUICKTIME
    return MP4 if head[4:8] in (b"styp", b"moof") else None


def _zip(head: bytes) -> MediaType:
    """By the local headers within reach: the first entry of OpenDocument and EPUB is their type, uncompressed."""
    name_length, extra_length = struct.unpack_from("<HH", head, 26) if len(head) > 30 else (0, 0)
    if head[30 : 30 + name_length] == b"mimetype":
        content = head[30 + name_length + extra_length :][:80]
        for media_type, name in OPEN_DOCUMENT.items():
            if content.startswith(media_type):
                return MediaType(media_type.decode(), name, "document", "libreoffice")
        if content.startswith(b"application/epub+zip"):
            return _other("application/epub+zip", "an EPUB book")
    names = {match.group(1) for match in re.finditer(rb"PK\x03\x04.{26}(word/|ppt/|xl/)", head, re.DOTALL)}
    return next((kind for prefix, kind in ((b"word/", DOCX), (b"ppt/", PPTX), (b"xl/", XLSX)) if prefix in names), ZIP)


def _zip_directory(path: Path) -> MediaType | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError, struct.error):
        with path.open("rb") as file:
            office = b"[Content_Types].xml" in file.read(HEAD)
        if office:
            raise CorruptMedia("This Office document is damaged: its ZIP directory cannot be read.") from None
        return None
    if "META-INF/container.xml" in names:
        return _other("application/epub+zip", "an EPUB book")
    if "xl/workbook.bin" in names:
        return _other("application/vnd.ms-excel.sheet.binary.macroenabled.12", "a binary Excel workbook (.xlsb)")
    for part, kind in (("word/", DOCX), ("ppt/", PPTX), ("xl/", XLSX)):
        if any(name.startswith(part) for name in names):
            return kind
    return ZIP


def _ole_directory(file: BinaryIO) -> MediaType:
    """The stream names in the first directory sectors, [MS-CFB] 2.2 and 2.6. Raises EncryptedMedia for an encrypted Office package."""
    file.seek(0)
    header = file.read(512)
    if len(header) < 512:
        return OLE
    shift, first = struct.unpack_from("<H", header, 30)[0], struct.unpack_from("<I", header, 48)[0]
    if shift not in (9, 12) or first > 1 << 24:
        return OLE
    file.seek((first + 1) << shift)
    directory = file.read(16 * 128)
    names = {directory[i : i + 64].decode("utf-16-le", "ignore").partition("\0")[0] for i in range(0, len(directory) - 127, 128)}
    if "EncryptedPackage" in names:
        raise EncryptedMedia
    return next((kind for name, kind in OLE_STREAMS.items() if name in names), OLE)


_MARKUP = re.compile(
    r"\s*(?:<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|title|meta|link|script|style|table|div|p|h[1-6]|ul|ol|article|section|span|br|a|b|font|center|iframe)\b",
    re.IGNORECASE | re.DOTALL,
)
_HEADER = re.compile(r"(?:From |>?)?(?:[!-9;-~]+:[^\n]*\n(?:[ \t]+[^\n]*\n)*)+")
_MAIL_FIELDS = frozenset(
    [
        "from", "to", "cc", "bcc", "subject", "date", "received", "message-id", "mime-version", "return-path", "delivered-to", "reply-to",
        "sender", "content-type", "x-mailer",
    ]
)  # fmt: skip


def _text(head: bytes) -> MediaType:
    text, encoding = text_of(head)
    controls = sum(character < " " and character not in "\t\n\r\f\x1b" for character in text)
    if "\0" in text or controls > max(1, len(text) // 100) or text.count("\ufffd") > len(text) // 20:
        return UNKNOWN
    if encoding == "windows-1252" and sum(not (c.isalnum() or c.isspace() or c.isascii()) for c in text) > len(text) // 4:
        return UNKNOWN
    if text.lstrip("\ufeff \t\r\n").startswith("<?xml"):
        return HTML if re.search(r"<(!doctype\s+)?html\b", text[:2048], re.IGNORECASE) else XML
    if _MARKUP.match(text):
        return HTML
    if _is_mail(text):
        return EML
    return CSV if delimiter_of(text) else TEXT


def _is_mail(text: str) -> bool:
    lines = text.replace("\r\n", "\n").lstrip("\n")
    if lines.startswith("From "):
        lines = lines.partition("\n")[2]
    match = _HEADER.match(lines)
    if not match:
        return False
    fields = {line.partition(":")[0].lower() for line in match.group().split("\n") if line[:1].strip()}
    return len(fields & _MAIL_FIELDS) >= 2 and bool(fields & {"from", "received", "message-id", "return-path", "mime-version", "subject"})


def delimiter_of(text: str) -> str | None:
    """The delimiter when the first lines look like a table of separated values: the same number of it in nearly every line."""
    lines = [line for line in text.splitlines()[:40] if line.strip()]
    if len(lines) < 2 or max(map(len, lines)) > 4000:
        return None
    for delimiter in "\t;|,":
        try:
            counts = [len(row) - 1 for row in csv.reader(lines, delimiter=delimiter)]
        except csv.Error:
            continue
        usual = max(set(counts), key=counts.count)
        average = sum(map(len, lines)) / len(lines) / (usual + 1)
        prose = delimiter == "," and (average > 30 or sum(line.count(", ") for line in lines) > sum(counts) / 2)
        if usual >= 1 and counts[0] >= 1 and sum(count == usual for count in counts) >= 0.7 * len(counts) and not prose:
            return delimiter
    return None
