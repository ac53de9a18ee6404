"""The composition root: wires the rooms, and holds no other logic. Start with `ingest.py`, the write walk."""

from bowerbird.library.library import Library
from bowerbird.library.status import Check, Report, Status, Trouble
from bowerbird.library.worker import Progress, Worker

__all__ = ["Check", "Library", "Progress", "Report", "Status", "Trouble", "Worker"]
