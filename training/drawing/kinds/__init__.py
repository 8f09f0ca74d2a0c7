"""What documents of each kind hold: one module a kind, each with `SCHEMAS` to ask with and `content` to draw."""
