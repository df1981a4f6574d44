"""Runs, the page a stream has in flight, what its flow did not take, and the hosts that are alive."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("card", sa.String(128), nullable=False),
        sa.Column("connection", sa.String(64), nullable=False),
        sa.Column("caller", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started", sa.String(32), nullable=False),
        sa.Column("finished", sa.String(32)),
        sa.Column("error", sa.Text),
        sa.Column("job", sa.Text),
        sa.Column("wanted", sa.String(16), nullable=False, server_default=""),
        sa.Column("redeliver", sa.Text),
        sa.Column("segment", sa.Integer, nullable=False, server_default="0"),
        sa.Column("host", sa.String(64), nullable=False, server_default=""),
        sa.Column("fetched", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("delivered", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("failed", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("skipped", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("pages", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("cursor", sa.Text),
        sa.Column("truncated", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("waiting_for", sa.Text),
        sa.Column("seconds", sa.Float, nullable=False, server_default="0"),
    )
    op.create_index("runs_by_caller", "runs", ["caller", "id"])
    op.create_index("runs_by_state", "runs", ["state"])
    op.create_table(
        "pages",
        sa.Column("run", sa.String(64), primary_key=True),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("next", sa.Text),
        sa.Column("records", sa.LargeBinary, nullable=False),
        sa.Column("skipped", sa.Integer, nullable=False),
        sa.Column("truncated", sa.Boolean, nullable=False),
        sa.Column("done", sa.Text, nullable=False, server_default="[]"),
    )
    op.create_table(
        "failures",
        sa.Column("run", sa.String(64), primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True),
        sa.Column("records", sa.Integer, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "hosts",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("seen", sa.Float, nullable=False),
    )
