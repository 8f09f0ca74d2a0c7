"""The HTTP contract as pydantic models: what clients send and get. No logic but "null means absent"."""
