"""One JSON Schema, lowered to what each backend takes; and the values that come back, raised to what was asked.

    parts = lower(schema, profile)           # one, or several where one would be too large
    parts[0].schema                          # what is sent
    parts[0].lost                            # what the model is not held to: checked against the original afterwards
    join(parts, [part.raised(value) for part, value in zip(parts, values)])

`shapes` reads a schema of any draft as a tree, `$ref`s and combinators resolved; `splitting` cuts the tree into parts that fit;
`sending` writes a part in the backend's dialect (`rules`); `raising` undoes what that did to the shape of values.

Three things hold for every dialect. Every leaf may be null and no list has a least length, since "it is not there" must be sayable.
Every key is required, in the schema's order, so that a model states each field instead of closing the brace early. And a
constraint is enforced by decoding only where decoding cannot bend a value: a pattern, a bound or a greatest length would make a
model write digits that the page does not have, so these are said in the description and checked afterwards.

The same schema and dialect give the same bytes, so that prefix caches hit.
"""

from heliograph.models.lowering.lowered import Lowered, join, lower
from heliograph.models.lowering.shapes import Loss

__all__ = ["Loss", "Lowered", "join", "lower"]
