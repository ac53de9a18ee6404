"""The tables, as SQLAlchemy Core knows them; `migrations/` creates them, and a test compares the two.

Times are seconds since 1970-01-01 UTC (float). Ids are of `core.ids.new_id`; scopes, documents and outbox are numbered.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

scopes = Table(
    "scopes",
    metadata,
    Column("acl_id", Integer, primary_key=True),
    Column("source_id", String, nullable=False),
    Column("key", Text, nullable=False),
    UniqueConstraint("source_id", "key"),
)
"""Mutable permission scopes: a source, or a folder, channel, mailbox within it."""

scope_entries = Table(
    "scope_entries",
    metadata,
    Column("acl_id", Integer, ForeignKey("scopes.acl_id", ondelete="CASCADE"), primary_key=True),
    Column("principal", String, primary_key=True),
    Column("effect", String, primary_key=True),
    Column("origin", String, primary_key=True, default="policy"),
    Index("ix_scope_entries_principal", "principal", "acl_id", "effect"),
)
"""Who may (`allow`) and who may not (`deny`, which wins); by the source's `policy`, the `source`, or `rule:ID`."""

sources = Table(
    "sources",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("location", Text, nullable=False, unique=True),
    Column("acl_id", Integer, ForeignKey("scopes.acl_id"), nullable=False),
    Column("policy", String, nullable=False, default="private"),
    Column("owner", String, nullable=False, default="owner"),
    Column("checkpoint", Text, nullable=False, default=""),
    Column("created", Float, nullable=False),
    Column("last_sync", Float),
    Column("state", String, nullable=False, default="new"),
    Column("error", Text, nullable=False, default=""),
)

documents = Table(
    "documents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("content_hash", String, nullable=False),
    Column("ending", String, nullable=False),
    Column("parser", String, nullable=False),
    Column("name", Text, nullable=False),
    Column("blob", String, nullable=False),
    UniqueConstraint("content_hash", "ending", "parser"),
)
"""Extracted once for the same bytes, file name ending and parser."""

items = Table(
    "items",
    metadata,
    Column("id", String, primary_key=True),
    Column("source_id", String, ForeignKey("sources.id", ondelete="CASCADE"), nullable=False),
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_folded", Text, nullable=False),
    Column("stem_folded", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("title_folded", Text, nullable=False),
    Column("uri", Text, nullable=False),
    Column("kind", String, nullable=False),
    Column("media_type", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("modified", Float),
    Column("people", JSON, nullable=False),
    Column("version", Text, nullable=False),
    Column("container", Text, nullable=False, default=""),
    Column("acl_id", Integer, ForeignKey("scopes.acl_id"), nullable=False),
    Column("state", String, nullable=False),
    Column("priority", Integer, nullable=False, default=0),
    Column("attempts", Integer, nullable=False, default=0),
    Column("content_version", Integer, nullable=False, default=0),
    Column("content_hash", String, nullable=False, default=""),
    Column("document_id", Integer, ForeignKey("documents.id")),
    Column("parser", String, nullable=False, default=""),
    Column("language", String, nullable=False, default=""),
    Column("pages", Integer),
    Column("labels", Text, nullable=False, server_default=""),
    Column("recipients", Text, nullable=False, server_default=""),
    Column("error_code", String, nullable=False, default=""),
    Column("error", Text, nullable=False, default=""),
    Column("updated", Float, nullable=False),
    UniqueConstraint("source_id", "key"),
    Index("ix_items_queue", "state", "priority", "updated"),
    Index("ix_items_waiting", "state", "acl_id"),
    Index("ix_items_container", "source_id", "container"),
    Index("ix_items_name_folded", "name_folded"),
    Index("ix_items_stem_folded", "stem_folded"),
    Index("ix_items_title_folded", "title_folded"),
    Index("ix_items_modified", "modified"),
    Index("ix_items_document_id", "document_id"),
    Index("ix_items_acl_id", "acl_id"),
)

failures = Table(
    "failures",
    metadata,
    Column("source_id", String, ForeignKey("sources.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("code", String, nullable=False),
    Column("cause", Text, nullable=False),
    Column("at", Float, nullable=False),
)
"""What a source could not list or read, as of its last sync."""

outbox = Table(
    "outbox",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("item_id", String, nullable=False),
    Column("operation", String, nullable=False),
    Column("replaces", Integer, nullable=False),
    Column("created", Float, nullable=False),
    Index("ix_outbox_item_id", "item_id"),
    sqlite_autoincrement=True,
)
"""The ordered log that generations follow: `put`, `delete` or `scope` (a move); with `replaces` 1, what is served of
the item is stale."""

generations = Table(
    "generations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("folder", String, nullable=False, unique=True),
    Column("state", String, nullable=False),
    Column("recipe", String, nullable=False),
    Column("words_cursor", Integer, nullable=False, default=0),
    Column("vectors_cursor", Integer, nullable=False, default=0),
    Column("words_version", Integer, nullable=False, default=0),
    Column("vectors_version", Integer, nullable=False, default=0),
    Column("created", Float, nullable=False),
)
"""Index generations: `building`, `served` or `retired`, each with its outbox cursors and its Lance versions."""

vectors = Table(
    "vectors",
    metadata,
    Column("key", String, primary_key=True),
    Column("encoder", String, nullable=False),
    Column("blob", String, nullable=False),
    Column("document_id", Integer, ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Index("ix_vectors_document_id", "document_id"),
)
"""Vectors by the hash of what was encoded and by encoder, so that a rebuild embeds nothing."""

renders = Table(
    "renders",
    metadata,
    Column("content_hash", String, primary_key=True),
    Column("page", Integer, primary_key=True),
    Column("width", Integer, primary_key=True),
    Column("blob", String, nullable=False),
)
"""Page images that were drawn."""

terms = Table(
    "terms",
    metadata,
    Column("term", String, primary_key=True),
    Column("passages", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""How many passages hold a word, over all scopes: used to complete the word being typed, never shown."""

jobs = Table(
    "jobs",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("source_id", String),
    Column("state", String, nullable=False),
    Column("done", Integer, nullable=False, default=0),
    Column("total", Integer, nullable=False, default=0),
    Column("failed", Integer, nullable=False, default=0),
    Column("message", Text, nullable=False, default=""),
    Column("attempts", Integer, nullable=False, default=0),
    Column("lease_owner", String, nullable=False, default=""),
    Column("lease_until", Float, nullable=False, default=0.0),
    Column("created", Float, nullable=False),
    Column("started", Float),
    Column("ended", Float),
    Index("ix_jobs_state", "state", "created"),
)

settings = Table(
    "settings",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", Text, nullable=False),
)

backups = Table(
    "backups",
    metadata,
    Column("id", String, primary_key=True),
    Column("path", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("size", Integer, nullable=False),
)
"""Every backup that was written, so that a purge can name those it cannot reach; the file may have been moved since."""

table_sums = Table(
    "table_sums",
    metadata,
    Column("name", String, primary_key=True),
    Column("sum", Integer, nullable=False),
)
"""The sum of the checksums of each table's rows (`store.sums`)."""
