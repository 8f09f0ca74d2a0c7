"""A receipt and an invoice that ship with the package, drawn by tools/draw_samples.py."""

from __future__ import annotations

from pathlib import Path

RECEIPT = Path(__file__).with_name("receipt.png")
INVOICE = Path(__file__).with_name("invoice.pdf")
