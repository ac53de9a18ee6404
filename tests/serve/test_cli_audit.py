"""`bowerbird audit`: read, checked and exported; doctor finds what was changed."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sqlalchemy import update

from bowerbird.store.identity_tables import audit as rows
from bowerbird.store.store import Store


def test_the_log_is_read_checked_and_exported(bowerbird: Any) -> None:
    assert bowerbird("people", "invite", "ada").code == 0
    told = bowerbird("audit", "list", "--json").json
    actions = [event["action"] for event in told["events"]]
    assert "person.invited" in actions and "ada" in [event["subject"] for event in told["events"]]
    assert "person.invited" in bowerbird("audit", "list", "--action", "person.invited").out
    exported = [json.loads(line) for line in bowerbird("audit", "export").out.splitlines()]
    assert exported[-1]["action"] == "audit.exported" and "ada" not in json.dumps(exported)
    before = ""
    for event in exported:  # anybody can check the chain from the export alone
        fields = (before, repr(event["at"]), event["actor"], event["action"], event["object"])
        before = hashlib.sha256("\x1f".join(fields).encode()).hexdigest()
        assert event["hash"] == before
    assert bowerbird("audit", "verify", "--json").json == {"events": len(exported), "broken": []}
    store = Store(bowerbird.home)
    store.open()
    with store.database.write() as connection:
        connection.execute(update(rows).where(rows.c.id == 2).values(action="nothing.happened"))
    store.close()
    told = bowerbird("audit", "verify", "--json")
    assert (told.code, told.json["broken"]) == (1, [2])
    checks = {check["name"]: check for check in bowerbird("doctor", "--json").json["checks"]}
    assert not checks["audit"]["passed"] and "first 2" in checks["audit"]["detail"]
