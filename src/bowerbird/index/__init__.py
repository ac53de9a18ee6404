"""Cutting, the Lance tables, the writer, and the reader with the asker's permissions compiled in."""

from bowerbird.core.settings import quiet_engine

quiet_engine()
