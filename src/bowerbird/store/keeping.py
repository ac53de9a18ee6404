"""What the store keeps besides rows: vectors and page images by hash; and its own check as a Keeper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import Connection, delete, select, union_all, update
from sqlalchemy.dialects.sqlite import insert

from bowerbird.core.records import Finding
from bowerbird.store import erasing
from bowerbird.store.blobs import Blobs
from bowerbird.store.database import Database, migration_copies
from bowerbird.store.intake import requeue_items
from bowerbird.store.scopes import sweep
from bowerbird.store.tables import documents, items, jobs, renders, sources, vectors


def cached_vectors(connection: Connection, key: str) -> str | None:
    """Return the blob that holds the vectors of a key (hash of what was encoded, and the encoder), or None."""
    blob: str | None = connection.execute(select(vectors.c.blob).where(vectors.c.key == key)).scalar()
    return blob


def cache_vectors(connection: Connection, key: str, encoder: str, blob: str, document_id: int) -> None:
    """Remember the blob that holds the vectors of a key."""
    values = {"key": key, "encoder": encoder, "blob": blob, "document_id": document_id}
    statement = insert(vectors).values(**values)
    connection.execute(statement.on_conflict_do_update(index_elements=[vectors.c.key], set_=values))


def cached_render(connection: Connection, content_hash: str, page: int, width: int) -> str | None:
    """Return the blob that holds a page image, or None."""
    same = (renders.c.content_hash == content_hash, renders.c.page == page, renders.c.width == width)
    blob: str | None = connection.execute(select(renders.c.blob).where(*same)).scalar()
    return blob


def cache_render(connection: Connection, content_hash: str, page: int, width: int, blob: str) -> None:
    """Remember the blob that holds a page image."""
    values = {"content_hash": content_hash, "page": page, "width": width, "blob": blob}
    connection.execute(insert(renders).values(**values).on_conflict_do_nothing())


def forget_unused(connection: Connection) -> None:
    """Forget documents, vectors and page images that no item uses any more; `sweep` removes their blobs."""
    used = select(items.c.document_id).where(items.c.document_id.is_not(None))
    connection.execute(delete(vectors).where(vectors.c.document_id.not_in(used)))
    connection.execute(delete(documents).where(documents.c.id.not_in(used)))
    connection.execute(delete(renders).where(renders.c.content_hash.not_in(select(items.c.content_hash))))
    for source_id in connection.execute(select(sources.c.id)).scalars().all():
        sweep(connection, source_id)  # scopes are named by paths


class StoreKeeper:
    """Keeper of the SQL file and the blobs."""

    name = "store"

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database = database
        self._blobs = blobs

    def verify(self) -> Iterator[Finding]:
        """Yield what SQLite finds damaged, blobs that are missing or damaged, and blobs nobody refers to."""
        for problem in self._database.integrity():
            yield Finding(self.name, str(self._database.file), problem, repairable=False)
        named = self._referenced()
        for name in sorted(named):
            if not self._blobs.sound(name):
                yield Finding(self.name, f"blob {name}", "missing or damaged")
        for name in self._blobs.names():
            if name not in named:
                yield Finding(self.name, f"blob {name}", "nobody refers to it")

    def repair(self, findings: Iterable[Finding]) -> int:
        """Remove stray and damaged blobs; what a damaged one held is extracted or computed again."""
        names = [f.subject.removeprefix("blob ") for f in findings if f.keeper == self.name and f.repairable]
        with self._database.write() as connection:
            for start in range(0, len(names), 500):
                some = names[start : start + 500]
                connection.execute(delete(vectors).where(vectors.c.blob.in_(some)))
                connection.execute(delete(renders).where(renders.c.blob.in_(some)))
                lost = select(documents.c.id).where(documents.c.blob.in_(some))
                holders = connection.execute(select(items.c.id).where(items.c.document_id.in_(lost))).scalars()
                requeue_items(connection, list(holders))
                connection.execute(delete(vectors).where(vectors.c.document_id.in_(lost)))
                connection.execute(delete(documents).where(documents.c.blob.in_(some)))
        for name in names:
            self._blobs.remove(name)
        self.sweep()  # the vectors of a document that is lost
        return len(names)

    def purge(self, purged: Iterable[str]) -> Mapping[str, int]:
        """Remove what only these (already forgotten) items used, and every byte of them in the SQL file and its log.

        What ended jobs told may name them too, so it is forgotten, and so are the copies made before migrations. Only
        the holder of the writer's lock may call this, while nothing is being read or embedded.
        """
        del purged  # the rows are gone; what is left over is found by what still exists
        with self._database.write() as connection:
            forget_unused(connection)
            ended = jobs.c.state.in_(("done", "failed", "cancelled"))
            connection.execute(update(jobs).where(ended).values(message=""))
        blobs = self.sweep()
        self._blobs.remove_unfinished(older_than=0.0)
        copies = self._remove_copies()
        self._database.vacuum()
        return {"blobs": blobs, "copies before migrations": copies}

    def export(self, person: str) -> dict[str, object]:
        """Return all rows about somebody."""
        with self._database.read() as connection:
            return erasing.exported(connection, person)

    def erase(self, person: str) -> int:
        """Remove all rows about somebody, and every byte of them in the SQL file and its log; returns how many rows."""
        with self._database.write() as connection:
            count = erasing.erased(connection, person)
        self._remove_copies()
        self._database.vacuum()
        return count

    def sweep(self) -> int:
        """Remove blobs that nobody refers to; returns how many. Only the holder of the writer's lock may call this."""
        with self._blobs.sweeping():
            named = self._referenced()
            stray = [name for name in self._blobs.names() if name not in named]
            for name in stray:
                self._blobs.remove(name)
        return len(stray)

    def _remove_copies(self) -> int:
        copies = migration_copies(self._database.file.parent)
        for copy in copies:
            copy.unlink()
        return len(copies)

    def _referenced(self) -> set[str]:
        with self._database.read() as connection:
            every = union_all(select(documents.c.blob), select(vectors.c.blob), select(renders.c.blob))
            return set(connection.execute(every).scalars())
