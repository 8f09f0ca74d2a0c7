"""Writes the schemas of the vlmrun-hub package as JSON, one file a domain: `python tools/hub.py FOLDER`.

Runs on any Python that has vlmrun-hub; `make hub` makes one. Schemas are written as the hub gives them, but for
`document.invoice`, which also answers the field names that the platform's live API and its tests use.
"""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from vlmrun.hub.constants import VLMRUN_HUB_CATALOG_PATH, VLMRUN_HUB_PATH
from vlmrun.hub.registry import SchemaCatalogYaml

DOMAINS = Path(__file__).parents[1] / "src" / "heliograph" / "extraction" / "domains"

LIVE_INVOICE = [
    "invoice_id", "period_start", "period_end", "invoice_issue_date", "invoice_due_date", "customer_id", "issuer", "issuer_address",
    "customer", "customer_email", "customer_phone", "customer_billing_address", "customer_shipping_address", "items", "subtotal", "tax",
    "total", "currency", "notes",
]  # fmt: skip
"""The invoice of the platform's live API, in its order."""

NOT_IN_HUB = {
    "issuer": ("string", "Name of the company or person who issued the invoice: the seller, vendor or supplier"),
    "customer": ("string", "Name of the company or person the invoice is billed to: the customer, client or buyer"),
    "tax": ("number", "Total tax amount of the invoice (VAT, GST, sales tax)"),
    "total": ("number", "Grand total of the invoice including tax, the total amount due"),
}

VISION = {
    "aerospace.remote-sensing": "needed", "retail.product-catalog": "needed", "retail.ecommerce-product-caption": "helps",
    "media.tv-news": "helps", "media.nba-game-state": "helps", "media.nfl-game-state": "helps",
}  # fmt: skip
"""Domains that ask for what can be seen: with nothing of it written, or beside what is."""


def invoice(schema: dict[str, Any]) -> dict[str, Any]:
    """The hub's invoice with the live API's names first; a client of either finds its fields."""
    fields = dict(schema["properties"])
    for name, (kind, description) in NOT_IN_HUB.items():
        nullable = {"anyOf": [{"type": kind}, {"type": "null"}], "default": None}
        fields[name] = {**nullable, "description": description, "title": name.title()}
    live = {name: fields.pop(name) for name in LIVE_INVOICE}
    return {**schema, "properties": {**live, **fields}}


def main(folder: Path) -> None:
    """Write every domain of both catalogues to `folder`, and remove what is no longer there."""
    expected = re.search(r'HUB_VERSION = "(.+)"', (DOMAINS / "__init__.py").read_text())
    if expected is None or version("vlmrun-hub") != expected[1]:
        sys.exit(f"vlmrun-hub is {version('vlmrun-hub')}; change HUB_VERSION in {DOMAINS / '__init__.py'} first, and read the difference.")
    written: set[Path] = set()
    for catalog in (VLMRUN_HUB_CATALOG_PATH, VLMRUN_HUB_PATH / "schemas" / "contrib" / "catalog.yaml"):
        for item in SchemaCatalogYaml.from_yaml(Path(catalog)).schemas:
            schema = item.schema_class.model_json_schema()
            samples = [item.sample_data] if isinstance(item.sample_data, str) else item.sample_data or []
            domain = {
                "domain": item.domain,
                "description": item.description or "",
                "prompt": item.prompt,
                "supported_inputs": (item.metadata and item.metadata.supported_inputs) or ["image", "document"],
                "tags": (item.metadata and item.metadata.tags) or [],
                "sample_data": samples,
                **({"vision": VISION[item.domain]} if item.domain in VISION else {}),
                "json_schema": invoice(schema) if item.domain == "document.invoice" else schema,
            }
            path = folder / f"{item.domain}.json"
            path.write_text(json.dumps(domain, indent=1, ensure_ascii=False) + "\n")
            written.add(path)
    for path in set(folder.glob("*.json")) - written:
        path.unlink()
    print(f"{len(written)} domains in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DOMAINS / "hub")
