"""Runs the snippet in the file named first as its reader would, and prints on its last line how it ended, as one JSON object.

`raised` names the exception, or is null; `type` and `message` are what the server said; `names` are the snippet's own values that the
client's models can print. Run by the interpreter of the clients' environment.
"""

from __future__ import annotations

import json
import runpy
import sys
from typing import Any

from pydantic import BaseModel


def ended(path: str) -> dict[str, Any]:
    try:
        names = runpy.run_path(path, run_name="__main__")
    except Exception as error:
        body = getattr(error, "body", None)  # the OpenAI client keeps the parsed error here
        kind = getattr(error, "error_type", None) or (body.get("code") or body.get("type") if isinstance(body, dict) else None)
        return {"raised": type(error).__name__, "type": kind, "message": str(error), "names": {}}
    said = {name: value.model_dump(mode="json") for name, value in names.items() if isinstance(value, BaseModel)}
    return {"raised": None, "type": None, "message": "", "names": said}


if __name__ == "__main__":
    print(json.dumps(ended(sys.argv[1])))
