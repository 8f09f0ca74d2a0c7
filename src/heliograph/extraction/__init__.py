"""A read document and a schema become values, each with its state, citation and confidence."""
