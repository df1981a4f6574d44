"""What the host offers besides calling cards: each operation once, as a route and in the OpenAPI document."""

from connector.rest import discovery, documents, events, keys, resources, runs, trust
from connector.rest.operation import ASKING, CONNECTION, Operation
from connector.rest.sync_operations import SYNCS

CARD = "/v1/cards/{connector}/{card}"
FLOW = "/v1/flows/{name}"
KEY = "/v1/keys/{id}"
RUN = "/v1/runs/{run}"
APPROVAL = "/v1/approvals/{approval}"
EVENTS = "text/event-stream"
METRICS = "text/plain"
DESTROY = "cards:destroy"  # who asks for an approval has it, and who gives it

CATALOGUE = (
    Operation("GET", "/v1/connectors", "List connectors", discovery.list_connectors, "[Connector]", scope=None),
    Operation("GET", "/v1/connectors/{connector}", "Get a connector", discovery.get_connector, "Connector", scope=None),
    Operation(
        "GET", "/v1/cards", "List cards", discovery.list_cards, "[Card]", query=discovery.CardsWanted, scope=None
    ),
    Operation("GET", CARD, "Get a card's document", discovery.get_card, "Document", scope=None),
    Operation(
        "GET",
        CARD + "/schema",
        "Get the tables for options in the query",
        discovery.get_card_schema,
        "Tables",
        query=None,
        scope=None,
    ),
    Operation(
        "POST",
        CARD + "/schema",
        "Get the tables for options in the body",
        discovery.resolve_card_schema,
        "Tables",
        takes=discovery.ChosenOptions,
        scope=None,
    ),
    Operation(
        "GET",
        CARD + "/choices/{field}",
        "List a dropdown's choices",
        discovery.list_choices,
        "[Choice]",
        query=discovery.ChoicesWanted,
        fails=ASKING,
        scope=None,
    ),
)

RESOURCES = (
    Operation("GET", "/v1/connections", "List connections", resources.list_connections, "[Connection]", scope=None),
    Operation(
        "POST",
        "/v1/connections",
        "Create a connection",
        resources.create_connection,
        "Connection",
        status=201,
        takes=resources.NewConnection,
        fails=ASKING,
        is_narrowed=True,
    ),
    Operation("GET", CONNECTION, "Get a connection", resources.get_connection, "Connection", scope=None),
    Operation(
        "PATCH",
        CONNECTION,
        "Change a connection",
        resources.change_connection,
        "Connection",
        takes=resources.ChangedConnection,
        fails=ASKING,
        is_narrowed=True,
    ),
    Operation(
        "DELETE", CONNECTION, "Delete a connection", resources.delete_connection, None, status=204, is_narrowed=True
    ),
    Operation(
        "POST",
        CONNECTION + "/check",
        "Check a connection",
        resources.check_connection,
        "Checked",
        fails=ASKING,
        is_narrowed=True,
    ),
    Operation("GET", "/v1/flows", "List helper flows", resources.list_flows, "[Flow]", scope=None),
    Operation(
        "POST", "/v1/flows", "Create a helper flow", resources.create_flow, "Flow", status=201, takes=resources.NewFlow
    ),
    Operation("GET", FLOW, "Get a helper flow", resources.get_flow, "Flow", scope=None),
    Operation("PATCH", FLOW, "Change a helper flow", resources.change_flow, "Flow", takes=resources.ChangedFlow),
    Operation(
        "POST", FLOW + "/test", "Test a helper flow", resources.test_flow, "FlowTested", takes=resources.FlowTest
    ),
    Operation("DELETE", FLOW, "Delete a helper flow", resources.delete_flow, None, status=204),
)

TRUST = (
    Operation("GET", "/v1/audit", "List the audit", trust.list_audit, "[Entry]", query=trust.EntriesWanted),
    Operation(
        "GET",
        "/v1/approvals",
        "List approvals",
        trust.list_approvals,
        "[Approval]",
        query=trust.ApprovalsWanted,
        scope=DESTROY,
    ),
    Operation("GET", APPROVAL, "Get an approval", trust.get_approval, "Approval", scope=DESTROY),
    Operation(
        "POST",
        APPROVAL + "/approve",
        "Approve a call",
        trust.approve,
        "Approval",
        takes=trust.Decision,
        scope=DESTROY,
        fails=("403", "429", "502", "503"),
    ),
    Operation(
        "POST",
        APPROVAL + "/refuse",
        "Refuse a call",
        trust.refuse,
        "Approval",
        takes=trust.Decision,
        scope=DESTROY,
        fails=("403",),
    ),
    Operation("GET", "/v1/kill-switch", "Get the kill switch", trust.get_kill_switch, "KillSwitch", scope=None),
    Operation("PUT", "/v1/kill-switch", "Turn the kill switch", trust.turn_kill_switch, "KillSwitch", takes=trust.Turn),
)

RUNS = (
    Operation("GET", "/v1/runs", "List runs", runs.list_runs, "[Run]", query=runs.RunsWanted, scope="runs"),
    Operation("GET", RUN, "Get a run", runs.get_run, "Run", scope="runs"),
    Operation("GET", RUN + "/events", "Follow a run", events.run_events, EVENTS, scope="runs"),
    Operation("POST", RUN + "/cancel", "Cancel a stream", runs.cancel_run, "Run", fails=("409",), scope="runs"),
    Operation("POST", RUN + "/pause", "Pause a stream", runs.pause_run, "Run", fails=("409",), scope="runs"),
    Operation("POST", RUN + "/resume", "Resume a stream", runs.resume_run, "Run", fails=("409",), scope="runs"),
    Operation(
        "GET",
        RUN + "/failures",
        "List failed records",
        runs.list_failures,
        "[Failure]",
        query=runs.FailuresWanted,
        scope="runs",
    ),
    Operation(
        "POST",
        RUN + "/redeliver",
        "Send failed records again",
        runs.redeliver_run,
        "Run",
        status=202,
        takes=runs.Redelivery,
        scope="runs",
    ),
)

KEYS = (
    Operation("GET", "/v1/keys", "List keys", keys.list_keys, "[Key]", is_narrowed=True),
    Operation(
        "POST", "/v1/keys", "Create a key", keys.create_key, "Key", status=201, takes=keys.NewKey, is_narrowed=True
    ),
    Operation(
        "DELETE", KEY, "Revoke a key", keys.revoke_key, None, status=204, is_narrowed=True, query=keys.Revocation
    ),
)

DOCUMENTS = (
    Operation("GET", "/openapi.json", "Get the OpenAPI document", documents.get_openapi, "Document", scope=None),
    Operation("GET", "/schemas/index.json", "Get the index of schemas", documents.get_index, "Document", scope=None),
    Operation(
        "GET",
        "/schemas/{connector}/{card}.json",
        "Get a published schema",
        discovery.get_schema_file,
        "Document",
        scope=None,
    ),
    Operation("GET", "/metrics", "Get the host's counters", documents.get_metrics, METRICS, scope=None),
    Operation(
        "GET", "/healthz", "Say whether the process is alive", documents.get_health, "Health", query=None, is_open=True
    ),
    Operation(
        "GET", "/readyz", "Say whether calls are taken", documents.get_readiness, "Health", query=None, is_open=True
    ),
)

OPERATIONS = {
    "Catalogue": CATALOGUE,
    "Resources": RESOURCES,
    "Runs": RUNS,
    "Keys": KEYS,
    "Syncs": SYNCS,
    "Trust": TRUST,
    "Documents": DOCUMENTS,
}
