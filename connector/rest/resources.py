"""Connections and helper flows: what a caller makes besides calling cards."""

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import Response

from connector.engine.accounts import Account
from connector.engine.connections import Connections
from connector.engine.flows import Flow
from connector.rest.answers import json_answer, listed, raw_answer
from connector.rest.body import read_body
from connector.rest.hosts import host_of
from connector.sdk.kinds import Boolean, Json, Object, Text
from connector.sdk.reading import accept
from connector.sdk.tables import CardInputs, field


class NewConnection(CardInputs):
    name: str = field("Name to call the connection by: a-z, 0-9, hyphen and underscore", max_length=64)
    connector: str = field("Key of the connector, such as kandji", max_length=64)
    fields: dict = field("What the connector's connection schema asks for")  # type: ignore[type-arg]
    policy: Object = field("What it lets through of cards that destroy or disrupt; see Policy")


class ChangedConnection(CardInputs, any_of=("fields", "policy")):
    fields: Object = field("The fields to change; a new address needs the secrets again")
    policy: Object = field("What to change of what it lets through; see Policy")


class NewFlow(CardInputs):
    name: str = field("Name to call the flow by: a-z, 0-9, hyphen and underscore", max_length=64)
    url: str = field("Address that takes one record a request", label="URL", max_length=2048)
    secret: Text = field("Signing secret, whsec_ and base64; made up if empty", secret=True, max_length=200)
    headers: Object = field("Up to 5 headers to send along, such as x-api-client-token", secret=True)
    inputs: Object = field("JSON Schema 2020-12 of the body that the flow takes, an object of Record and State")


class ChangedFlow(CardInputs, any_of=("url", "headers", "inputs", "secret", "rotate")):
    url: Text = field("Another address; the headers have to be given again", label="URL", max_length=2048)
    headers: Object = field("All headers to send along; {} for none", secret=True)
    inputs: Object = field("Another JSON Schema of the body that the flow takes; {} for none")
    secret: Text = field(
        "Another signing secret; the one before signs as well for 24 hours", secret=True, max_length=200
    )
    rotate: Boolean = field("Make up another signing secret; the one before signs as well for 24 hours")


class FlowTest(CardInputs):
    card: Text = field("Key of a list card, such as kandji.list_devices: the sample is like its records")


async def list_connections(request: Request) -> Response:
    """Those that the key reaches."""
    known, grant = await _connections(request), request.state.caller.grant
    return listed([_connection(known, account) for account in known.all() if grant.reaches(account.name)])


async def create_connection(request: Request) -> Response:
    known, wanted = host_of(request).connections, accept(NewConnection, await read_body(request))
    request.state.caller.need_connection(wanted.name)
    account = await known.create(wanted.name, wanted.connector, wanted.fields, wanted.policy)
    await _audited(request, "connection_created", account.name, address=account.connection.origin())
    if wanted.policy:
        await _audited_policy(request, account.name, wanted.policy)
    return json_answer(_connection(known, account), 201, {"Location": f"/v1/connections/{account.name}"})


async def get_connection(request: Request) -> Response:
    known = await _connections(request)
    account = known.get(request.path_params["name"])
    budget = {"budget": await account.budget.shown()} if account.budget else {}
    return json_answer(_connection(known, account) | budget)


async def change_connection(request: Request) -> Response:
    known, wanted = host_of(request).connections, accept(ChangedConnection, await read_body(request))
    name = request.path_params["name"]
    account = known.get(name)
    if wanted.fields is not None:
        account = await known.change(name, wanted.fields, wanted.policy)
        await _audited(request, "connection_changed", name, address=account.connection.origin())
    elif wanted.policy is not None:
        account = await known.set_policy(name, wanted.policy)
    if wanted.policy is not None:
        await _audited_policy(request, name, wanted.policy)
    return json_answer(_connection(known, account))


