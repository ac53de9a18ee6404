"""Leaks that are planted on purpose: each breaks the product in one way, and the suite must notice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from bowerbird.core.errors import ForbiddenError, NotFoundError
from bowerbird.core.records import SYSTEM, Document, from_json
from bowerbird.index import reader as reading
from bowerbird.index.name_reader import NameReader
from bowerbird.index.reader import Reader
from bowerbird.library import Library
from bowerbird.library.explaining import Explaining
from bowerbird.library.saved import Saved
from bowerbird.search.searcher import Searcher
from bowerbird.serve.app import ROUTERS
from bowerbird.serve.policies import Policy
from bowerbird.store import access, catalog, keeping, outbox
from bowerbird.store.access import Scopes
from bowerbird.store.identity_tables import saved_searches
from bowerbird.store.tables import items, scopes

Patch = pytest.MonkeyPatch
MUTANTS: dict[str, Callable[[Patch], None]] = {}


def mutant(plant: Callable[[Patch], None]) -> Callable[[Patch], None]:
    MUTANTS[plant.__name__] = plant
    return plant


def every_scope(connection: Any) -> frozenset[int]:
    return frozenset(connection.execute(select(scopes.c.acl_id)).scalars())


@mutant
def filtered_after_the_query(patch: Patch) -> None:
    """What is found is filtered when it is shown, but counted before."""
    narrow = Reader._within
    patch.setattr(Reader, "_within", lambda self, *args: (one := narrow(self, *args)) and one._replace(scopes=None))

    def glance(self: Reader, ids: Any) -> Any:
        with self._store.database.read() as connection:
            return catalog.glances(connection, ids, every_scope(connection))

    patch.setattr(Reader, "glance", glance)


@mutant
def completion_from_all_texts(patch: Patch) -> None:
    patch.setattr(Reader, "_all_of_it", lambda self, known: True)


@mutant
def names_of_all_are_suggested(patch: Patch) -> None:
    made = NameReader.__init__
    patch.setattr(
        NameReader,
        "__init__",
        lambda self, connection, names, _: made(self, connection, names, every_scope(connection)),
    )


@mutant
def people_of_all_are_suggested(patch: Patch) -> None:
    people = NameReader.people

    def of_all(self: NameReader, words: Any, most: int) -> Any:
        return people(NameReader(self._connection, self._names, every_scope(self._connection)), words, most)

    patch.setattr(NameReader, "people", of_all)


@mutant
def names_are_likened_to_all(patch: Patch) -> None:
    """What nearly fits the name of a hidden person or source is taken for it, and said so."""
    patch.setattr(
        Reader, "_offered", lambda self, connection: NameReader(connection, self._names, every_scope(connection))
    )


@mutant
def saved_searches_of_anybody(patch: Patch) -> None:
    """Whoever asks is told what somebody else saved."""
    listed = Saved.listed

    def everybodys(self: Saved, person: str) -> Any:
        with self._store.database.read() as connection:
            persons = connection.execute(select(saved_searches.c.person_id).distinct()).scalars().all()
        return [one for other in {person, *persons} for one in listed(self, other)]

    patch.setattr(Saved, "listed", everybodys)


@mutant
def pending_counted_over_all(patch: Patch) -> None:
    def pending(self: Reader) -> tuple[int, int]:
        with self._store.database.read() as connection:
            every = every_scope(connection)
            return catalog.waiting(connection, every), outbox.behind_in(connection, 0, every)

    patch.setattr(Reader, "pending", pending)


@mutant
def facets_counted_over_all(patch: Patch) -> None:
    search = Searcher.search

    def counted(self: Searcher, reader: Reader, text: str, **how: Any) -> Any:
        found = search(self, reader, text, **how)
        whole = search(self, Reader(reader._store, reader._tables, SYSTEM), text, limit=how.get("limit", 10))
        return replace(found, counts=whole.counts)

    patch.setattr(Searcher, "search", counted)


@mutant
def suggestions_name_every_source(patch: Patch) -> None:
    search = Searcher.search

    def hinting(self: Searcher, reader: Reader, text: str, **how: Any) -> Any:
        found = search(self, reader, text, **how)
        with reader._store.database.read() as connection:
            names = sorted(reading.sources.ids_by_name(connection))
        return replace(found, hints=(*found.hints, f"Sources are {', '.join(names)}.")) if "source:" in text else found

    patch.setattr(Searcher, "search", hinting)


@mutant
def answers_kept_without_the_asker(patch: Patch) -> None:
    search, kept = Library.search, dict[Any, Any]()

    def keeping_all(self: Library, text: str, *args: Any, **how: Any) -> Any:
        key = (id(self), text)
        if key not in kept:
            kept[key] = search(self, text, *args, **how)
        return kept[key]

    patch.setattr(Library, "search", keeping_all)


@mutant
def thumbnails_by_hash(patch: Patch) -> None:
    draw = Library.page_image

    def by_hash(self: Library, item_id: str, page: int, width: int, principal: Any) -> bytes:
        with self._store.database.read() as connection:
            row = connection.execute(select(items.c.content_hash).where(items.c.id == item_id)).first()
            blob = keeping.cached_render(connection, row[0], page, width) if row else None
        return self._store.blobs.get(blob) if blob else draw(self, item_id, page, width, principal)

    patch.setattr(Library, "page_image", by_hash)


@mutant
def items_without_their_scope(patch: Patch) -> None:
    item = Library.item
    patch.setattr(Library, "item", lambda self, item_id, principal=SYSTEM: item(self, item_id, SYSTEM))


@mutant
def denials_are_ignored(patch: Patch) -> None:
    see = access.visible_scopes

    def allowing(connection: Any, principal: Any) -> frozenset[int]:
        if principal == SYSTEM:
            return see(connection, principal)
        names = access.expanded(connection, principal)
        entries = access.scope_entries.c
        wanted = select(entries.acl_id).where(entries.principal.in_(sorted(names)), entries.effect == "allow")
        return frozenset(connection.execute(wanted).scalars())

    patch.setattr(access, "visible_scopes", allowing)


@mutant
def rights_kept_beyond_their_change(patch: Patch) -> None:
    """Who was taken out of a group still reads until the process ends."""

    def remembered(self: Scopes, connection: Any, principal: Any) -> frozenset[int]:
        kept = self.__dict__.setdefault("for_ever", {})
        if principal.name not in kept:
            kept[principal.name] = access.visible_scopes(connection, principal)
        return frozenset(kept[principal.name])

    patch.setattr(Scopes, "visible", remembered)


@mutant
def groups_are_not_expanded(patch: Patch) -> None:
    """A denial of a group that holds U's group is missed."""
    whole = access.expanded

    def direct(connection: Any, principal: Any) -> frozenset[str]:
        found = whole(connection, principal)
        members = access.group_members.c
        mine = select(members.group_id).where(members.member == principal.name)
        held = set(connection.execute(mine).scalars())
        return frozenset(one for one in found if not one.startswith("group:local:") or one in held)

    patch.setattr(access, "expanded", direct)


