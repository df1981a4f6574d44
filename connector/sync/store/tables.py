"""The sync's tables in the one store. Migrations make them; this is what the code reads and writes."""

import sqlalchemy as sa

from connector.engine.tables import metadata

NAME, ID, MOMENT = sa.String(64), sa.String(128), sa.String(32)

syncs = sa.Table(
    "syncs",
    metadata,
    sa.Column("name", NAME, primary_key=True),
    sa.Column("mapping", sa.Text, nullable=False),  # the YAML file, with its comments
    sa.Column("created", MOMENT, nullable=False),
    sa.Column("changed", MOMENT, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("due", sa.Float),  # seconds since 1970: when it runs next
    sa.Column("devices", sa.Integer),  # how many the last run read
    sa.Column("assets", sa.Integer),
)

sync_runs = sa.Table(  # each is a plan, and what became of it
    "sync_runs",
    metadata,
    sa.Column("id", NAME, primary_key=True),
    sa.Column("sync", NAME, nullable=False),
    sa.Column("mode", sa.String(16), nullable=False),  # plan, apply, push, undo or action
    sa.Column("state", sa.String(16), nullable=False),  # queued, running, planned, succeeded, failed, canceled
    sa.Column("by", sa.String(96), nullable=False),  # who asked: the id of a key, or the schedule
    sa.Column("started", MOMENT, nullable=False),
    sa.Column("finished", MOMENT),
    sa.Column("segment", sa.Integer, nullable=False, server_default="0"),  # how often it was queued
    sa.Column("holder", sa.String(32), nullable=False, server_default=""),  # who works on it
    sa.Column("wanted", sa.String(16), nullable=False, server_default=""),  # cancel, asked for by a caller
    sa.Column("forced", sa.Boolean, nullable=False, server_default=sa.false()),  # whether limits are no brake
    sa.Column("about", sa.Text),  # JSON: the assets it is about, where these are not all
    sa.Column("inputs", sa.String(64)),  # hash of what the plan was made from
    sa.Column("said", sa.Text),  # JSON: holds, warnings, brakes, why it stopped
    sa.Column("agreed", sa.LargeBinary),  # compressed JSON: bases and links that are recorded when it is applied
    sa.Column("error", sa.Text),  # JSON: the problem that ended it
    sa.Index("sync_runs_by_sync", "sync", "id"),
    sa.Index("sync_runs_by_state", "state"),
)

sync_changes = sa.Table(  # the lines of plans, in order
    "sync_changes",
    metadata,
    sa.Column("run", NAME, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("status", sa.String(16), nullable=False),  # of the plan; then begun, done, stale, failed
    sa.Column("line", sa.Text, nullable=False),  # JSON
    sa.Column("link", ID),  # this and the next two to look for: whose base the line is about, which side it writes
    sa.Column("field", sa.String(256)),
    sa.Column("side", sa.String(8), nullable=False),
    sa.Column("at", MOMENT),  # when it was done, or given up
    sa.Column("made", ID),  # ID of the record it created
    sa.Column("error", sa.Text),
    sa.Index("sync_changes_by_link", "link", "field"),
)

sync_links = sa.Table(
    "sync_links",
    metadata,
    sa.Column("sync", NAME, primary_key=True),
    sa.Column("id", ID, primary_key=True),  # kind and asset or person
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("mdm_id", ID, nullable=False),
    sa.Column("sys_id", ID, nullable=False),
    sa.Column("matched_by", sa.String(16), nullable=False),
    sa.Column("since", MOMENT, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("absent", sa.Integer, nullable=False),
    sa.Column("detailed", sa.Float, nullable=False, server_default="0"),  # when its details were read; 0: never
)

sync_bases = sa.Table(  # what both sides held when they last agreed
    "sync_bases",
    metadata,
    sa.Column("sync", NAME, primary_key=True),
    sa.Column("link", ID, primary_key=True),
    sa.Column("field", sa.String(256), primary_key=True),
    sa.Column("mdm_value", sa.Text, nullable=False),  # JSON
    sa.Column("asset_value", sa.Text, nullable=False),  # JSON
)

sync_locks = sa.Table(
    "sync_locks",
    metadata,
    sa.Column("sync", NAME, primary_key=True),
    sa.Column("link", ID, primary_key=True),
    sa.Column("field", sa.String(256), primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("by", sa.String(96), nullable=False),
    sa.Column("since", MOMENT, nullable=False),
)

sync_outbox = sa.Table(  # assets of which the MDM is still to hear
    "sync_outbox",
    metadata,
    sa.Column("sync", NAME, primary_key=True),
    sa.Column("asset", ID, primary_key=True),
    sa.Column("created", MOMENT, nullable=False),
    sa.Column("origin", sa.String(96), nullable=False),  # hook, a card, or the run that could not tell it
    sa.Column("turn", sa.Integer, nullable=False, server_default="0"),  # how often it was announced
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("due", sa.Float),  # seconds since 1970: when it is tried again; null: at the next whole run
    sa.Column("field", sa.String(256)),
    sa.Column("value", sa.Text),
    sa.Column("why", sa.Text),
)
