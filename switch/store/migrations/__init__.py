"""The schema, revision by revision. alembic walks `versions/` in the order of their numbers."""
