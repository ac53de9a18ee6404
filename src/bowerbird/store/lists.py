"""Lists of values in a statement."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, func, select


def listed(values: Collection[str] | Collection[int]) -> Select[tuple[Any]]:
    """Return values as a subquery: one parameter, and one statement to compile, whatever their number."""
    return select(func.json_each(json.dumps(list(values))).table_valued("value").c.value)
