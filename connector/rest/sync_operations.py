"""The operations of syncs, each once."""

from connector.rest import sync_assets, sync_runs, syncs
from connector.rest.operation import ASKING, Operation

SYNC = "/v1/syncs/{sync}"
MAPPING = SYNC + "/mapping"
RUN = SYNC + "/runs/{run}"
ASSET = SYNC + "/assets/{asset}"
LOCKS = SYNC + "/locks"
READ, WRITE = "cards:read", "cards:write"
AT_WORK = ("409",)

ITSELF = (
    Operation("GET", "/v1/syncs", "List syncs", syncs.list_syncs, "[Sync]", scope="runs"),
    Operation(
        "POST",
        "/v1/syncs",
        "Create a sync",
        syncs.create_sync,
        "Sync",
        status=201,
        takes=syncs.NewSync,
        fails=ASKING,
        is_narrowed=True,
    ),
    Operation("GET", SYNC, "Get a sync", syncs.get_sync, "Sync", scope="runs"),
    Operation("PATCH", SYNC, "Change a sync", syncs.change_sync, "Sync", takes=syncs.ChangedSync, is_narrowed=True),
    Operation("DELETE", SYNC, "Delete a sync", syncs.delete_sync, None, status=204, fails=AT_WORK, is_narrowed=True),
    Operation("POST", SYNC + "/check", "Check a sync", syncs.check_sync, "SyncPermissions", fails=ASKING, scope="runs"),
    Operation("GET", MAPPING, "Get a mapping", syncs.get_mapping, "SyncMapping", scope="runs"),
    Operation(
        "POST",
        MAPPING + "/propose",
        "Propose a mapping",
        syncs.propose_mapping,
        "ProposedMapping",
        takes=syncs.Proposal,
        fails=ASKING,
        is_narrowed=True,
    ),
    Operation(
        "POST", MAPPING + "/check", "Check a mapping", syncs.check_mapping, "Strangers", fails=ASKING, scope="runs"
    ),
)

RUNS = (
    Operation(
        "POST",
        SYNC + "/plan",
        "Plan a sync",
        sync_runs.plan_sync,
        "PlannedRun",
        later="SyncRun",
        headers=("Prefer",),
        fails=AT_WORK,
        scope=READ,
    ),
    Operation(
        "POST",
        SYNC + "/apply",
        "Apply a plan",
        sync_runs.apply_sync,
        "PlannedRun",
        takes=sync_runs.Application,
        later="SyncRun",
        headers=("Prefer",),
        scope=WRITE,
    ),
    Operation(
        "POST",
        SYNC + "/undo",
        "Undo a run",
        sync_runs.undo_sync,
        "PlannedRun",
        status=201,
        takes=sync_runs.Undoing,
        scope=WRITE,
    ),
    Operation(
        "GET",
        SYNC + "/runs",
        "List runs of a sync",
        sync_runs.list_sync_runs,
        "[SyncRun]",
        query=sync_runs.SyncRunsWanted,
        scope="runs",
    ),
    Operation(
        "GET", RUN, "Get a run of a sync", sync_runs.get_sync_run, "SyncRun", or_gives=sync_runs.PLAIN, scope="runs"
    ),
    Operation(
        "GET",
        RUN + "/changes",
        "List changes of a run",
        sync_runs.list_sync_changes,
        "[SyncChange]",
        query=sync_runs.ChangesWanted,
        scope="runs",
    ),
    Operation("POST", RUN + "/cancel", "Cancel a run of a sync", sync_runs.cancel_sync_run, "SyncRun", scope=WRITE),
    Operation("GET", SYNC + "/holds", "List holds", sync_runs.list_holds, "[Hold]", scope="runs"),
)

ASSETS = (
    Operation("GET", LOCKS, "List locks", sync_assets.list_locks, "[Lock]", scope="runs"),
    Operation(
        "POST",
        LOCKS,
        "Lock a field",
        sync_assets.create_lock,
        "Lock",
        status=201,
        takes=sync_assets.NewLock,
        scope=WRITE,
    ),
    Operation(
        "DELETE",
        LOCKS,
        "Unlock a field",
        sync_assets.delete_lock,
        None,
        status=204,
        query=sync_assets.LockNamed,
        scope=WRITE,
    ),
    Operation(
        "DELETE",
        SYNC + "/links",
        "Remove a link",
        sync_assets.delete_link,
        None,
        status=204,
        query=sync_assets.LinkNamed,
        scope=WRITE,
    ),
    Operation("GET", SYNC + "/outbox", "List the outbox", sync_assets.list_outbox, "[OutboxEntry]", scope="runs"),
    Operation(
        "POST",
        SYNC + "/hook/assets/{asset}",
        "Announce an asset",
        sync_assets.announce_asset,
        "Announced",
        status=202,
        scope=WRITE,
    ),
    Operation(
        "GET", ASSET, "Get a linked asset", sync_assets.get_linked_asset, "LinkedAsset", fails=ASKING, scope=READ
    ),
    Operation(
        "POST",
        ASSET + "/check_out",
        "Check an asset out",
        sync_assets.check_out_asset,
        "Asset",
        takes=sync_assets.CheckOut,
        fails=ASKING,
        scope=WRITE,
    ),
    Operation(
        "POST",
        ASSET + "/check_in",
        "Check an asset in",
        sync_assets.check_in_asset,
        "Asset",
        fails=ASKING,
        scope=WRITE,
    ),
    Operation(
        "POST",
        ASSET + "/tag",
        "Tag an asset",
        sync_assets.tag_asset,
        "Asset",
        takes=sync_assets.NewTag,
        fails=ASKING,
        scope=WRITE,
    ),
    Operation(
        "POST",
        SYNC + "/actions",
        "Run a quick action",
        sync_assets.act_on_asset,
        "Acted",
        takes=sync_assets.QuickAction,
        later="Accepted",
        headers=("Prefer", "IdempotencyKey"),
        fails=("422", *ASKING),
        scope=WRITE,
    ),
)

SYNCS = (*ITSELF, *RUNS, *ASSETS)
