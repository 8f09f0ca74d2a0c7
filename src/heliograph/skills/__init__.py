"""Skills: a folder, or a zip of one, whose SKILL.md says what to extract and whose schema.json says in what shape.

`archive`: its files, out of and into zips and folders. `package`: what they say; `manifest` (with `diagram`) and `pairs` are parts of it.
`reader` turns the items of `config.skills` into what a plan needs; `derive` reads the fields out of a SKILL.md that comes without a schema.
"""

from __future__ import annotations

from heliograph.skills.attach import reader
from heliograph.skills.package import Package, read_folder, read_zip

__all__ = ["Package", "read_folder", "read_zip", "reader"]
