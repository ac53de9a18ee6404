"""The write walk's rows: what waits, what is done, and what the log says of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bowerbird.core.errors import NotFoundError
from bowerbird.core.records import Failure, Person
from bowerbird.store import catalog, intake, keeping, sources
from bowerbird.store.store import Store

DAY = datetime(2026, 3, 18, 12, tzinfo=UTC)


def test_what_a_source_reports_waits_until_it_is_finished(shelf) -> None:
    shelf.found(shelf.item("b.txt"), shelf.item("a/Plan.MD"))
    item = shelf.get("a/Plan.MD")
    assert (item.state, item.title, item.kind, item.content_version) == ("pending", "Plan", "note", 0)
    assert {claim.item.key for claim in shelf.waiting()} == {"b.txt", "a/Plan.MD"}
    assert shelf.entries() == [], "nothing is searchable yet"

    assert shelf.finish(shelf.claim("a/Plan.MD"), people=(Person("Ann", "ann@x.org"),), title="The plan") == 1
    item = shelf.get("a/Plan.MD")
    assert (item.state, item.title, item.content_version) == ("indexed", "The plan", 1)
    assert item.people == (Person("Ann", "ann@x.org"),)
    assert shelf.entries() == [(item.id, "put", False)]
    assert [claim.item.key for claim in shelf.waiting()] == ["b.txt"]


def test_a_change_waits_again_and_replaces_what_is_served(shelf) -> None:
    item_id = shelf.add("a.txt", "old")
    shelf.found(shelf.item("a.txt", "2", size=9))
    assert shelf.get("a.txt").state == "pending"
    assert shelf.get("a.txt").content_version == 1, "the old content is served meanwhile"
    shelf.finish(shelf.claim("a.txt"), "new")
    assert (shelf.get("a.txt").id, shelf.get("a.txt").content_version, shelf.get("a.txt").size) == (item_id, 2, 9)
    assert shelf.entries() == [(item_id, "put", False), (item_id, "put", True)]


def test_the_same_content_is_not_put_into_the_index_again(shelf) -> None:
    shelf.add("a.txt", "same")
    shelf.add("a.txt", "same", version="2")
    assert shelf.get("a.txt").content_version == 1
    assert len(shelf.entries()) == 1


def test_the_same_content_with_a_new_date_is_put_again_because_the_index_filters_by_date(shelf) -> None:
    shelf.add("a.txt", "same")
    shelf.add("a.txt", "same", version="2", modified=DAY + timedelta(days=40))
    assert shelf.get("a.txt").modified == DAY + timedelta(days=40)
    assert shelf.entries()[-1] == (shelf.get("a.txt").id, "put", True)


def test_a_name_that_a_source_changed_is_found_under_the_new_one(shelf) -> None:
    shelf.add("7", "text", name="old.txt")
    shelf.add("7", "text", version="2", name="new.txt")
    with shelf.store.database.read() as connection:
        scopes = {shelf.source.acl_id}
        found = [catalog.named(connection, name, catalog.Filters(), scopes, 5) for name in ("old.txt", "new.txt")]
    assert [len(ids) for ids in found] == [0, 1]


def test_the_end_of_an_outdated_reading_is_ignored(shelf) -> None:
    shelf.found(shelf.item("a.txt", "1"))
    begun = shelf.claim("a.txt")
    shelf.found(shelf.item("a.txt", "2"))
    assert shelf.finish(begun, "of version 1") == 0
    assert shelf.get("a.txt").state == "pending"
    assert shelf.entries() == []

    gone = shelf.claim("a.txt")
    with shelf.store.database.write() as connection:
        intake.removed(connection, [gone.id])
    assert shelf.finish(gone, "of a removed item") == 0
    assert shelf.entries() == [(gone.id, "delete", True)]


def test_a_removed_item_is_gone_at_once_and_logged(shelf) -> None:
    ids = [shelf.add(f"{number}.txt", str(number)) for number in range(3)]
    with shelf.store.database.write() as connection:
        assert intake.removed(connection, ids[:2]) == 2
    assert shelf.entries()[-2:] == [(ids[0], "delete", True), (ids[1], "delete", True)]
    with shelf.store.database.read() as connection:
        assert list(catalog.versions(connection)) == ids[2:]


def test_a_renamed_item_keeps_id_content_and_document(shelf) -> None:
    item_id = shelf.add("drafts/plan.txt", "text")
    before = shelf.claim("drafts/plan.txt")
    with shelf.store.database.write() as connection:
        intake.renamed(connection, item_id, shelf.item("final/Report.md"))
    after = shelf.get("final/Report.md")
    assert (after.id, after.name, after.title, after.kind) == (item_id, "Report.md", "Report", "note")
    assert (after.state, after.content_version) == ("indexed", 2)
    assert shelf.claim("final/Report.md").document_id == before.document_id
    assert shelf.entries()[-1] == (item_id, "put", True)


def test_a_title_of_the_documents_own_survives_a_rename(shelf) -> None:
    item_id = shelf.add("a.txt", "text", title="Minutes of March")
    with shelf.store.database.write() as connection:
        intake.renamed(connection, item_id, shelf.item("b.png"))
    assert (shelf.get("b.png").title, shelf.get("b.png").kind) == ("Minutes of March", "image")


def test_the_urgent_comes_first_and_what_is_taken_is_left(shelf) -> None:
    shelf.found(shelf.item("backfill.txt"))
    shelf.found(shelf.item("asked.txt"), priority=intake.ASKED)
    shelf.found(shelf.item("watched.txt"), priority=intake.WATCHED)
    waiting = shelf.waiting()
    assert [claim.item.key for claim in waiting] == ["watched.txt", "asked.txt", "backfill.txt"]
    with shelf.store.database.read() as connection:
        left = intake.waiting(connection, 9, [waiting[0].id], intake.ASKED)
    assert [claim.item.key for claim in left] == ["asked.txt"]
    shelf.found(shelf.item("watched.txt", "2"))
    assert shelf.waiting()[0].item.key == "watched.txt", "a later scan does not make it less urgent"


def test_attempts_are_counted_until_the_item_ends_or_changes(shelf) -> None:
    shelf.found(shelf.item("a.txt"))
    for expected in (1, 2, 3):
        with shelf.store.database.write() as connection:
            intake.attempted(connection, [shelf.claim("a.txt").id])
        assert shelf.claim("a.txt").attempts == expected
    shelf.refuse(shelf.claim("a.txt"), "poison")
    assert (shelf.get("a.txt").state, shelf.get("a.txt").error_code) == ("quarantined", "poison")
    assert shelf.waiting() == [] and shelf.claim("a.txt").attempts == 0
    shelf.found(shelf.item("a.txt", "2"))
    assert shelf.claim("a.txt").attempts == 0
    shelf.finish(shelf.claim("a.txt"))
    assert (shelf.get("a.txt").state, shelf.get("a.txt").error_code) == ("indexed", "")


def test_a_refused_item_is_still_found_by_its_name(shelf) -> None:
    shelf.found(shelf.item("broken.pdf"))
    shelf.refuse(shelf.claim("broken.pdf"))
    item = shelf.get("broken.pdf")
    assert shelf.entries() == [(item.id, "put", False)]
    with shelf.store.database.read() as connection:
        assert [one.key for one in catalog.troubled(connection, 9)] == ["broken.pdf"]
        assert catalog.named(connection, "broken", catalog.Filters(), {shelf.source.acl_id}, 9) == [item.id]


def test_a_new_parser_lets_everything_of_the_old_one_wait_but_members_with_their_containers(shelf) -> None:
    shelf.add("a.txt", "a")
    shelf.add("b.zip", "b")
    shelf.add("b.zip!/c.zip", "c", container="b.zip")
    shelf.add("b.zip!/c.zip!/d.txt", "d", container="b.zip!/c.zip")
    shelf.found(shelf.item("new.txt"))
    with shelf.store.database.write() as connection:
        assert intake.requeue(connection, shelf.parser) == 0
        assert intake.requeue(connection, "test 2") == 2
    assert {claim.item.key for claim in shelf.waiting()} == {"a.txt", "b.zip", "new.txt"}
    assert shelf.waiting()[0].item.key == "new.txt", "what is only made anew comes last"
    assert shelf.claim("b.zip!/c.zip!/d.txt").content_hash == ""
    assert shelf.get("b.zip!/c.zip!/d.txt").state == "indexed", "it is not waiting by itself"


def test_one_outdated_member_deep_down_is_enough_for_its_containers(shelf) -> None:
    shelf.add("b.zip!/c.zip!/d.txt", "d", container="b.zip!/c.zip")
    shelf.parser = "test 2"
    shelf.add("b.zip", "b")
    shelf.add("b.zip!/c.zip", "c", container="b.zip")
    with shelf.store.database.write() as connection:
        assert intake.requeue(connection, "test 2") == 1
    assert [claim.item.key for claim in shelf.waiting()] == ["b.zip"]
    assert shelf.claim("b.zip!/c.zip").content_hash == ""


def test_items_whose_document_is_lost_wait_again_and_are_put_again(shelf) -> None:
    item_id = shelf.add("a.txt", "a")
    with shelf.store.database.write() as connection:
        intake.requeue_items(connection, [item_id])
    assert [(c.id, c.content_hash, c.document_id) for c in shelf.waiting()] == [(item_id, "", None)]
    shelf.finish(shelf.waiting()[0], "a")
    assert shelf.entries()[-1] == (item_id, "put", True)


def test_put_again_writes_put_for_what_exists_and_delete_for_what_does_not(shelf) -> None:
    item_id = shelf.add("a.txt", "a")
    with shelf.store.database.write() as connection:
        intake.put_again(connection, [item_id, "never"])
    assert shelf.entries()[1:] == [(item_id, "put", True), ("never", "delete", True)]


def test_the_same_bytes_share_one_document(store: Store, shelf) -> None:
    shelf.add("a.txt", "same")
    shelf.add("b.txt", "same")
    assert shelf.claim("a.txt").document_id == shelf.claim("b.txt").document_id
    claim = shelf.claim("a.txt")
    with store.database.write() as connection:
        found = intake.document(connection, claim.content_hash, ".txt", shelf.parser)
        assert found is not None and found[0] == claim.document_id
        assert intake.document(connection, claim.content_hash, ".txt", "another parser") is None
        assert intake.document(connection, claim.content_hash, ".md", shelf.parser) is None
        intake.removed(connection, [shelf.get("a.txt").id])
        keeping.forget_unused(connection)
        assert intake.document(connection, claim.content_hash, ".txt", shelf.parser) is not None
        intake.removed(connection, [shelf.get("b.txt").id])
        keeping.forget_unused(connection)
        assert intake.document(connection, claim.content_hash, ".txt", shelf.parser) is None


def test_what_lies_below_a_key_is_told_apart_by_case_and_by_separator(shelf) -> None:
    keys = ["Docs", "Docs/a.txt", "Docs/deep/b.txt", "docs/a.txt", "Docs2/a.txt", "a_b/c.txt", "axb/c.txt", "z.zip"]
    shelf.found(*(shelf.item(key) for key in keys), shelf.item("z.zip!/in.txt", container="z.zip"))
    with shelf.store.database.read() as connection:

        def below(key: str) -> set[str]:
            return set(intake.known_keys(connection, shelf.source.id, [key]))

        assert below("Docs") == {"Docs", "Docs/a.txt", "Docs/deep/b.txt"}
        assert below("a_b") == {"a_b/c.txt"}
        assert below("z.zip") == {"z.zip", "z.zip!/in.txt"}
        assert below("") == {*keys, "z.zip!/in.txt"}
        assert intake.known(connection, shelf.source.id).keys() == below("")


def test_two_sources_may_hold_the_same_key(shelf) -> None:
    other = shelf.other("other")
    mine, theirs = shelf.add("a.txt", "mine"), other.add("a.txt", "theirs")
    assert mine != theirs
    with shelf.store.database.read() as connection:
        assert [intake.known(connection, one.source.id)["a.txt"].id for one in (shelf, other)] == [mine, theirs]


def test_a_source_is_registered_once_and_names_stay_apart(store: Store) -> None:
    with store.database.write() as connection:
        first = sources.add(connection, "files", "/a/docs", "docs")
        assert sources.add(connection, "files", "/a/docs", "another name").id == first.id
        assert sources.add(connection, "files", "/b/docs", "docs").name == "docs-2"
        assert sources.add(connection, "files", "/c/docs", "docs").name == "docs-3"
        assert sources.named(connection, "/b/docs").name == "docs-2"
        with pytest.raises(NotFoundError, match="nothing"):
            sources.named(connection, "nothing")


def test_a_removed_source_leaves_no_items_failures_or_rights(store: Store, shelf) -> None:
    item_id = shelf.add("a.txt")
    with store.database.write() as connection:
        sources.set_failures(connection, shelf.source.id, [Failure("b", "source-unreadable", "No.")], replace=True)
        intake.removed(connection, [item_id])
        sources.remove(connection, shelf.source.id)
    with store.database.read() as connection:
        assert sources.listed(connection) == [] and sources.failed(connection, 9) == []
        assert catalog.by_ids(connection, [item_id], {shelf.source.acl_id}) == {}
    assert store.database.integrity() == []


def test_failures_are_those_of_the_last_sync_and_members_keep_theirs(store: Store, shelf) -> None:
    def failures() -> set[str]:
        with store.database.read() as connection:
            return {failure.key for _, failure in sources.failed(connection, 99)}

    def record(*keys: str, replace: bool) -> None:
        with store.database.write() as connection:
            found = [Failure(key, "source-unreadable", "No.") for key in keys]
            sources.set_failures(connection, shelf.source.id, found, replace)

    record("a", "A.zip!/x", "a.zip!/x", replace=True)
    record("b", replace=False)
    assert failures() == {"a", "b", "A.zip!/x", "a.zip!/x"}
    record("c", replace=True)
    assert failures() == {"c", "A.zip!/x", "a.zip!/x"}
    with store.database.write() as connection:
        sources.forget_member_failures(connection, shelf.source.id, ["a.zip"])
    assert failures() == {"c", "A.zip!/x"}
