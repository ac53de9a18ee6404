"""Who may read what, end to end: real folders with modes, the real index, and what admins change and are told."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from pathlib import Path

import pytest

from bowerbird.core.errors import ForbiddenError, NotFoundError, UsageError
from bowerbird.core.records import OWNER, Filters, Principal
from bowerbird.library import Library
from bowerbird.store import audit, outbox

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files to other users")


@pytest.fixture
def people(library: Library) -> dict[str, str]:
    """Ids of ann (member), bob (member), gil (guest) and ada (admin), by handle."""
    roles = {"ann": "member", "bob": "member", "gil": "guest", "ada": "admin"}
    return {handle: library.identity.people.invite(handle, role)[0].id for handle, role in roles.items()}


@pytest.fixture
def tree(folder: Path) -> Path:
    """The work folder with open modes, and a folder of the owner alone."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    (folder / "hr").mkdir(mode=0o700)
    (folder / "hr" / "pay.txt").write_text("The harbour master earns a fortune.\n")
    (folder / "hr" / "pay.txt").chmod(0o600)
    return folder


def me() -> str:
    return f"user:{pwd.getpwuid(os.geteuid()).pw_name}"


def seen(library: Library, people: dict[str, str], handle: str, text: str = "") -> set[str]:
    principal = OWNER if handle == "owner" else Principal(f"user:{people[handle]}")
    if text:
        return {hit.path for hit in library.search(text, principal, limit=50).hits}
    reader = library.reader(principal, "test")
    return {item.key for item in reader.items(reader.recent(Filters(), 100)).values()}


def lance(library: Library) -> int:
    """The newest version of the words table."""
    with library.store.database.read() as connection:
        served = outbox.served(connection)
    assert served is not None
    return int(library.tables().newest(served.folder, "words").version)


def scope_of(library: Library, path: str) -> str:
    for scope in library.permissions.scopes("work"):
        if scope.said == path:
            return scope.said
    return ""


def actions(library: Library) -> list[str]:
    with library.store.database.read() as connection:
        return [event.action for event in audit.exported(connection)]


def posix(library: Library, tree: Path, index: Callable[..., None]) -> None:
    """Add the tree, and let its modes decide: `public` are the members, the user of the tests is ann."""
    library.add(str(tree))
    index()
    library.permissions.set_policy("work", "source")
    library.permissions.set_mapping("work", "public", "group:role:member")
    library.permissions.set_mapping("work", me(), "ann")
    index()


def test_modes_of_folders_decide_who_reads(library: Library, tree: Path, index, people) -> None:
    posix(library, tree, index)
    assert seen(library, people, "ann") == {"budget.csv", "hr/pay.txt", "notes/harbour.md", "notes/kitchen.txt"}
    assert seen(library, people, "bob") == {"budget.csv", "notes/harbour.md", "notes/kitchen.txt"}
    assert seen(library, people, "bob", "harbour") == {"notes/harbour.md"}
    assert seen(library, people, "gil") == set()
    assert {one.said: one.items for one in library.permissions.scopes("work")} == {"": 1, "hr": 1, "notes": 2}


def test_chmod_of_a_folder_changes_rows_and_not_the_index(library: Library, tree: Path, index, people) -> None:
    posix(library, tree, index)
    before = lance(library)
    (tree / "notes").chmod(0o700)
    index()
    assert seen(library, people, "bob") == {"budget.csv"} and len(seen(library, people, "ann")) == 4
    (tree / "notes").chmod(0o755)
    index()
    assert seen(library, people, "bob") == {"budget.csv", "notes/harbour.md", "notes/kitchen.txt"}
    assert lance(library) == before


@needs_root
def test_chown_of_a_folder_changes_rows_and_not_the_index(library: Library, tree: Path, index, people) -> None:
    posix(library, tree, index)
    library.permissions.set_mapping("work", "user:nobody", "bob")
    (tree / "notes").chmod(0o700)
    index()
    before = lance(library)
    os.chown(tree / "notes", pwd.getpwnam("nobody").pw_uid, -1)
    index()
    assert seen(library, people, "bob") == {"budget.csv", "notes/harbour.md", "notes/kitchen.txt"}
    assert seen(library, people, "ann") == {"budget.csv", "hr/pay.txt"}
    assert lance(library) == before
    os.chown(tree / "hr" / "pay.txt", pwd.getpwnam("nobody").pw_uid, -1)
    index()
    assert "hr/pay.txt" not in seen(library, people, "bob") | seen(library, people, "ann"), "root's folder, bob's file"


def test_a_file_that_differs_gets_a_scope_of_its_own_before_its_folder_opens(
    library: Library, tree: Path, index, people
) -> None:
    posix(library, tree, index)
    (tree / "hr" / "open.txt").write_text("The harbour party is on Friday.\n")
    (tree / "hr" / "open.txt").chmod(0o644)
    index()
    assert "hr/open.txt" not in seen(library, people, "bob")
    (tree / "hr").chmod(0o755)
    index()
    assert "hr/open.txt" in seen(library, people, "bob") and "hr/pay.txt" not in seen(library, people, "bob")
    assert scope_of(library, "hr/pay.txt") and library.doctor(verify=True).findings == ()