async def delete_connection(request: Request) -> Response:
    await host_of(request).connections.delete(request.path_params["name"])
    await _audited(request, "connection_deleted", request.path_params["name"])
    return raw_answer(b"", 204)


async def check_connection(request: Request) -> Response:
    """Reach the service, and say which cards its token permits. Only reads are sent, none of a secret.

    `unknown` are those of which no read can tell, such as cards that change something.
    """
    known = await _connections(request)
    account = known.get(request.path_params["name"])
    found = await known.permissions(account)
    words = {"granted": True, "missing": False, "unknown": None}
    told = {word: [card for card, granted in found.items() if granted is means] for word, means in words.items()}
    return json_answer({"connection": account.name, "connected": True, **told})


async def list_flows(request: Request) -> Response:
    return listed([_flow(flow) for flow in await host_of(request).flows.all()])


async def create_flow(request: Request) -> Response:
    """Register a helper flow. Its secret is in this answer, and in no other.

    With `inputs`, a stream to it is refused where its card or its state lacks what the flow requires.
    """
    flow = await host_of(request).flows.create(**dict(accept(NewFlow, await read_body(request))))
    await _audited_flow(request, "flow_created", _flow(flow))
    shown = {**_flow(flow), "secret": flow.target.secret}  # this is the only time it is shown
    return json_answer(shown, 201, {"Location": f"/v1/flows/{flow.name}"})


async def get_flow(request: Request) -> Response:
    return json_answer(_flow(await host_of(request).flows.get(request.path_params["name"])))


async def change_flow(request: Request) -> Response:
    """Change what is given. Streams that run now see it when they are next begun, resumed or sent again.

    A new secret is in the answer. For 24 hours requests carry a signature by each of the two, the new one first.
    """
    wanted = accept(ChangedFlow, await read_body(request))
    flow = await host_of(request).flows.change(request.path_params["name"], **dict(wanted))
    await _audited_flow(request, "flow_changed", _flow(flow))
    secret = {"secret": flow.target.secret} if wanted.secret or wanted.rotate else {}
    return json_answer(_flow(flow) | secret)


async def test_flow(request: Request) -> Response:
    """Send one sample record, signed, in a single attempt, and say what became of it."""
    wanted = accept(FlowTest, await read_body(request))
    return json_answer(asdict(await host_of(request).trials.run(request.path_params["name"], wanted.card)))


async def delete_flow(request: Request) -> Response:
    await host_of(request).flows.delete(request.path_params["name"])
    await host_of(request).audit.note("flow_deleted", request.state.caller.id, flow=request.path_params["name"])
    return raw_answer(b"", 204)


async def _audited(request: Request, event: str, name: str, **facts: str) -> None:
    await host_of(request).audit.note(event, request.state.caller.id, connection=name, **facts)


async def _audited_policy(request: Request, name: str, policy: Json) -> None:
    await _audited(request, "policy_changed", name, **{key: str(value) for key, value in policy.items()})


async def _audited_flow(request: Request, event: str, shown: Json) -> None:
    await host_of(request).audit.note(event, request.state.caller.id, flow=shown["name"], host=shown["host"])


async def _connections(request: Request) -> Connections:
    """As they are now, on whichever host they were changed."""
    known = host_of(request).connections
    await known.look()
    return known


def _connection(known: Connections, account: Account) -> Json:
    shown = {"name": account.name, "connector": account.connector, "fields": dict(known.shown(account))}
    shown["policy"] = account.policy.shown()
    return {**shown, "created": account.created, "changed": account.changed}


def _flow(flow: Flow) -> Json:
    """Only the address's host is shown: paths and queries of callbacks hold secrets (CB-12)."""
    scheme, _, rest = flow.target.url.partition("://")
    host = f"{scheme}://{rest.partition('/')[0].partition('?')[0]}"
    until = flow.target.rotating_until
    shown = {"name": flow.name, "host": host, "inputs": flow.inputs, "created": flow.created}
    return shown | ({"rotating_until": until} if until else {})
