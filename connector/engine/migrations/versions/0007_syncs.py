"""Syncs: their mappings, runs and lines, and what they remember of both sides."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "syncs",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("mapping", sa.Text, nullable=False),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("changed", sa.String(32), nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("due", sa.Float),
        sa.Column("devices", sa.Integer),
        sa.Column("assets", sa.Integer),
    )
    op.create_table(
        "sync_runs",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("sync", sa.String(64), nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("by", sa.String(96), nullable=False),
        sa.Column("started", sa.String(32), nullable=False),
        sa.Column("finished", sa.String(32)),
        sa.Column("segment", sa.Integer, nullable=False, server_default="0"),
        sa.Column("holder", sa.String(32), nullable=False, server_default=""),
        sa.Column("wanted", sa.String(16), nullable=False, server_default=""),
        sa.Column("forced", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("about", sa.Text),
        sa.Column("inputs", sa.String(64)),
        sa.Column("said", sa.Text),
        sa.Column("agreed", sa.LargeBinary),
        sa.Column("error", sa.Text),
    )
    op.create_index("sync_runs_by_sync", "sync_runs", ["sync", "id"])
    op.create_index("sync_runs_by_state", "sync_runs", ["state"])
    op.create_table(
        "sync_changes",
        sa.Column("run", sa.String(64), primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("link", sa.String(128)),
        sa.Column("field", sa.String(256)),
        sa.Column("side", sa.String(8), nullable=False),
        sa.Column("at", sa.String(32)),
        sa.Column("made", sa.String(128)),
        sa.Column("error", sa.Text),
    )
    op.create_index("sync_changes_by_link", "sync_changes", ["link", "field"])
    op.create_table(
        "sync_links",
        sa.Column("sync", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("mdm_id", sa.String(128), nullable=False),
        sa.Column("sys_id", sa.String(128), nullable=False),
        sa.Column("matched_by", sa.String(16), nullable=False),
        sa.Column("since", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("absent", sa.Integer, nullable=False),
        sa.Column("detailed", sa.Float, nullable=False, server_default="0"),
    )
    op.create_table(
        "sync_bases",
        sa.Column("sync", sa.String(64), primary_key=True),
        sa.Column("link", sa.String(128), primary_key=True),
        sa.Column("field", sa.String(256), primary_key=True),
        sa.Column("mdm_value", sa.Text, nullable=False),
        sa.Column("asset_value", sa.Text, nullable=False),
    )
    op.create_table(
        "sync_locks",
        sa.Column("sync", sa.String(64), primary_key=True),
        sa.Column("link", sa.String(128), primary_key=True),
        sa.Column("field", sa.String(256), primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("by", sa.String(96), nullable=False),
        sa.Column("since", sa.String(32), nullable=False),
    )
    op.create_table(
        "sync_outbox",
        sa.Column("sync", sa.String(64), primary_key=True),
        sa.Column("asset", sa.String(128), primary_key=True),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("origin", sa.String(96), nullable=False),
        sa.Column("turn", sa.Integer, nullable=False, server_default="0"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("due", sa.Float),
        sa.Column("field", sa.String(256)),
        sa.Column("value", sa.Text),
        sa.Column("why", sa.Text),
    )
