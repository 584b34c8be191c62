"""Contents, scenarios, plans, decisions; the database itself refuses to change or delete any of it."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SHA, ID, WHEN = sa.String(64), sa.String(16), sa.String(27)
SEQUENCE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
KEYS = {
    "contents": ("sha256",),
    "scenarios": ("input_hash",),
    "plans": ("seq", "id"),
    "decisions": ("seq", "id"),
}


def upgrade() -> None:
    op.create_table(
        "contents",
        sa.Column("sha256", SHA, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_contents"),
    )
    op.create_table(
        "scenarios",
        sa.Column("input_hash", SHA, nullable=False),
        sa.Column("at", WHEN, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("parts", sa.Text, nullable=False),
        sa.Column("territories", SHA, nullable=False),
        sa.Column("demands", SHA, nullable=False),
        sa.Column("prior_aid", SHA),
        sa.PrimaryKeyConstraint("input_hash", name="pk_scenarios"),
        sa.ForeignKeyConstraint(["territories"], ["contents.sha256"], name="fk_scenarios_territories"),
        sa.ForeignKeyConstraint(["demands"], ["contents.sha256"], name="fk_scenarios_demands"),
        sa.ForeignKeyConstraint(["prior_aid"], ["contents.sha256"], name="fk_scenarios_prior_aid"),
    )
    op.create_table(
        "plans",
        sa.Column("seq", SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("at", WHEN, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("scenario", sa.Text, nullable=False),
        sa.Column("input_hash", SHA, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("objective", sa.Text),
        sa.Column("bound", sa.Text),
        sa.Column("gap", sa.Float(53)),
        sa.Column("levels", sa.Text, nullable=False),
        sa.Column("certified", sa.Boolean, nullable=False),
        sa.Column("certificate", sa.Text, nullable=False),
        sa.Column("engine", sa.Text, nullable=False),
        sa.Column("gap_allowed", sa.Float(53), nullable=False),
        sa.Column("time_limit", sa.Float(53)),
        sa.Column("versions", sa.Text, nullable=False),
        sa.Column("granted", sa.BigInteger, nullable=False),
        sa.Column("grants", SHA, nullable=False),
        sa.Column("moved", sa.Text, nullable=False),
        sa.Column("nonce", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_plans"),
        sa.UniqueConstraint("id", name="uq_plans_id"),
        sa.ForeignKeyConstraint(["input_hash"], ["scenarios.input_hash"], name="fk_plans_input_hash"),
        sa.ForeignKeyConstraint(["grants"], ["contents.sha256"], name="fk_plans_grants"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "decisions",
        sa.Column("seq", SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("at", WHEN, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("plan", ID, nullable=False),
        sa.Column("nonce", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_decisions"),
        sa.UniqueConstraint("id", name="uq_decisions_id"),
        sa.ForeignKeyConstraint(["plan"], ["plans.id"], name="fk_decisions_plan"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_decisions_plan", "decisions", ["plan"])
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def _guard_sqlite() -> None:
    for table, keys in KEYS.items():
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'history is only added to'); END"
            )
        # INSERT OR REPLACE deletes without asking the trigger above
        taken = " OR ".join(f"{key} = NEW.{key}" for key in keys)
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {taken}) "
            "BEGIN SELECT RAISE(ABORT, 'history is only added to'); END"
        )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION history_is_only_added_to() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'history is only added to'; END $$"
    )
    for table in KEYS:
        op.execute(
            f"CREATE TRIGGER {table}_only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION history_is_only_added_to()"
        )
