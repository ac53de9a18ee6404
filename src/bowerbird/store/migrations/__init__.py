"""Numbered migrations (Alembic), packaged with the product and run when a library is opened."""
