"""The box for foreign bytes: a warm fork-server whose children parse under limits and can reach nothing.

Sandbox (client.py) --control--> server.py --fork--> worker.py, each behind guards.py (seccomp.py, landlock.py)
   └───────────────── one socket per worker (wire.py) ───────────────┘
"""

from bowerbird.sandbox.client import Sandbox
from bowerbird.sandbox.guards import Guard

__all__ = ["Guard", "Sandbox"]
