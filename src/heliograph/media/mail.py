"""E-mail as a flow: the headers that a person reads, the body (HTML before text), pictures in it, and the names of what is attached."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from pathlib import Path

from heliograph.errors import MediaLimitExceeded
from heliograph.media.content import Limits
from heliograph.media.flow import Element, Flow, Paragraph, Run
from heliograph.media.html import decode_html, flow_html
from heliograph.media.plaintext import flow_text

HEADERS = ("From", "To", "Cc", "Bcc", "Reply-To", "Date", "Subject")
PARTS = 1000


def read_mail(path: Path, limits: Limits) -> Flow:
    """An RFC 5322 message."""
    if path.stat().st_size > limits.max_unpacked:
        raise MediaLimitExceeded(f"The message is larger than the {limits.max_unpacked >> 20} MiB that this server reads.")
    data = path.read_bytes()
    if data.startswith(b"From "):
        data = data.partition(b"\n")[2]
    return Flow(_elements(email.message_from_bytes(data, policy=email.policy.default), 0))


def _elements(message: EmailMessage, depth: int) -> list[Element]:
    elements: list[Element] = []
    subject = _header(message, "Subject")
    if subject:
        elements.append(Paragraph([Run(subject)], "title", 1))
    for name in HEADERS:
        value = _header(message, name)
        if value and name != "Subject":
            elements.append(Paragraph([Run(f"{name}: ", True), Run(value)]))
    bodies: dict[str, EmailMessage] = {}
    pictures: dict[str, bytes] = {}
    attached: list[str] = []
    forwarded: list[EmailMessage] = []
    for number, part in enumerate(_leaves(message)):
        if number > PARTS:
            raise MediaLimitExceeded(f"The message has more than {PARTS} parts.")
        kind, name = part.get_content_type(), _file_name(part)
        if kind == "message/rfc822":
            forwarded += [inner for inner in part.iter_parts() if isinstance(inner, EmailMessage)]
        elif kind in ("text/plain", "text/html") and not part.is_attachment() and not name and kind not in bodies:
            bodies[kind] = part
        else:
            data = _payload(part)
            if kind.startswith("image/") and part.get("Content-ID"):
                pictures["cid:" + str(part["Content-ID"]).strip().strip("<>")] = data
            if name or not kind.startswith("image/"):
                attached.append(f"{name or 'unnamed'} ({kind}, {len(data):,} bytes)")
    if "text/html" in bodies:
        part = bodies["text/html"]
        elements += flow_html(decode_html(_payload(part), part.get_content_charset()), pictures)
    elif "text/plain" in bodies:
        part = bodies["text/plain"]
        elements += flow_text(decode_html(_payload(part), part.get_content_charset()).replace("\r\n", "\n"))
    if attached:
        elements.append(Paragraph([Run("Attachments")], "section-header", 2))
        elements += [Paragraph([Run(name)], "list-item", indent=18.0, marker="•") for name in attached]
    for inner in forwarded:
        if depth < 5:
            elements.append(Paragraph([Run("Attached message")], "section-header", 2))
            elements += _elements(inner, depth + 1)
    return elements


def _leaves(message: EmailMessage) -> list[EmailMessage]:
    """The message's parts that are not multiparts; what an attached message holds is left to it."""
    if message.get_content_maintype() != "multipart":
        return [message]
    found: list[EmailMessage] = []
    for part in message.iter_parts():
        if isinstance(part, EmailMessage):
            found += _leaves(part) if part.get_content_maintype() == "multipart" else [part]
        if len(found) > PARTS:
            break
    return found


def _header(message: EmailMessage, name: str) -> str:
    """A decoded header; a malformed one as it stands."""
    try:
        value = message.get(name)
    except (ValueError, IndexError, AttributeError, TypeError):
        value = next((raw for key, raw in message.raw_items() if key.lower() == name.lower()), "")
    return " ".join(str(value or "").split())


def _file_name(part: EmailMessage) -> str:
    try:
        return " ".join((part.get_filename() or "").split())
    except (ValueError, IndexError, AttributeError, TypeError):
        return ""


def _payload(part: EmailMessage) -> bytes:
    try:
        data = part.get_payload(decode=True)
    except (ValueError, AssertionError, LookupError):
        return b""
    return data if isinstance(data, bytes) else b""