def test_one_changed_file_does_not_open_its_folder_for_the_others(library: Library, tree: Path, index, people) -> None:
    """A watch looks at one file of a folder that was opened meanwhile; its neighbours have not been looked at."""
    from bowerbird.sources.sync import Sync
    from bowerbird.store import intake

    posix(library, tree, index)
    (tree / "hr" / "open.txt").write_text("x")
    (tree / "hr" / "open.txt").chmod(0o644)
    (tree / "hr").chmod(0o755)
    row = library.sources()[0]
    source = library._source_of(row.id)
    source.scoped = True
    import threading

    sync = Sync(library.store, row, source, lambda *_: None, threading.Event())
    sync.peek(["hr/open.txt"], source.peek(["hr/open.txt"]), intake.WATCHED)
    found = library.permissions.item_id("hr/pay.txt")
    assert not library.permissions.why_visible(found, people["bob"]).visible


def test_a_policy_that_the_source_cannot_answer_is_refused(library: Library, folder: Path) -> None:
    library.add("memory://nothing", "remote")
    with pytest.raises(UsageError, match="does not say"):
        library.permissions.set_policy("remote", "source")
    with pytest.raises(UsageError, match="no policy named"):
        library.permissions.set_policy("remote", "everyone")
    with pytest.raises(NotFoundError):
        library.permissions.set_policy("nowhere", "public")
    assert library.permissions.policy("remote").policy == "private"


def test_until_the_source_was_asked_nobody_reads_and_then_back(library: Library, tree: Path, index, people) -> None:
    library.add(str(tree))
    index()
    assert len(seen(library, people, "owner")) == 4
    facts = library.permissions.set_policy("work", "source")
    assert facts.unmapped == () and seen(library, people, "owner") == set()
    index()
    assert set(library.permissions.policy("work").unmapped) == {"public", me()}
    library.permissions.set_policy("work", "members")
    assert len(seen(library, people, "bob")) == 4 and seen(library, people, "gil") == set()
    index()
    assert len(seen(library, people, "bob")) == 4 and len(library.permissions.scopes("work")) <= 2


def test_rules_by_path_take_effect_at_once_and_are_undone(library: Library, folder: Path, index, people) -> None:
    library.add(str(folder))
    index()
    made = library.permissions.add_rule("work", str(folder / "notes"), "bob", "allow", by=people["ada"])
    assert (made.rule.prefix, made.rule.principal, made.items, made.moved) == ("notes", "bob", 2, 2)
    assert seen(library, people, "bob") == {"notes/harbour.md", "notes/kitchen.txt"}, "by the newest, from SQL"
    index()
    assert seen(library, people, "bob", "harbour") == {"notes/harbour.md"}
    denied = library.permissions.add_rule("work", "notes/kitchen.txt", "group:role:member", "deny")
    assert denied.conflicts == (made.rule,)
    assert seen(library, people, "bob") == {"notes/harbour.md"}
    library.permissions.remove_rule(denied.rule.id)
    library.permissions.remove_rule(made.rule.id)
    assert seen(library, people, "bob") == set() and library.permissions.rules() == []
    assert actions(library)[-4:] == ["rule.added", "rule.added", "rule.removed", "rule.removed"]


