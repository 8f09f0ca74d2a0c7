"""The HTTP API: parse, call, serialise. One small router per resource under `routes/`; the rest is what they share."""
