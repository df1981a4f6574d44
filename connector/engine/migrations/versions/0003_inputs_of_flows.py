"""What a helper flow says it takes."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("flows", sa.Column("inputs", sa.Text))
