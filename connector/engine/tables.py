"""The tables of the store. Migrations make them; this is what the code reads and writes."""

import sqlalchemy as sa

metadata = sa.MetaData()

connections = sa.Table(
    "connections",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("connector", sa.String(64), nullable=False),
    sa.Column("fields", sa.Text, nullable=False),  # sealed JSON
    sa.Column("created", sa.String(32), nullable=False),
    sa.Column("changed", sa.String(32), nullable=False),
    sa.Column("policy", sa.Text, nullable=False, server_default="{}"),  # JSON: what differs from the default policy
)

flows = sa.Table(
    "flows",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("target", sa.Text, nullable=False),  # sealed JSON: url, secret, headers, retired secrets
    sa.Column("created", sa.String(32), nullable=False),
    sa.Column("inputs", sa.Text),  # JSON Schema of the body it takes
)

keys = sa.Table(
    "keys",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("label", sa.String(200), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("created", sa.String(32), nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),  # JSON: list
    sa.Column("cards", sa.Text),  # JSON: list of keys and patterns; null: all but those that are given by name
    sa.Column("connections", sa.Text),  # JSON: list of names; null: all
    sa.Column("expires", sa.String(32)),
    sa.Column("last_used", sa.String(32)),
    sa.Column("maker", sa.String(32), nullable=False, server_default=""),  # id of the key that made it
    sa.Column("makers", sa.Text, nullable=False, server_default="[]"),  # JSON: of that, and the ones that made it
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("card", sa.String(128), nullable=False),
    sa.Column("connection", sa.String(64), nullable=False),
    sa.Column("caller", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("started", sa.String(32), nullable=False),
    sa.Column("finished", sa.String(32)),
    sa.Column("error", sa.Text),  # JSON: the problem it ended with
    sa.Column("job", sa.Text),  # sealed JSON: what a stream needs to go on
    sa.Column("wanted", sa.String(16), nullable=False, server_default=""),  # pause or cancel, asked for by a caller
    sa.Column("redeliver", sa.Text),  # JSON: that failures are sent again, and the state after it
    sa.Column("segment", sa.Integer, nullable=False, server_default="0"),  # how often it was begun: each is a workflow
    sa.Column("host", sa.String(64), nullable=False, server_default=""),
    sa.Column("fetched", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("delivered", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("failed", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("skipped", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("pages", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("cursor", sa.Text),
    sa.Column("truncated", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("waiting_for", sa.Text),
    sa.Column("seconds", sa.Float, nullable=False, server_default="0"),  # at work, without pauses
    sa.Index("runs_by_caller", "caller", "id"),
    sa.Index("runs_by_state", "state"),
)

pages = sa.Table(  # that streams have in flight: delivered again as they were if the host dies
    "pages",
    metadata,
    sa.Column("run", sa.String(64), primary_key=True),
    sa.Column("first", sa.BigInteger, primary_key=True),  # position of its first record
    sa.Column("next", sa.Text),
    sa.Column("records", sa.LargeBinary, nullable=False),  # sealed, compressed JSON
    sa.Column("skipped", sa.Integer, nullable=False),
    sa.Column("truncated", sa.Boolean, nullable=False),
    sa.Column("done", sa.Text, nullable=False, server_default="[]"),  # JSON: positions that are done
)

failures = sa.Table(  # what flows did not take, or not yet
    "failures",
    metadata,
    sa.Column("run", sa.String(64), primary_key=True),
    sa.Column("position", sa.BigInteger, primary_key=True),
    sa.Column("records", sa.Integer, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),  # sealed: the bytes that were sent
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("due", sa.Float),  # when it is sent again, in seconds since 1970; null: it has failed
    sa.Index("failures_due", "run", "due"),
)

failed_records = sa.func.coalesce(sa.func.sum(failures.c.records), 0)  # of the failures that are asked for

budgets = sa.Table(  # how many requests a connection has made in the last hour of the clock in which it made any
    "budgets",
    metadata,
    sa.Column("connection", sa.String(64), primary_key=True),
    sa.Column("hour", sa.BigInteger, nullable=False),  # when it began, in seconds since 1970
    sa.Column("used", sa.BigInteger, nullable=False),
)

answers = sa.Table(  # of calls with an Idempotency-Key, and of destructive ones for a while
    "answers",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),  # of caller, card, connection and key (ID-2)
    sa.Column("call", sa.String(64), nullable=False),  # fingerprint of options and inputs (ID-3)
    sa.Column("run", sa.String(64), nullable=False),
    sa.Column("until", sa.Float, nullable=False),  # seconds since 1970: then the key is free again
    sa.Column("gone", sa.Float, nullable=False),  # seconds since 1970: then the answer is not kept any more (ID-8)
    sa.Column("answer", sa.LargeBinary),  # sealed
    sa.Index("answers_until", "until"),
)

commands = sa.Table(  # disruptive cards that were sent, as long as caps count them
    "commands",
    metadata,
    sa.Column("run", sa.String(64), primary_key=True),
    sa.Column("connection", sa.String(64), nullable=False),
    sa.Column("destroys", sa.Boolean, nullable=False),
    sa.Column("at", sa.Float, nullable=False),  # seconds since 1970
    sa.Index("commands_at", "connection", "at"),
)

audit = sa.Table(  # append-only; each entry has the hash of the one before (DA-8)
    "audit",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("entry", sa.Text, nullable=False),  # canonical JSON
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("caller", sa.String(32)),  # this and the next two as in the entry, to look for
    sa.Column("card", sa.String(128)),
    sa.Column("connection", sa.String(64)),
)

approvals = sa.Table(  # calls that wait for a second person
    "approvals",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("run", sa.String(64), nullable=False),
    sa.Column("caller", sa.String(32), nullable=False),
    sa.Column("card", sa.String(128), nullable=False),
    sa.Column("connection", sa.String(64), nullable=False),
    sa.Column("target", sa.Text),
    sa.Column("payload", sa.String(64), nullable=False),  # fingerprint of the call that was asked for
    sa.Column("call", sa.Text),  # sealed JSON, until it is decided
    sa.Column("reason", sa.Text),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("created", sa.String(32), nullable=False),
    sa.Column("expires", sa.String(32), nullable=False),
    sa.Column("decided_by", sa.String(32)),
    sa.Column("decided_at", sa.String(32)),
    sa.Column("decided_why", sa.Text),
    sa.Index("approvals_by_run", "run"),
)

controls = sa.Table(  # single values that all hosts share, such as the kill switch
    "controls",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

slots = sa.Table(  # how many requests each host may have in flight to an origin
    "slots",
    metadata,
    sa.Column("origin", sa.String(64), primary_key=True),  # its SHA-256
    sa.Column("host", sa.String(64), primary_key=True),
    sa.Column("held", sa.Integer, nullable=False),
    sa.Column("wanted", sa.Integer, nullable=False),
)

hosts = sa.Table(
    "hosts",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("seen", sa.Float, nullable=False),
)


def workflow_of_run() -> sa.ColumnElement[str]:
    """The ID of the workflow that is at a run."""
    return runs.c.id + "." + sa.cast(runs.c.segment, sa.String)


def workflows(db: sa.Connection) -> sa.TableClause:
    """DBOS's own table of workflows."""
    schema = "dbos" if db.dialect.name == "postgresql" else None
    return sa.table("workflow_status", sa.column("workflow_uuid"), sa.column("status"), schema=schema)