@mutant
def a_cursor_where_others_have_more(patch: Patch) -> None:
    search = Searcher.search

    def revealing(self: Searcher, reader: Reader, text: str, **how: Any) -> Any:
        found = search(self, reader, text, **how)
        if found.cursor or reader.principal == SYSTEM or how.get("cursor"):
            return found
        whole = search(self, Reader(reader._store, reader._tables, SYSTEM), text, limit=how.get("limit", 10))
        return replace(found, cursor="A" * 20 if len(whole.hits) > len(found.hits) else "")

    patch.setattr(Searcher, "search", revealing)


@mutant
def all_sources_are_listed(patch: Patch) -> None:
    patch.setattr(Library, "seen_sources", lambda self, principal: self.sources())


@mutant
def causes_of_invisibility_for_everybody(patch: Patch) -> None:
    """Whoever asks why an item is not found is told what only an admin who views as them may know."""
    why = Explaining.why

    def telling(self: Explaining, text: str, item: str, principal: Any, *how: str) -> Any:
        return why(self, text, item, principal, *how[:2], by="owner")

    patch.setattr(Explaining, "why", telling)


@mutant
def forbidden_instead_of_not_found(patch: Patch) -> None:
    item = Library.item

    def telling(self: Library, item_id: str, principal: Any) -> Any:
        try:
            return item(self, item_id, principal)
        except NotFoundError:
            item(self, item_id, SYSTEM)
            raise ForbiddenError("This item is not yours.", "Ask its owner.") from None

    patch.setattr(Library, "item", telling)


@mutant
def an_error_that_names_the_item(patch: Patch) -> None:
    item = Library.item

    def naming(self: Library, item_id: str, principal: Any) -> Any:
        try:
            return item(self, item_id, principal)
        except NotFoundError:
            hidden = item(self, item_id, SYSTEM)
            raise NotFoundError("There is no such item.", f"Ask for {hidden.name} again.") from None

    patch.setattr(Library, "item", naming)


@mutant
def the_index_is_trusted_before_it_follows(patch: Patch) -> None:
    """No exclusion of what waits in the outbox, and no second lock: what moved is found in its old scope."""
    by_ids, glances = catalog.by_ids, catalog.glances
    patch.setattr(outbox, "narrowing", lambda connection, cursor: [])
    patch.setattr(catalog, "by_ids", lambda connection, ids, _: by_ids(connection, ids, every_scope(connection)))
    patch.setattr(catalog, "glances", lambda connection, ids, _: glances(connection, ids, every_scope(connection)))
    see = Reader.items

    def index_only(self: Reader, ids: Any) -> Any:
        with self._store.database.read() as connection:
            patched = every_scope(connection)
        self._store.scopes, before = _All(patched), self._store.scopes
        try:
            return see(self, ids)
        finally:
            self._store.scopes = before

    patch.setattr(Reader, "items", index_only)


class _All:
    def __init__(self, every: frozenset[int]) -> None:
        self.every = every

    def visible(self, connection: Any, principal: Any) -> frozenset[int]:
        return self.every


@mutant
def the_document_of_another_name(patch: Patch) -> None:
    """The text of an item as it was first extracted: of the same bytes under a name that is not for U."""

    def first(self: Library, item_id: str, principal: Any) -> Document:
        item = self.item(item_id, principal)
        with self._store.database.read() as connection:
            blob = catalog.document_blob(connection, item_id)
        if not blob:
            return Document(item.title, (), "", media_type=item.media_type)
        return from_json(self._store.blobs.get(blob), Document)

    patch.setattr(Library, "document", first)


@mutant
def jobs_for_everybody(patch: Patch) -> None:
    """A route declares too little."""
    for route in (route for router in ROUTERS for route in router.routes):
        if route.path in ("/api/jobs/{job_id}", "/api/jobs"):
            patch.setattr(route, "policy", Policy("guest", "read"))
            patch.setattr(route.endpoint, "__bowerbird_policy__", ("guest", "read"))


@mutant
def raw_scores_are_told(patch: Patch) -> None:
    from bowerbird.search.results import Results

    face = Results.to_dict
    patch.setattr(
        Results, "to_dict", lambda self: {**(f := face(self)), "hits": [{**h, "score": 0.5} for h in f["hits"]]}
    )
