"""People, groups, sessions, tokens, rules, mappings, a chained audit log, and words of titles."""

import hashlib
import re
import time

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

WATCHED = {
    "scopes": ("INSERT", "DELETE"),
    "scope_entries": ("INSERT", "UPDATE", "DELETE"),
    "groups": ("INSERT", "DELETE"),
    "group_members": ("INSERT", "UPDATE", "DELETE"),
    "people": ("INSERT", "UPDATE OF role, state", "DELETE"),
}


def upgrade() -> None:
    """Create the new tables, and bring old rows over."""
    _create_people()
    _create_ways_in()
    _create_access()
    _create_title_words()
    _create_records()
    _move_audit()
    for table, events in WATCHED.items():
        for number, event in enumerate(events):
            op.execute(
                f"CREATE TRIGGER access_{table}_{number} AFTER {event} ON {table}"
                " BEGIN UPDATE access_state SET version = version + 1; END"
            )


def _create_people() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("handle", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("pseudonym", sa.String(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("totp_secret", sa.Text(), nullable=False),
        sa.Column("totp_step", sa.Integer(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("seen", sa.Float()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("handle", name=op.f("uq_people_handle")),
        sa.UniqueConstraint("pseudonym", name=op.f("uq_people_pseudonym")),
    )
    op.execute(
        sa.text(
            "INSERT INTO people (id, handle, name, address, role, state, pseudonym, password, totp_secret, totp_step,"
            " created) VALUES ('owner', 'owner', '', '', 'owner', 'active', lower(hex(randomblob(8))), '', '', 0, :now)"
        ).bindparams(now=time.time())
    )
    op.create_table(
        "accounts",
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "subject", name=op.f("pk_accounts")),
        _person("accounts"),
    )
    op.create_index(op.f("ix_accounts_person_id"), "accounts", ["person_id"])
    op.create_table(
        "groups",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
        sa.UniqueConstraint("source", "name", name=op.f("uq_groups_source_name")),
    )
    op.create_table(
        "group_members",
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("group_id", "member", name=op.f("pk_group_members")),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name=op.f("fk_group_members_group_id"), ondelete="CASCADE"
        ),
    )
    op.create_index(op.f("ix_group_members_member"), "group_members", ["member"])


def _person(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f(f"fk_{table}_person_id"), ondelete="CASCADE")


def _create_ways_in() -> None:
    op.create_table(
        "sessions",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("seen", sa.Float(), nullable=False),
        sa.Column("ends", sa.Float(), nullable=False),
        sa.Column("viewing", sa.String(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_sessions")),
        _person("sessions"),
    )
    op.create_index(op.f("ix_sessions_person_id"), "sessions", ["person_id"])
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("grants", sa.String(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("seen", sa.Float()),
        sa.Column("ends", sa.Float()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("hash", name=op.f("uq_tokens_hash")),
        _person("tokens"),
    )
    op.create_index(op.f("ix_tokens_person_id"), "tokens", ["person_id"])
    op.create_table(
        "invitations",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("ends", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_invitations")),
        _person("invitations"),
    )
    op.create_index(op.f("ix_invitations_person_id"), "invitations", ["person_id"])
    op.create_table(
        "attempts",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last", sa.Float(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_attempts")),
    )


def _create_access() -> None:
    op.add_column("sources", sa.Column("policy", sa.String(), nullable=False, server_default="private"))
    op.add_column("sources", sa.Column("owner", sa.String(), nullable=False, server_default="owner"))
    op.rename_table("scope_entries", "scope_entries_before")
    op.drop_index("ix_scope_entries_principal", "scope_entries_before")
    op.create_table(
        "scope_entries",
        sa.Column("acl_id", sa.Integer(), nullable=False),
        sa.Column("principal", sa.String(), nullable=False),
        sa.Column("effect", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("acl_id", "principal", "effect", "origin", name=op.f("pk_scope_entries")),
        sa.ForeignKeyConstraint(
            ["acl_id"], ["scopes.acl_id"], name=op.f("fk_scope_entries_acl_id"), ondelete="CASCADE"
        ),
    )
    op.create_index("ix_scope_entries_principal", "scope_entries", ["principal", "acl_id", "effect"])
    op.execute("INSERT INTO scope_entries SELECT acl_id, principal, effect, 'policy' FROM scope_entries_before")
    op.drop_table("scope_entries_before")
    op.create_table(
        "access_rules",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("principal", sa.String(), nullable=False),
        sa.Column("effect", sa.String(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_rules")),
        sa.UniqueConstraint(
            "source_id", "prefix", "principal", "effect",
            name=op.f("uq_access_rules_source_id_prefix_principal_effect"),
        ),
        _source("access_rules"),
    )  # fmt: skip
    op.create_table(
        "mappings",
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("theirs", sa.String(), nullable=False),
        sa.Column("principal", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "theirs", name=op.f("pk_mappings")),
        _source("mappings"),
    )
    op.create_table(
        "scope_claims",
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("theirs", sa.String(), nullable=False),
        sa.Column("effect", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "scope", "theirs", "effect", name=op.f("pk_scope_claims")),
        _source("scope_claims"),
    )
    op.create_table(
        "access_state",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_state")),
    )
    op.create_index(op.f("ix_items_acl_id"), "items", ["acl_id"])
    op.execute("INSERT INTO access_state (id, version) VALUES (1, 1)")


def _source(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["source_id"], ["sources.id"], name=op.f(f"fk_{table}_source_id"), ondelete="CASCADE"
    )


def _create_title_words() -> None:
    op.create_table(
        "title_words",
        sa.Column("word", sa.String(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("word", "item_id", name=op.f("pk_title_words")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_title_words_item_id"), ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_title_words_item_id"), "title_words", ["item_id"])
    connection = op.get_bind()
    titles = connection.execute(sa.text("SELECT id, name, title FROM items WHERE content_version > 0"))
    rows = [
        {"word": word, "item": item}
        for item, name, title in titles.all()
        for word in set(re.findall(r"[^\W\d_][^\W_]{1,23}", f"{name} {title}".lower()))
    ]
    if rows:
        connection.execute(sa.text("INSERT INTO title_words (word, item_id) VALUES (:word, :item)"), rows)


def _create_records() -> None:
    op.create_table(
        "backups",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backups")),
    )
    op.create_table(
        "table_sums",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sum", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_table_sums")),
    )


def _move_audit() -> None:
    """Chain the old rows; their details may hold names, so they are not kept."""
    connection = op.get_bind()
    old = connection.execute(sa.text("SELECT at, principal, action FROM audit ORDER BY id")).all()
    op.drop_table("audit")
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("object", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    before = ""
    for at, principal, action in old:
        actor = "system" if principal == "system" else "unknown"
        before = hashlib.sha256("\x1f".join((before, repr(at), actor, action, "")).encode()).hexdigest()
        values = {"at": at, "actor": actor, "action": action, "hash": before}
        statement = "INSERT INTO audit (at, actor, action, object, hash) VALUES (:at, :actor, :action, '', :hash)"
        connection.execute(sa.text(statement), values)
