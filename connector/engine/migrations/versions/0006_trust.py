"""Keys have scopes, connections a policy; answers are kept for repeats, commands counted, all of it audited."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

# What keys could do until now, which is everything.
SCOPES = ["cards:read", "cards:write", "cards:destroy", "cards:secret", "runs", "admin"]
CARDS = ["*", "kandji.custom_api_action"]


def upgrade() -> None:
    op.add_column("connections", sa.Column("policy", sa.Text, nullable=False, server_default="{}"))
    op.add_column("keys", sa.Column("scopes", sa.Text, nullable=False, server_default="[]"))
    op.add_column("keys", sa.Column("cards", sa.Text))
    op.add_column("keys", sa.Column("connections", sa.Text))
    op.add_column("keys", sa.Column("expires", sa.String(32)))
    op.add_column("keys", sa.Column("last_used", sa.String(32)))
    op.add_column("keys", sa.Column("maker", sa.String(32), nullable=False, server_default=""))
    op.add_column("keys", sa.Column("makers", sa.Text, nullable=False, server_default="[]"))
    keys = sa.table("keys", sa.column("scopes"), sa.column("cards"))
    op.execute(sa.update(keys).values(scopes=json.dumps(SCOPES), cards=json.dumps(CARDS)))
    op.create_table(
        "answers",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("call", sa.String(64), nullable=False),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("until", sa.Float, nullable=False),
        sa.Column("gone", sa.Float, nullable=False),
        sa.Column("answer", sa.LargeBinary),
    )
    op.create_index("answers_until", "answers", ["until"])
    op.create_table(
        "commands",
        sa.Column("run", sa.String(64), primary_key=True),
        sa.Column("connection", sa.String(64), nullable=False),
        sa.Column("destroys", sa.Boolean, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_index("commands_at", "commands", ["connection", "at"])
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("caller", sa.String(32)),
        sa.Column("card", sa.String(128)),
        sa.Column("connection", sa.String(64)),
    )
    op.create_table(
        "approvals",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("caller", sa.String(32), nullable=False),
        sa.Column("card", sa.String(128), nullable=False),
        sa.Column("connection", sa.String(64), nullable=False),
        sa.Column("target", sa.Text),
        sa.Column("payload", sa.String(64), nullable=False),
        sa.Column("call", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("expires", sa.String(32), nullable=False),
        sa.Column("decided_by", sa.String(32)),
        sa.Column("decided_at", sa.String(32)),
        sa.Column("decided_why", sa.Text),
    )
    op.create_index("approvals_by_run", "approvals", ["run"])
    op.create_table(
        "controls",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
