"""Converts PDFs to Markdown with one peer; runs under the peers' own Python (`make peers`), not under ours.

`python -P bench/_peers.py NAME ROUNDS FILE...` prints `{"markdown": [...], "cpu": [...], "wall": [...]}`: a text a file, and the
seconds of each round over all files, after a first that does not count.
"""

import json
import os
import sys
import time
from collections.abc import Callable

os.environ["HF_HUB_OFFLINE"] = "1"


def markitdown() -> Callable[[str], str]:
    """Microsoft's markitdown, on pdfminer and pdfplumber."""
    from markitdown import MarkItDown

    converter = MarkItDown()
    return lambda path: converter.convert(path).text_content


def kreuzberg() -> Callable[[str], str]:
    """kreuzberg, Rust on pdfium."""
    from kreuzberg import ExtractionConfig, extract_file_sync

    config = ExtractionConfig(output_format="markdown", use_cache=False)
    return lambda path: extract_file_sync(path, config=config).content


def docling_rs() -> Callable[[str], str]:
    """docling-rs without models, which it would download: the text layer alone."""
    from docling_rs.document_converter import DocumentConverter

    converter = DocumentConverter(text_layer_only=True)
    return lambda path: converter.convert(path).document.export_to_markdown()


def main() -> None:
    """Convert and print."""
    name, rounds, *paths = sys.argv[1:]
    convert = {"markitdown": markitdown, "kreuzberg": kreuzberg, "docling-rs": docling_rs}[name]()
    markdown = [convert(path) for path in paths]
    cpu: list[float] = []
    wall: list[float] = []
    for _ in range(int(rounds)):
        started, used = time.perf_counter(), time.process_time()
        for path in paths:
            convert(path)
        wall.append(time.perf_counter() - started)
        cpu.append(time.process_time() - used)
    json.dump({"markdown": markdown, "cpu": cpu, "wall": wall}, sys.stdout)


if __name__ == "__main__":
    main()
