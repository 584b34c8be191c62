"""The hash of a scenario's JSON, beside it; null where the scenario was saved before (history is not written again)."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("scenarios", sa.Column("parts_sha256", sa.String(64)))
