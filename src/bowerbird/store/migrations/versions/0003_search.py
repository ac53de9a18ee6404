"""What searches narrow by: labels of an item, and whom a message went to. Searches that somebody keeps."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the new columns and tables."""
    op.add_column("items", sa.Column("labels", sa.Text, nullable=False, server_default=""))
    op.add_column("items", sa.Column("recipients", sa.Text, nullable=False, server_default=""))
    _create_saved()
    _create_suggestions()
    op.execute("DELETE FROM generations")  # the index has other columns and words now: it is made anew from here


def _create_saved() -> None:
    op.create_table(
        "saved_searches",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_folded", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("sort", sa.String(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_searches")),
        sa.UniqueConstraint("person_id", "name_folded", name=op.f("uq_saved_searches_person_id_name_folded")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_saved_searches_person_id"), ondelete="CASCADE"
        ),
    )


_NAMED = ("name", "title", "key", "modified", "people", "acl_id", "source_id", "labels")
"""The columns of items that suggestions are made of."""


def _create_suggestions() -> None:
    op.create_table(
        "past_queries",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "folded", name=op.f("pk_past_queries")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_past_queries_person_id"), ondelete="CASCADE"
        ),
    )
    op.create_table(
        "name_changes",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_name_changes")),
        sqlite_autoincrement=True,
    )
    differs = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in _NAMED)
    for event, when, side in (
        ("INSERT", "1", "NEW"), (f"UPDATE OF {', '.join(_NAMED)}", differs, "NEW"), ("DELETE", "1", "OLD"),
    ):  # fmt: skip
        op.execute(
            f"CREATE TRIGGER names_{event[:6].lower()} AFTER {event} ON items WHEN {when} BEGIN"  # noqa: S608 - our own
            f" INSERT INTO name_changes (item_id) VALUES ({side}.id); END"
        )
    op.execute(
        "CREATE TRIGGER names_forgotten AFTER INSERT ON name_changes WHEN NEW.seq % 1000 = 0"
        " BEGIN DELETE FROM name_changes WHERE seq <= NEW.seq - 100000; END"
    )
