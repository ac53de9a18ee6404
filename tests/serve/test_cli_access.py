"""`bowerbird access` and `why-visible`, as a person runs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def office(bowerbird: Any, tmp_path: Path) -> Any:
    """The command line over a small indexed folder, with mia, a member."""
    for name in ("hr/pay.txt", "notes/harbour.md"):
        (tmp_path / "office" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "office" / name).write_text("the harbour pays\n")
    assert bowerbird("add", str(tmp_path / "office")).code == 0
    assert bowerbird("people", "invite", "mia").code == 0
    return bowerbird


def found(office: Any, handle: str) -> set[str]:
    return {hit["path"] for hit in office("search", "harbour", "--as", handle, "--json").json["hits"]}


def test_from_a_policy_to_a_fix(office: Any, tmp_path: Path) -> None:
    assert "only owner may read it" in office("access", "policy", "office").out and found(office, "mia") == set()
    assert office("access", "policy", "office", "members", "--json").json["policy"] == "members"
    assert found(office, "mia") == {"hr/pay.txt", "notes/harbour.md"}

    made = office("access", "rules", "add", "office", "hr", "mia", "deny", "--json").json
    assert (made["items"], made["moved"], made["conflicts"]) == (1, 1, [])
    assert found(office, "mia") == {"notes/harbour.md"} and found(office, "owner") == {"hr/pay.txt", "notes/harbour.md"}
    told = office("access", "rules", "add", "office", "hr/pay.txt", "mia", "allow")
    assert made["rule"]["id"] in told.err and "the deny wins" in told.err and "may read office: hr/pay.txt" in told.out
    assert found(office, "mia") == {"notes/harbour.md"}
    assert len(office("access", "rules", "list", "--json").json["rules"]) == 2

    why = office("why-visible", str(tmp_path / "office" / "hr" / "pay.txt"), "mia")
    assert why.code == 0 and "mia may not read hr/pay.txt (source office)." in why.out
    assert f"The rule {made['rule']['id']} on hr keeps out mia: mia." in why.out
    assert "1 person of 2 may read it." in why.out
    assert office("why-visible", "hr/pay.txt", "owner", "--json").json["visible"] is True

    for rule in office("access", "rules", "list", "office", "--json").json["rules"]:
        assert "is undone" in office("access", "rules", "remove", rule["id"]).err
    assert found(office, "mia") == {"hr/pay.txt", "notes/harbour.md"}, "at once, without a sync"

    planned = office("access", "oversharing", "--fix", "--dry-run")
    assert "the folder is named “hr”" in planned.out and "would be only for owner: office: hr (1 item)" in planned.out
    assert office("access", "rules", "list", "--json").json == {"rules": []}
    done = office("access", "oversharing", "--fix", "--json").json
    assert done["applied"] and [fix["prefix"] for fix in done["fixes"]] == ["hr"]
    assert found(office, "mia") == {"notes/harbour.md"}


def test_mappings_and_the_policy_of_the_source(office: Any, tmp_path: Path) -> None:
    for path in (tmp_path / "office", *(tmp_path / "office").rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    told = office("access", "policy", "office", "source")
    assert told.code == 0 and "bowerbird sync" in told.err
    assert office("sync").code == 0
    assert "public is nobody here, in 3 scopes" not in office("access", "mappings", "list", "office").out
    assert "nobody here is public" in office("access", "policy", "office").out and found(office, "mia") == set()
    set_ = office("access", "mappings", "set", "office", "public", "group:role:member", "--json").json
    assert [(one["theirs"], one["principal"]) for one in set_["mappings"]] == [("public", "group:role:member")]
    assert found(office, "mia") == {"hr/pay.txt", "notes/harbour.md"}
    assert "public is nobody here" in office("access", "mappings", "set", "office", "public", "nobody").out
    assert found(office, "mia") == set()


def test_what_is_refused_says_why(office: Any) -> None:
    for arguments, code, words in (
        (("access", "policy", "office", "everyone"), 2, "no policy named everyone"),
        (("access", "policy", "nowhere"), 1, "no source named nowhere"),
        (("access", "rules", "add", "office", "hr", "eve", "allow"), 1, "no such person"),
        (("access", "rules", "add", "office", "hr", "group:none", "allow"), 1, "no group named none"),
        (("access", "rules", "add", "office", "/etc", "mia", "allow"), 2, "not inside the source"),
        (("access", "rules", "add", "office", "hr", "mia", "maybe"), 2, "no effect named maybe"),
        (("access", "rules", "remove", "x"), 1, "no such rule"),
        (("access", "mappings", "set", "office", "alice", "mia"), 2, "not how a source names"),
        (("access", "oversharing", "--dry-run"), 2, "add --fix"),
        (("why-visible", "hr/none.txt", "mia"), 1, "no such item"),
        (("why-visible", "hr/pay.txt", "eve"), 1, "no such person"),
    ):
        ended = office(*arguments)
        assert (ended.code, ended.out) == (code, "") and words in ended.err.lower(), (arguments, ended)
    assert office("access", "rules", "list", "--json").json == {"rules": []}
