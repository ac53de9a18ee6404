"""The tables of people, what lets them in, and the record of what was done; `tables.metadata` holds them too."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from bowerbird.store.tables import metadata

people = Table(
    "people",
    metadata,
    Column("id", String, primary_key=True),
    Column("handle", String, nullable=False, unique=True),
    Column("name", Text, nullable=False, default=""),
    Column("address", Text, nullable=False, default=""),
    Column("role", String, nullable=False),
    Column("state", String, nullable=False, default="active"),
    Column("pseudonym", String, nullable=False, unique=True),
    Column("password", Text, nullable=False, default=""),
    Column("totp_secret", Text, nullable=False, default=""),
    Column("totp_step", Integer, nullable=False, default=0),
    Column("created", Float, nullable=False),
    Column("seen", Float),
)
"""Everybody with a way in. `state` is active or suspended; `pseudonym` stands for them in the audit log."""

accounts = Table(
    "accounts",
    metadata,
    Column("provider", String, primary_key=True),
    Column("subject", String, primary_key=True),
    Column("person_id", String, ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("created", Float, nullable=False),
    Index("ix_accounts_person_id", "person_id"),
)
"""Who somebody is elsewhere: the issuer of OpenID Connect and its `sub`."""

groups = Table(
    "groups",
    metadata,
    Column("id", String, primary_key=True),
    Column("source", String, nullable=False),
    Column("name", String, nullable=False),
    Column("created", Float, nullable=False),
    UniqueConstraint("source", "name"),
)
"""Groups; the id is the principal `group:SOURCE:NAME`, `local` where they are made here."""

group_members = Table(
    "group_members",
    metadata,
    Column("group_id", String, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Column("member", String, primary_key=True),
    Column("origin", String, nullable=False, default="local"),
    Index("ix_group_members_member", "member"),
)
"""A member is a principal: `user:ID`, or another group."""

sessions = Table(
    "sessions",
    metadata,
    Column("hash", String, primary_key=True),
    Column("person_id", String, ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("created", Float, nullable=False),
    Column("seen", Float, nullable=False),
    Column("ends", Float, nullable=False),
    Column("viewing", String, nullable=False, default=""),
    Column("agent", Text, nullable=False, default=""),
    Index("ix_sessions_person_id", "person_id"),
)
"""Browsers that are signed in, by the SHA-256 of their secret; `viewing` is the person an admin looks through."""

tokens = Table(
    "tokens",
    metadata,
    Column("id", String, primary_key=True),
    Column("hash", String, nullable=False, unique=True),
    Column("person_id", String, ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("grants", String, nullable=False),
    Column("created", Float, nullable=False),
    Column("seen", Float),
    Column("ends", Float),
    Index("ix_tokens_person_id", "person_id"),
)
"""API tokens by the SHA-256 of their secret; `grants` is a comma-separated list of read, write and admin."""

invitations = Table(
    "invitations",
    metadata,
    Column("hash", String, primary_key=True),
    Column("purpose", String, nullable=False),
    Column("person_id", String, ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("created", Float, nullable=False),
    Column("ends", Float, nullable=False),
    Index("ix_invitations_person_id", "person_id"),
)
"""One-time links: `signin` (opens a session), `password` (sets a first or a new password)."""

attempts = Table(
    "attempts",
    metadata,
    Column("key", String, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last", Float, nullable=False),
    Column("until", Float, nullable=False),
)
"""Failed sign-ins by a keyed hash of the name or the address they came from, and until when the next is refused."""

saved_searches = Table(
    "saved_searches",
    metadata,
    Column("id", String, primary_key=True),
    Column("person_id", String, ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("name_folded", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("sort", String, nullable=False),
    Column("created", Float, nullable=False),
    UniqueConstraint("person_id", "name_folded"),
)
"""Searches that somebody keeps under a name, for themselves."""

access_rules = Table(
    "access_rules",
    metadata,
    Column("id", String, primary_key=True),
    Column("source_id", String, ForeignKey("sources.id", ondelete="CASCADE"), nullable=False),
    Column("prefix", Text, nullable=False),
    Column("principal", String, nullable=False),
    Column("effect", String, nullable=False),
    Column("created", Float, nullable=False),
    UniqueConstraint("source_id", "prefix", "principal", "effect"),
)
"""What an admin decided: everything at or below `prefix` ("" is the whole source) is allowed or denied."""

mappings = Table(
    "mappings",
    metadata,
    Column("source_id", String, ForeignKey("sources.id", ondelete="CASCADE"), primary_key=True),
    Column("theirs", String, primary_key=True),
    Column("principal", String, nullable=False),
)
"""What a source calls somebody (`user:alice`, `group:staff`, `public`) -> our principal."""

scope_claims = Table(
    "scope_claims",
    metadata,
    Column("source_id", String, ForeignKey("sources.id", ondelete="CASCADE"), primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("theirs", String, primary_key=True),
    Column("effect", String, primary_key=True),
)
"""What a source says about its scopes, in its own words; `mappings` turn it into entries of the origin `source`."""

access_state = Table(
    "access_state",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", Integer, nullable=False),
)
"""One row; triggers raise `version` with every change of scopes, entries, groups or people."""

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("actor", String, nullable=False),
    Column("action", String, nullable=False),
    Column("object", String, nullable=False),
    Column("hash", String, nullable=False),
    sqlite_autoincrement=True,
)
"""Append-only: who (a pseudonym, or `system`) did what to which id; each hash covers the row and the one before."""

title_words = Table(
    "title_words",
    metadata,
    Column("word", String, primary_key=True),
    Column("item_id", String, ForeignKey("items.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_title_words_item_id", "item_id"),
    sqlite_with_rowid=False,
)
"""The words of names and titles: what a person is typing is completed from the items that person may see."""

past_queries = Table(
    "past_queries",
    metadata,
    Column("person_id", String, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("folded", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("times", Integer, nullable=False),
    Column("asked", Float, nullable=False),
)
"""What somebody searched for before, offered to nobody else; `folded` is what makes two queries the same."""

name_changes = Table(
    "name_changes",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("item_id", String, nullable=False),
    sqlite_autoincrement=True,
)
"""Items whose name, place, people, date or scope changed, the newest of them: what `index.names` follows.

Triggers write it, and forget all but the newest 100,000.
"""
