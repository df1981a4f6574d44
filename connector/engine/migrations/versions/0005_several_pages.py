"""Streams have several pages in flight, failed records are due at a time, and hosts share what an origin takes."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.rename_table("pages", "pages_before")
    op.create_table(
        "pages",
        sa.Column("run", sa.String(64), primary_key=True),
        sa.Column("first", sa.BigInteger, primary_key=True),
        sa.Column("next", sa.Text),
        sa.Column("records", sa.LargeBinary, nullable=False),
        sa.Column("skipped", sa.Integer, nullable=False),
        sa.Column("truncated", sa.Boolean, nullable=False),
        sa.Column("done", sa.Text, nullable=False, server_default="[]"),
    )
    op.execute(
        "INSERT INTO pages (run, first, next, records, skipped, truncated, done)"
        " SELECT run, first, next, records, skipped, truncated, done FROM pages_before"
    )
    op.drop_table("pages_before")
    op.add_column("failures", sa.Column("attempts", sa.Integer, nullable=False, server_default="0"))
    op.add_column("failures", sa.Column("due", sa.Float))
    op.create_index("failures_due", "failures", ["run", "due"])
    op.create_table(
        "slots",
        sa.Column("origin", sa.String(64), primary_key=True),
        sa.Column("host", sa.String(64), primary_key=True),
        sa.Column("held", sa.Integer, nullable=False),
        sa.Column("wanted", sa.Integer, nullable=False),
    )
