"""What the host offers besides calling cards: each operation once, as a route and in the OpenAPI document."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from connector.rest import discovery, documents, events, resources, runs, trust
from connector.rest.query import NoQuery, read_query
from connector.sdk.errors import NotFound
from connector.sdk.tables import CardInputs

Handler = Callable[[Request], Awaitable[Response]]

CARD = "/v1/cards/{connector}/{card}"
CONNECTION = "/v1/connections/{name}"
FLOW = "/v1/flows/{name}"
RUN = "/v1/runs/{run}"
APPROVAL = "/v1/approvals/{approval}"
EVENTS = "text/event-stream"
METRICS = "text/plain"
ASKING = ("409", "502", "503")  # how an operation can end that asks a service


@dataclass(frozen=True)
class Operation:
    """One method of one path. `gives` is a component's name, `[Name]` for a list, a text's media type, or None.

    `query` are the parameters it takes; where it is None, the handler looks at them itself, or nobody does.
    """

    method: str
    path: str
    summary: str
    handler: Handler
    gives: str | None
    status: int = 200
    takes: type[CardInputs] | None = None
    query: type[CardInputs] | None = NoQuery
    is_open: bool = False
    fails: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return self.handler.__name__

    async def answer(self, request: Request) -> Response:
        """The handler's answer; it finds its query read. No name has a NUL: PostgreSQL does not take one."""
        if any("\0" in part for part in request.path_params.values()):
            raise NotFound("There is nothing of this name.")
        if self.query:
            request.state.query = read_query(request, self.query)
        return await self.handler(request)


CATALOGUE = (
    Operation("GET", "/v1/connectors", "List connectors", discovery.list_connectors, "[Connector]"),
    Operation("GET", "/v1/connectors/{connector}", "Get a connector", discovery.get_connector, "Connector"),
    Operation("GET", "/v1/cards", "List cards", discovery.list_cards, "[Card]", query=discovery.CardsWanted),
    Operation("GET", CARD, "Get a card's document", discovery.get_card, "Document"),
    Operation(
        "GET",
        CARD + "/schema",
        "Get the tables for options in the query",
        discovery.get_card_schema,
        "Tables",
        query=None,
    ),
    Operation(
        "POST",
        CARD + "/schema",
        "Get the tables for options in the body",
        discovery.resolve_card_schema,
        "Tables",
        takes=discovery.ChosenOptions,
    ),
    Operation(
        "GET",
        CARD + "/choices/{field}",
        "List a dropdown's choices",
        discovery.list_choices,
        "[Choice]",
        query=discovery.ChoicesWanted,
        fails=ASKING,
    ),
)

RESOURCES = (
    Operation("GET", "/v1/connections", "List connections", resources.list_connections, "[Connection]"),
    Operation(
        "POST",
        "/v1/connections",
        "Create a connection",
        resources.create_connection,
        "Connection",
        status=201,
        takes=resources.NewConnection,
        fails=ASKING,
    ),
    Operation("GET", CONNECTION, "Get a connection", resources.get_connection, "Connection"),
    Operation(
        "PATCH",
        CONNECTION,
        "Change a connection",
        resources.change_connection,
        "Connection",
        takes=resources.ChangedConnection,
        fails=ASKING,
    ),
    Operation("DELETE", CONNECTION, "Delete a connection", resources.delete_connection, None, status=204),
    Operation("POST", CONNECTION + "/check", "Check a connection", resources.check_connection, "Checked", fails=ASKING),
    Operation("GET", "/v1/flows", "List helper flows", resources.list_flows, "[Flow]"),
    Operation(
        "POST", "/v1/flows", "Create a helper flow", resources.create_flow, "Flow", status=201, takes=resources.NewFlow
    ),
    Operation("GET", FLOW, "Get a helper flow", resources.get_flow, "Flow"),
    Operation("PATCH", FLOW, "Change a helper flow", resources.change_flow, "Flow", takes=resources.ChangedFlow),
    Operation(
        "POST", FLOW + "/test", "Test a helper flow", resources.test_flow, "FlowTested", takes=resources.FlowTest
    ),
    Operation("DELETE", FLOW, "Delete a helper flow", resources.delete_flow, None, status=204),
)

TRUST = (
    Operation("GET", "/v1/audit", "List the audit", trust.list_audit, "[Entry]", query=trust.EntriesWanted),
    Operation(
        "GET", "/v1/approvals", "List approvals", trust.list_approvals, "[Approval]", query=trust.ApprovalsWanted
    ),
    Operation("GET", APPROVAL, "Get an approval", trust.get_approval, "Approval"),
    Operation(
        "POST",
        APPROVAL + "/approve",
        "Approve a call",
        trust.approve,
        "Approval",
        takes=trust.Decision,
        fails=("429",),
    ),
    Operation("POST", APPROVAL + "/refuse", "Refuse a call", trust.refuse, "Approval", takes=trust.Decision),
    Operation("GET", "/v1/kill-switch", "Get the kill switch", trust.get_kill_switch, "KillSwitch"),
    Operation("PUT", "/v1/kill-switch", "Turn the kill switch", trust.turn_kill_switch, "KillSwitch", takes=trust.Turn),
)

RUNS = (
    Operation("GET", "/v1/runs", "List runs", runs.list_runs, "[Run]", query=runs.RunsWanted),
    Operation("GET", RUN, "Get a run", runs.get_run, "Run"),
    Operation("GET", RUN + "/events", "Follow a run", events.run_events, EVENTS),
    Operation("POST", RUN + "/cancel", "Cancel a stream", runs.cancel_run, "Run", fails=("409",)),
    Operation("POST", RUN + "/pause", "Pause a stream", runs.pause_run, "Run", fails=("409",)),
    Operation("POST", RUN + "/resume", "Resume a stream", runs.resume_run, "Run", fails=("409",)),
    Operation(
        "GET", RUN + "/failures", "List failed records", runs.list_failures, "[Failure]", query=runs.FailuresWanted
    ),
    Operation(
        "POST",
        RUN + "/redeliver",
        "Send failed records again",
        runs.redeliver_run,
        "Run",
        status=202,
        takes=runs.Redelivery,
    ),
)

DOCUMENTS = (
    Operation("GET", "/openapi.json", "Get the OpenAPI document", documents.get_openapi, "Document"),
    Operation("GET", "/schemas/index.json", "Get the index of schemas", documents.get_index, "Document"),
    Operation(
        "GET", "/schemas/{connector}/{card}.json", "Get a published schema", discovery.get_schema_file, "Document"
    ),
    Operation("GET", "/metrics", "Get the host's counters", documents.get_metrics, METRICS),
    Operation(
        "GET", "/healthz", "Say whether the process is alive", documents.get_health, "Health", query=None, is_open=True
    ),
    Operation(
        "GET", "/readyz", "Say whether calls are taken", documents.get_readiness, "Health", query=None, is_open=True
    ),
)

OPERATIONS = {"Catalogue": CATALOGUE, "Resources": RESOURCES, "Runs": RUNS, "Trust": TRUST, "Documents": DOCUMENTS}
