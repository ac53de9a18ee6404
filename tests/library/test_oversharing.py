"""The report of what is shared too widely, and the rules that mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bowerbird.core.errors import NotFoundError, UsageError
from bowerbird.core.records import Principal
from bowerbird.library import Library


@pytest.fixture
def shared(library: Library, folder: Path, index) -> Library:
    """A library that every member reads, with a payroll folder, a key in a note, and harmless things."""
    (folder / "Payroll").mkdir()
    (folder / "Payroll" / "march.txt").write_text("Nothing to see.\n")
    (folder / "Payroll" / "april.txt").write_text("Nothing to see here either.\n")
    (folder / "notes" / "deploy.md").write_text(
        "# Deploy\n\nexport GITHUB_TOKEN=ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6\n"
    )
    (folder / "notes" / "password-policy.md").write_text("A password must have 12 characters. Password: required.\n")
    (folder / "passwords.txt").write_text("mail  hunter\n")
    library.add(str(folder))
    index()
    library.permissions.set_policy("work", "members")
    return library


def found(library: Library) -> dict[str, tuple[str, ...]]:
    report = library.permissions.oversharing.report()
    assert (report.left, report.cursor) == (0, "")
    return {one.path: tuple(sign.kind for sign in one.signs) for one in report.findings}


def test_folders_names_and_contents_are_found_and_the_rest_is_not(shared: Library) -> None:
    report = shared.permissions.oversharing.report()
    assert found(shared) == {"Payroll": ("pay",), "notes/deploy.md": ("secret",), "passwords.txt": ("secret",)}
    folder = next(one for one in report.findings if one.path == "Payroll")
    assert (folder.item, folder.items, folder.to, folder.people) == ("", 2, ("group:role:member",), 1)
    assert report.looked == 8


def test_what_only_its_owner_reads_is_not_shared(shared: Library) -> None:
    shared.permissions.set_policy("work", "private")
    assert found(shared) == {}


def test_a_large_group_counts_as_everybody(shared: Library) -> None:
    shared.permissions.set_policy("work", "private")
    shared.identity.people.make_group("crew")
    for number in range(4):
        person, _ = shared.identity.people.invite(f"person{number}")
        shared.identity.people.add_member("group:local:crew", f"user:{person.id}")
    shared.permissions.add_rule("work", "Payroll", "group:crew", "allow")
    assert found(shared) == {}, "four people are no crowd"
    shared.permissions.oversharing._settings = shared.settings.replace(oversharing_people=3)
    report = shared.permissions.oversharing.report()
    assert [(one.path, one.to, one.people) for one in report.findings] == [("Payroll", ("group:crew",), 5)]


def test_a_fix_is_shown_first_and_then_closes_what_was_found(shared: Library, index) -> None:
    bob, _ = shared.identity.people.invite("bob")
    wanted = [(one.source, one.path) for one in shared.permissions.oversharing.report().findings]
    shown = shared.permissions.oversharing.fixes(wanted)
    assert [(fix.prefix, fix.principal, fix.effect, fix.items) for fix in shown] == [
        ("Payroll", "owner", "only", 2), ("passwords.txt", "owner", "only", 1), ("notes/deploy.md", "owner", "only", 1),
    ]  # fmt: skip
    assert shared.permissions.rules() == [], "nothing was changed"
    assert shared.permissions.oversharing.fix(wanted) == shown
    index()
    assert found(shared) == {}
    assert shared.permissions.oversharing.fixes(wanted) == [], "mended already"
    item = shared.permissions.item_id("Payroll/march.txt")
    assert not shared.permissions.why_visible(item, bob.id).visible
    assert shared.permissions.why_visible(item, "owner").visible
    assert {hit.path for hit in shared.search("nothing", Principal(f"user:{bob.id}")).hits} == set()
    for rule in shared.permissions.rules():
        shared.permissions.remove_rule(rule.id)
    assert len(found(shared)) == 3


def test_a_run_is_bounded_and_goes_on_where_it_stopped(shared: Library) -> None:
    told: list[tuple[int, int]] = []
    paths: set[str] = set()
    cursor, rounds = "", 0
    while True:
        report = shared.permissions.oversharing.report(cursor, 0.0, lambda looked, total: told.append((looked, total)))
        paths |= {one.path for one in report.findings}
        rounds, cursor = rounds + 1, report.cursor
        if not cursor:
            break
    assert rounds == 8 and paths == {"Payroll", "notes/deploy.md", "passwords.txt"}
    assert told[0] == (1, 8) and told[-1] == (1, 1)


def test_fixes_of_what_is_not_there_are_refused(shared: Library) -> None:
    with pytest.raises(NotFoundError):
        shared.permissions.oversharing.fix([("nowhere", "a")])
    with pytest.raises(UsageError):
        shared.permissions.oversharing.fix([("work", "Payroll"), ("work", "")])
    assert shared.permissions.rules() == []
