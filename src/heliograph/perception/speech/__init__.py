"""Sound becomes a transcript: where somebody speaks, where to cut, which engine hears it, and how the parts become one text."""
