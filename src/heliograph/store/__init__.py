"""Where state lives: PostgreSQL through SQLAlchemy, blobs through obstore, and repositories that always take a tenant."""