@pytest.mark.parametrize(
    "wrong",
    [
        ("nowhere", "notes", "bob", "allow"),
        ("work", "notes", "eve", "allow"),
        ("work", "notes", "group:unknown", "allow"),
        ("work", "../other", "bob", "allow"),
        ("work", "/etc", "bob", "allow"),
        ("work", "/etc\0", "bob", "allow"),
        ("work", "notes", "bob", "maybe"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_and_nothing_changes(
    library: Library, folder: Path, index, people, wrong: tuple[str, str, str, str]
) -> None:
    library.add(str(folder))
    index()
    log = actions(library)
    with pytest.raises((NotFoundError, UsageError)) as refused:
        library.permissions.add_rule(*wrong)
    assert refused.value.cause and refused.value.remedy
    assert library.permissions.rules() == [] and actions(library) == log
    assert len(library.permissions.scopes("work")) == 1


def test_why_names_the_entry_and_the_way_to_it(library: Library, folder: Path, index, people) -> None:
    library.add(str(folder))
    index()
    manage = library.identity.people
    for name in ("inner", "outer"):
        manage.make_group(name)
    manage.add_member("group:local:inner", f"user:{people['bob']}")
    manage.add_member("group:local:outer", "group:local:inner")
    item = library.permissions.item_id("notes/harbour.md")
    assert library.permissions.item_id(str(folder / "notes" / "harbour.md")) == item
    why = library.permissions.why_visible(item, people["bob"])
    assert not why.visible and why.lines == (
        "bob may not read notes/harbour.md (source work).",
        "No entry lets this person in; those there are let in owner.",
    )
    rule = library.permissions.add_rule("work", "notes", "group:outer", "allow").rule
    why = library.permissions.why_visible(item, people["bob"])
    assert why.visible and why.reasons[0].way == ("bob", "group:inner", "group:outer")
    assert why.lines[1] == f"The rule {rule.id} on notes lets in group:outer: bob → group:inner → group:outer."
    assert "not in the index yet" in why.lines[2]
    library.permissions.add_rule("work", "notes", "bob", "deny")
    why = library.permissions.why_visible(item, people["bob"])
    assert not why.visible and [one.entry.effect for one in why.reasons] == ["deny"]
    assert why.lines[2] == "A deny wins over the 1 entries that would let bob in."
    manage.suspend(people["bob"])
    assert "suspended" in library.permissions.why_visible(item, people["bob"]).lines[1]
    with pytest.raises(NotFoundError):
        library.permissions.item_id("no\0thing")
    for wrong in (("nothing", people["bob"]), (item, "nobody")):
        with pytest.raises(NotFoundError):
            library.permissions.why_visible(*wrong)


def test_why_tells_whom_the_source_names_in_vain(library: Library, tree: Path, index, people) -> None:
    posix(library, tree, index)
    library.permissions.set_mapping("work", me(), "")
    why = library.permissions.why_visible(library.permissions.item_id("hr/pay.txt"), people["ann"])
    assert not why.visible and f"The source also names {me()}, who is not mapped to anybody here." in why.lines


def test_who_sees_is_counted(library: Library, folder: Path, index, people) -> None:
    library.add(str(folder))
    index()
    item = library.permissions.item_id("budget.csv")
    assert library.permissions.who_sees(item).people == 1
    library.permissions.set_policy("work", "members")
    library.permissions.add_rule("work", "", "bob", "deny")
    audience = library.permissions.who_sees(item)
    assert (audience.people, audience.active, audience.public) == (3, 5, False)
    library.permissions.set_policy("work", "public")
    assert library.permissions.who_sees(item).people == 4


def test_an_admin_cannot_look_through_an_owner(library: Library, people) -> None:
    session = library.identity.redeem(library.identity.signin_link(people["ada"]).secret)
    known = library.identity.session(session)
    assert known is not None
    library.permissions.view_as(known.key, people["bob"], people["ada"])
    viewing = library.identity.session(session)
    assert viewing is not None and (viewing.viewing, viewing.person) == (people["bob"], people["ada"])
    with pytest.raises(ForbiddenError):
        library.permissions.view_as(known.key, "owner", people["ada"])
    library.permissions.stop_viewing(known.key, people["ada"])
    ended = library.identity.session(session)
    assert ended is not None and ended.viewing == ""
    assert [one for one in actions(library) if one.startswith("view")] == ["view.started", "view.ended"]


def test_members_of_an_archive_follow_it(library: Library, tree: Path, index, people) -> None:
    import zipfile

    with zipfile.ZipFile(tree / "hr" / "old.zip", "w") as archive:
        archive.writestr("letter.txt", "The harbour master resigns.")
    (tree / "hr" / "old.zip").chmod(0o644)
    posix(library, tree, index)
    inside = "hr/old.zip!/letter.txt"
    assert inside in seen(library, people, "ann") and inside not in seen(library, people, "bob")
    (tree / "hr" / "old.zip").rename(tree / "old.zip")
    index()
    assert "old.zip!/letter.txt" in seen(library, people, "bob") and inside not in seen(library, people, "ann")


def test_a_file_moved_into_a_closed_folder_is_closed(library: Library, tree: Path, index, people) -> None:
    posix(library, tree, index)
    (tree / "notes" / "kitchen.txt").rename(tree / "hr" / "kitchen.txt")
    index()
    assert seen(library, people, "bob") == {"budget.csv", "notes/harbour.md"}
    assert "hr/kitchen.txt" in seen(library, people, "ann")


def test_what_a_folder_holds_is_closed_while_it_cannot_be_listed(
    library: Library, tree: Path, index, people, monkeypatch
) -> None:
    from bowerbird.sources.trees import LocalTree

    posix(library, tree, index)
    listed = LocalTree.entries

    def failing(self: LocalTree, path: tuple[str, ...]) -> object:
        if path == ("notes",):
            raise OSError(5, "input/output error")
        return listed(self, path)

    monkeypatch.setattr(LocalTree, "entries", failing)
    index()
    assert seen(library, people, "bob") == {"budget.csv"}
    monkeypatch.undo()
    index()
    assert seen(library, people, "bob") == {"budget.csv", "notes/harbour.md", "notes/kitchen.txt"}


def test_a_source_belongs_to_whoever_added_it(library: Library, folder: Path, index, people) -> None:
    library.add(str(folder), owner=people["ada"])
    index()
    assert len(seen(library, people, "ada")) == 3 and seen(library, people, "owner") == set()
    library.identity.people.remove(people["ada"])
    assert len(seen(library, people, "owner")) == 3
