"""TE-1: everything that openapi.json describes, asked over HTTP with data that schemathesis makes up from it.

A longer run by hand: `UPCARD_EXAMPLES=300 pytest tests/connector/rest/test_whole_surface.py`.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from schemathesis.engine import events, from_schema

from connector.catalog.find import catalog
from tests.conftest import UNCAPPED
from tests.processes import HostProcess, tenant

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("UPCARD_EXAMPLES", "30"))  # of each operation, besides all the edges of its schemas
DEVICES = 60
NOWHERE = "http://127.0.0.1:9/"  # allowed by the host, and nobody listens there: streams to it stay under way
CARDS = r"^/v1/cards/\w+/\w+$"
APPROVAL = "/v1/approvals/{approval}"
ASSETS = [str(number) for number in range(1, 40)]  # of the built-in asset system, after the first run
LINKS, FIELDS = ["device/1", "device/2"], ["name", "tag"]
SURE = {"body.on", "body.enabled"}  # said whenever there is a body

# What flow builders send is converted where it is plain, and a blank is nothing (design/api.md), so these are no
# faults where nothing else is wrong; test_kinds.py has what is converted, and what is not.
LOOSE = re.compile(r"Incorrect type$|violates `type` at|'date-time' format$|violates `format` at")

# Operations that need more than a schema can say, each with the reason.
NOT_REACHED = {
    **dict.fromkeys(
        [
            "GET /v1/approvals/{approval}",
            *(f"POST /v1/approvals/{{approval}}/{verb}" for verb in ("approve", "refuse")),
        ],
        "a call has to be held, and decided by another key: test_approvals.py",
    ),
    **{
        f"POST /v1/cards/{connector}/{card.name}": f"the host has a simulated Kandji alone: test_{connector}_cards.py"
        for connector in ("assetbots", "snipeit")
        for card in catalog().connector(connector).cards
    },
    "POST /v1/cards/kandji/erase_device": "what it needs depends on the platform of the device: its cases",
    "DELETE /v1/connections/{name}": "the only connection has to stay for the others",
    "GET /v1/flows/{name}": "the only flow may be deleted by then: test_flow_routes.py",
    "POST /v1/connections/{name}/check": "it asks the service 14 times, of the requests that the others need",
    "PATCH /v1/connections/{name}": "the only connection has to stay as it is",
    "POST /v1/syncs": "a mapping is a file, and connections have to be there: test_syncs.py",
    "DELETE /v1/syncs/{sync}": "the only sync has to stay for the others",
    "POST /v1/connections": "its fields are those of a connector: an address and a token that work",
    **dict.fromkeys(
        [f"POST /v1/runs/{{run}}/{verb}" for verb in ("cancel", "pause", "redeliver", "resume")],
        "a stream has to be in the right state: tests/durable/test_control.py",
    ),
}


@dataclass(frozen=True)
class Surface:
    """What came of it: `failures` as texts, the operations that were `asked`, and those that `succeeded`."""

    failures: list[str]
    asked: set[str]
    succeeded: set[str]


@pytest.fixture(scope="module")
def surface(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surface]:
    """A host of its own with a simulated tenant, after everything was asked of it."""
    with tenant(DEVICES) as (service, token):
        host = HostProcess(tmp_path_factory.mktemp("surface"), service, settings={"UPCARD_CALLS_PER_SECOND": "0"})
        host.start()
        try:
            host.connect(token, NOWHERE)
            host.ask("PATCH", "/v1/connections/sandbox", {"policy": UNCAPPED})
            synced(host)
            yield asked_everything(host)
        finally:
            host.kill()


def spare_key(host: HostProcess) -> str:
    found: str = host.ask("POST", "/v1/keys", {"label": "spare", "scopes": ["runs"]})["id"]
    return found


def synced(host: HostProcess) -> None:
    """A sync that has linked everything, and whose quick actions are on."""
    host.ask("POST", "/v1/syncs", {"name": "fleet", "mdm": "sandbox", "assets": "file"})
    host.ask("POST", "/v1/syncs/fleet/apply", {"force_limits": True})
    mapping = host.ask("GET", "/v1/syncs/fleet/mapping")["mapping"] + "actions: { enabled: true, confirm: [] }\n"
    host.ask("PATCH", "/v1/syncs/fleet", {"mapping": mapping})


def asked_everything(host: HostProcess) -> Surface:
    made = schemathesis.Config.from_dict(config(host))
    schema = schemathesis.openapi.from_url(f"{host.url}/openapi.json", config=made, headers=host.key)
    found = Surface([], set(), set())
    for event in from_schema(schema).execute():
        match event:
            case events.ScenarioFinished(recorder=recorder):
                found.failures.extend(failures(recorder))
                labels = {id_: case.value.operation.label for id_, case in recorder.cases.items()}
                found.asked.update(labels.values())
                answered = {id_ for id_, each in recorder.interactions.items() if succeeded(each.response)}
                found.succeeded.update(labels[id_] for id_ in answered & labels.keys())
            case events.NonFatalError(value=error) | events.FatalError(exception=error):
                found.failures.append(repr(error))
    return found


def succeeded(answer: Any) -> bool:
    return answer is not None and 200 <= answer.status_code < 300


def failures(recorder: Any) -> Iterator[str]:
    for id_, checks in recorder.checks.items():
        case = recorder.cases[id_].value
        for check in checks:
            found = check.failure_info
            if found and not is_loose(case, check):
                yield f"{case.operation.label}: {check.name}\n{found.failure}\n{found.code_sample}"


def is_loose(case: Any, check: Any) -> bool:
    """Whether nothing but loose values should have been refused."""
    where, *more = check.failure_info.failure.message.partition("Invalid component: ")[2].splitlines() or [""]
    blank = '""' in json.dumps(case.body, default=str)
    return check.name == "negative_data_rejection" and (blank or all(map(LOOSE.search, more or [where])))


def config(host: HostProcess) -> dict[str, Any]:
    """All phases and checks of schemathesis but those that are left out here; the same requests every time."""
    known = {
        "body.connection": ["sandbox"],
        "body.inputs.device_id": [device["device_id"] for device in listed(host, "list_devices", "devices")],
        "body.inputs.ade_token_id": [each["id"] for each in listed(host, "list_ade_integrations", "results")],
        "body.inputs.relative_url": ["/devices", "/blueprints?limit=1"],
        "body.stream.flow": ["flow"],
        "body.url": [NOWHERE],
        "body.on": ["false"],  # else nothing disruptive would be reached any more
        "path.connector": ["kandji"],
        "path.card": ["list_devices", "get_device"],
        "path.field": ["blueprint_id", "platform"],
        "path.name": ["sandbox", "flow"],
        "path.run": [host.stream(), *(run["run"] for run in host.ask("GET", "/v1/syncs/fleet/runs")["items"])],
        "path.sync": ["fleet"],
        "body.run": [run["run"] for run in host.ask("GET", "/v1/syncs/fleet/runs")["items"]],
        "path.asset": ASSETS,
        "body.asset": ASSETS,
        "body.mdm": ["sandbox"],
        "body.assets": ["file"],
        "body.assets_kind": ["file"],
        "body.enabled": ["false"],  # else runs by schedule would be at work
        "body.person": ["1", "2"],
        "body.link": LINKS,
        "query.link": LINKS,
        "body.field": FIELDS,
        "query.field": FIELDS,
    }
    return {
        "seed": 1,
        "base-url": host.url,
        "headers": host.key,
        "request-timeout": 30,
        "continue-on-failure": True,
        # Two headers with a key at once are refused: the one above is enough; `ignored_auth` leaves it out by itself.
        "generation": {"deterministic": True, "database": "none", "with-security-parameters": False},
        "phases": {name: {"generation": {"max-examples": EXAMPLES}} for name in ("fuzzing", "stateful")},
        "checks": {
            # What is right depends on what a schema does not say: options decide on inputs, blanks are nothing.
            "positive_data_acceptance": {"enabled": False},
            # What a service answers is told as 502 and 503 (design/api.md, "Errors").
            "not_a_server_error": {"expected-statuses": ["2xx", "4xx", "502", "503"]},
        },
        "operations": [
            # The document has GET and POST of one address in two places: {connector}/{card} and the card itself.
            {"include-path-regex": CARDS, "checks": {"allow_header_conformance": {"enabled": False}}},
            {"include-operation-id": "get_card", "checks": {"allow_header_conformance": {"enabled": False}}},
            # The document has the type of the whole text, and schemathesis takes it for the type of an event.
            {
                "include-operation-id": "run_events",
                "checks": {"response_schema_conformance": {"enabled": False}},
                "max-stream-events": 1,
            },
            # NOT_REACHED says why.
            {"include-operation-id": "delete_connection", "parameters": {"path.name": "nobody"}},
            {"include-operation-id": "change_connection", "parameters": {"path.name": "nobody"}},
            {"include-operation-id": "delete_sync", "parameters": {"path.sync": "nobody"}},
            # `enabled` is given as text here, and what is said of it names the other field that may be given.
            {"include-operation-id": "change_sync", "checks": {"negative_data_rejection": {"enabled": False}}},
            # The key that asks all this is listed as well, and revoked it would ask nothing more.
            {"include-operation-id": "revoke_key", "parameters": {"path.id": spare_key(host)}},
        ],
        "dictionaries": {name: {"values": values} for name, values in known.items()},
        "parameters": {name: {"dictionary": name, "probability": 1.0 if name in SURE else 0.7} for name in known},
    }


def listed(host: HostProcess, card: str, at: str) -> list[dict[str, Any]]:
    call = {"options": {"result_set": "first_200"}}
    found: list[dict[str, Any]] = host.ask("POST", f"/v1/cards/kandji/{card}", call)["outputs"][at]
    return found


def test_the_host_answers_as_its_document_says(surface: Surface) -> None:
    """TE-1: no server error, and no status, media type, header or body that is not described; no key, no answer."""
    if surface.failures:
        pytest.fail("\n\n".join(sorted(set(surface.failures))), pytrace=False)


def test_every_operation_is_reached(surface: Surface) -> None:
    """TE-1: with a success at least once, so that more is seen than refusals."""
    assert surface.asked - surface.succeeded <= set(NOT_REACHED)
