"""What the bodies of requests have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """A body in JSON: a field has the type that it says, nothing is converted (`0` is no `false`)."""

    model_config = ConfigDict(strict=True)
