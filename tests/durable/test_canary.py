"""SEC-7: secrets that can be recognised, in every call and every answer of a service, are kept and told nowhere.

A real host calls every card, well and in every way in which the service can fail, streams through kill -9 and sends
again; then all that it wrote and all that it answers is searched, in clear and in every other form.
"""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from aiohttp import web

from tests.canary import WAYS, Json, Planted, Search, Service, dump, files, forms, new_pin, plain, planted, text
from tests.conftest import UNCAPPED
from tests.processes import HostProcess, free_port, until
from tests.receiver import Receiver, receiving

pytestmark = pytest.mark.slow

FEW = ("403", "later pages", "odd shape")  # ways to fail, where another database is all that is new
ALIKE = ("410", "413", "503")  # ways that differ from others in the form of the words only: connections and streams
SLOW = ("cut", "429")  # ways in which a call that reads takes seconds: these are called once each
AT_ONCE = 40
PROBLEM = "application/problem+json"
BELONGS = {  # files that hold a secret, and why they may
    "key": "the first key",  # which the first start makes for its operator, in a file of mode 0600
    "secret-keys": "the key that seals",  # without it nothing could be opened; mode 0600
}
GIVEN = {  # where secrets are handed over, which is what the host is for: it is checked that they are
    "answers": "secret outputs, to a caller whose key may see them",
    "the service": "the token of its connection, and what a caller wrote",
    "the flow": "records, state and the headers that the flow was registered with",
}
NOISE = {  # headers that nobody asked for
    "User-Agent": plain("user-agent"),
    "Cookie": f"session={plain('cookie')}",
    "Referer": f"https://example.com/?t={plain('referer')}",
    "X-Request-Id": plain("request-id"),
    "Traceparent": f"00-{plain('trace')}-01",
    "Tracestate": f"vendor={plain('trace-state')}",
    "X-Forwarded-For": plain("forwarded"),
}


@dataclass
class Stage:
    """A host, the service and the flow that it knows, a caller; and all that it was heard to say."""

    host: HostProcess
    service: Service
    receiver: Receiver
    http: httpx.AsyncClient
    search: Search
    problems: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    places: set[str] = field(default_factory=set)
    runs: list[str] = field(default_factory=list)

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.http.request(method, path, headers={**NOISE, **more}, **({} if body is None else content))
        is_problem = answer.headers.get("content-type") == PROBLEM
        (self.problems if is_problem else self.answers).append(answer.text)
        self.heads.append(str(answer.headers))
        return answer

    async def call(self, card: str, body: Json, **headers: str) -> httpx.Response:
        return await self.send("POST", f"/v1/cards/{card.replace('.', '/')}", body, **headers)

    async def connect(self, way: str, **policy: Any) -> str:
        """A connection whose service answers in this way, as soon as it is connected; gives its name."""
        name, token = f"way-{way.replace(' ', '-')}", text(f"token-of-{way.replace(' ', '-')}")
        body = {"connector": "kandji", "fields": {"url": self.host.service, "token": token}}
        made = await self.send("POST", "/v1/connections", {**body, "name": name, "policy": {**UNCAPPED, **policy}})
        assert made.status_code == 201, made.text
        self.service.ways[token] = way
        return name

    async def stream(self, each: Planted, connection: str, limit: int | None = None, **more: str) -> httpx.Response:
        """To the flow; a few records to one that is dead."""
        stream = {"flow": "dead" if limit else "flow", "state": {"secret": text("state")}, "record_limit": limit}
        body = {"connection": connection, "options": {"result_set": "stream"}, "stream": stream}
        answer = await self.call(each.card.key, {**body, "inputs": each.call.get("inputs", {})}, **more)
        self.runs.append(answer.json()["run"])
        return answer

    def look(self, places: Iterable[tuple[str, bytes]]) -> list[str]:
        """What is found in these that should not be there."""
        found: list[str] = []
        for place, where in places:
            self.places.add(place)
            found += self.search.found(place, where, but=BELONGS.get(place, ""))
        return found


async def test_a_secret_is_found_in_every_form(tmp_path: Path) -> None:
    """The search itself: in a file, with anything around it, and nothing where there is nothing."""
    pin, before = new_pin(), (b"", b"x", b"xy", b'{"pin": "')
    search = Search()
    search.add("a PIN", pin)

    for secret in (plain("some"), pin):
        for name, written in forms(secret):
            for some in before if name != "clear" or secret != pin else (b"", b" ", b'"'):
                (tmp_path / "file").write_bytes(b"\0" * 1000 + some + written + b'", 1')
                assert [found for place, where in files(tmp_path) for found in search.found(place, where)], name
    for some in before:
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            assert search.found("x", encode(some + pin.encode() + b"?>~"))

    assert search.found("x", f"1{pin} {pin}1 0.{pin} a{pin}Z".encode() + bytes(range(256))) == []


async def test_no_secret_is_kept_or_told(database: str, tmp_path: Path, record_property: Callable[..., None]) -> None:
    """SEC-7, CB-12: zero hits in files, tables, log, metrics, runs, audit, problems and headers sent on."""
    ways = list(WAYS) if database.startswith("sqlite") else list(FEW)
    if not database.startswith("sqlite"):
        url = sa.make_url(database).set(password=plain("database-password"))
        database = url.render_as_string(hide_password=False)
    async with staged(database, tmp_path) as stage:
        await _resources(stage)
        await _wrong_places(stage)
        await _cards(stage, ways)
        await _as_targets(stage)
        await _held(stage)
        hits = await _streams(stage, database)
        hits += stage.look([place async for place in _told(stage)])
        hits += stage.look([*files(tmp_path), *dump(database)])
        await asyncio.to_thread(stage.host.stop)
        hits += stage.look([*files(tmp_path), *dump(database)])

    record_property("places searched", len(stage.places))
    record_property("problems searched", len(stage.problems))
    assert not hits, "\n".join(hits)
    assert _not_given(stage) == []
    assert '"internal"' not in "".join(stage.problems)
    assert len(stage.problems) > 50 * len(FEW)
    assert {"key", "secret-keys", "metrics", "audit 0", "runs 0", "problems"} <= stage.places


@asynccontextmanager
async def staged(database: str, folder: Path) -> AsyncIterator[Stage]:
    """A host with a service, a flow, and a caller whose key was made by the first one."""
    cases = planted()
    service, application = Service(cases, plain("data")), web.Application()
    application.router.add_route("*", "/{path:.*}", service.answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=0.1).start()
    settings = {"UPCARD_RETRY_PAUSES": "0.1", "UPCARD_UNREGISTERED_FLOWS": "true", "UPCARD_CALLS_PER_SECOND": "0"}
    host = HostProcess(folder, f"http://127.0.0.1:{runner.addresses[0][1]}", database, settings=settings)
    search = Search()
    for each in cases:
        for name, secret in each.secrets.items():
            search.add(name, secret)
    try:
        await asyncio.to_thread(host.start)
        key = _key(host, search, "the caller's key")
        search.add("the first key", host.key["Authorization"].rpartition("_")[2])
        search.add("the key that seals", (folder / "secret-keys").read_text().strip().partition(":")[2])
        async with (
            receiving() as receiver,
            httpx.AsyncClient(
                base_url=host.url,
                headers={"Authorization": f"Bearer {key}"},
                timeout=90,
                limits=httpx.Limits(max_connections=AT_ONCE, keepalive_expiry=2),  # the host closes idle ones after 5 s
            ) as http,
        ):
            yield Stage(host, service, receiver, http, search)
    finally:
        host.kill()
        await runner.cleanup()


def _key(host: HostProcess, search: Search, name: str) -> str:
    scopes = ["cards:read", "cards:write", "cards:destroy", "cards:secret", "runs", "admin"]
    made = host.ask(
        "POST", "/v1/keys", {"label": "canary", "scopes": scopes, "cards": ["*", "kandji.custom_api_action"]}
    )
    search.add(name, made["key"].rpartition("_")[2])
    key: str = made["key"]
    return key


# What a host is told


async def _resources(stage: Stage) -> None:
    """Connections, flows and keys: made, refused, changed, checked, and taken back."""
    service = stage.host.service
    await stage.connect("well")
    await stage.send("POST", "/v1/connections/way-well/check")
    fields = {"url": service, "token": text("token-before-the-change")}
    await stage.send("POST", "/v1/connections", {"name": "changed", "connector": "kandji", "fields": fields})
    for way in [way for way in WAYS if way not in ("cut", "later pages")]:
        refused = text(f"token-refused-by-{way.replace(' ', '-')}")
        stage.service.ways[refused] = way
        body = {"name": "refused", "connector": "kandji", "fields": {"url": service, "token": refused}}
        await stage.send("POST", "/v1/connections", body)
        await stage.send("PATCH", "/v1/connections/changed", {"fields": {"token": refused}})
        await stage.send("POST", "/v1/connections/changed/check")
    signing = "whsec_" + base64.b64encode(plain("signing").encode()).decode()
    where = f"{plain('callback-path')}?token={plain('callback-query')}"
    flow = {"secret": signing, "headers": {"x-api-client-token": text("callback-header")}}
    await stage.send("POST", "/v1/flows", {"name": "flow", "url": f"{stage.receiver.url}/{where}", **flow})
    await stage.send("POST", "/v1/flows", {"name": "dead", "url": f"http://127.0.0.1:{free_port()}/{where}", **flow})
    await stage.send("POST", "/v1/flows/flow/test", {"card": "kandji.list_devices"})
    await stage.send("POST", "/v1/flows/dead/test", {})
    await stage.send("PATCH", "/v1/flows/flow", {"rotate": True})
    await stage.send("PATCH", "/v1/flows/flow", {"url": f"{stage.receiver.url}/other/{where}"})
    for path in ("/v1/connections", "/v1/connections/way-well", "/v1/flows", "/v1/flows/flow", "/v1/keys"):
        assert stage.look([(path, (await stage.send("GET", path)).content)]) == []
    revoked = await asyncio.to_thread(_key, stage.host, stage.search, "a key that was revoked")
    await stage.send("DELETE", f"/v1/keys/{revoked.split('_')[2]}")
    await stage.send("GET", "/v1/runs", authorization=f"Bearer {revoked}")
    await stage.send("GET", f"/v1/runs/{revoked}?key={revoked}")
    await stage.send("GET", "/v1/runs", x_api_client_token=revoked)


async def _wrong_places(stage: Stage) -> None:
    """Secrets where they do not belong: each is refused, and never repeated."""
    for method, path, body, headers in _misplaced(stage):
        answer = await stage.send(method, path, body, **headers)
        assert answer.status_code >= 400 or path.startswith(("/v1/cards/kandji/list_blueprints", "/v1/flows")), path
    with socket.create_connection(("127.0.0.1", stage.host.port)) as raw:
        raw.sendall(f"GET /{plain('line')} HTTP/9.9\r\n{plain('odd-header')}\r\n\r\n".encode())
        await asyncio.to_thread(raw.recv, 4096)


def _misplaced(stage: Stage) -> Iterator[tuple[str, str, Any, dict[str, str]]]:
    secret, inside = text("misplaced"), plain("misplaced")
    lock, erase, well = "/v1/cards/kandji/lock_device", "/v1/cards/kandji/erase_device", {"connection": "way-well"}
    device, service = {"device_id": "d1"}, {"url": stage.host.service, "token": "t0ken"}
    target = f"http://127.0.0.1:{free_port()}"
    for path in (f"/{inside}", f"/v1/runs/{inside}", f"/v1/connections/{inside}", f"/v1/cards/kandji/{inside}"):
        yield "GET", path, None, {}
        yield "DELETE", path, None, {}
    for query in ("token", "limit", "cursor", "state", "since"):
        yield "GET", f"/v1/runs?{query}={inside}", None, {}
        yield "GET", f"/v1/audit?{query}={inside}", None, {}
    yield "GET", f"/v1/cards/kandji/list_devices/choices/{inside}?q={inside}", None, {}
    yield "POST", f"{lock}?token={inside}", {**well, "inputs": device}, {}
    yield "POST", f"/v1/cards/{inside}/{inside}", {}, {}
    for inputs in ({**device, "tokn": secret}, {"device_id": secret}, {"device_id": [secret]}, {"device_id": None}):
        yield "POST", lock, {**well, "inputs": inputs}, {}
    for pin in (secret, [secret], {"pin": secret}, f"{new_pin()}{inside}"):
        yield "POST", erase, {**well, "inputs": {**device, "pin": pin}}, {}
    for envelope in (
        {"tokn": secret},
        {"connection": inside},
        {"options": {"result_set": secret}},
        {"dry_run": secret},
    ):
        yield "POST", "/v1/cards/kandji/list_devices", {**well, **envelope}, {}
    for stream in ({"flow": inside}, {"url": f"http://10.0.0.1/{inside}?{inside}"}, {"url": secret}, {"state": secret}):
        body = {**well, "options": {"result_set": "stream"}, "stream": stream}
        yield "POST", "/v1/cards/kandji/list_devices", body, {}
    for content in (f'{{"token": "{inside}', f'{{"token": "{inside}", "x": NaN}}', f'"{inside}"'):
        yield "POST", lock, content.encode(), {"content_type": "application/json"}
    yield "POST", lock, secret.encode(), {"content_type": "text/plain"}
    yield "POST", lock, secret.encode(), {"content_type": "application/json", "content_encoding": secret}
    yield "POST", lock, {**well, "inputs": device}, {"idempotency_key": f"{inside} {inside}"}
    for given in (f"Bearer {secret}", f"Basic {secret}", f"Bearer kc_live_0123456789abcdef_{inside}", secret):
        yield "POST", lock, {**well, "inputs": device}, {"authorization": given}
    for wrong in (
        {"name": inside, "connector": "kandji", "fields": service},
        {"name": "x", "connector": inside, "fields": service},
        {"name": "x", "connector": "kandji", "fields": {**service, "url": f"{stage.host.service}/{inside}"}},
        {"name": "x", "connector": "kandji", "fields": {**service, "url": f"https://u:{inside}@acme.api.kandji.io"}},
        {"name": "x", "connector": "kandji", "fields": {**service, "token": f"{secret} {secret}"}},
        {"name": "x", "connector": "kandji", "fields": {**service, "tokn": secret}},
        {"name": "x", "connector": "kandji", "fields": service, "policy": {"destroy": secret}},
        {"name": "x", "connector": "kandji", "fields": {"url": target, "token": secret}},
    ):
        yield "POST", "/v1/connections", wrong, {}
    for flow in (
        {"name": inside, "url": stage.receiver.url},
        {"name": "x", "url": f"http://10.0.0.1/{inside}"},
        {"name": "x", "url": f"https://u:{inside}@example.com/{inside}"},
        {"name": "x", "url": stage.receiver.url, "secret": secret},
        {"name": "x", "url": stage.receiver.url, "headers": {"Host": secret}},
        {"name": "x", "url": stage.receiver.url, "headers": {"x-token": f"{secret}\n"}},
    ):
        yield "POST", "/v1/flows", flow, {}


# Calls


async def _cards(stage: Stage, ways: list[str]) -> None:
    """Every card, well and in every way to fail; with and without Idempotency-Key, twice with it, and dry."""
    calls = [call for each in stage.service.planted for call in _calls(stage, each, "way-well", is_well=True)]
    for way in ways:
        connection = await stage.connect(way)
        some = [each for each in stage.service.planted if each.card.results or way != "later pages"]
        calls += [call for each in some if way not in ALIKE for call in _calls(stage, each, connection)]
    calls += [call for connection in ("way-well", "way-400", "way-403") for call in _written(stage, connection)]
    room = asyncio.Semaphore(AT_ONCE)

    async def called(call: Callable[[], Awaitable[Any]]) -> None:
        async with room:
            await call()

    await asyncio.gather(*map(called, calls))


def _calls(
    stage: Stage, each: Planted, connection: str, *, is_well: bool = False
) -> Iterator[Callable[[], Awaitable[Any]]]:
    card, body = each.card, {**each.call, "connection": connection}
    key = {"idempotency_key": text(f"idempotency-{card.name}-{connection}")}

    async def with_key() -> None:
        await stage.call(card.key, body, **key)
        await stage.call(card.key, body, **key)
        if is_well:
            await stage.call(card.key, {**body, "reason": "x", "options": {}, "inputs": {}}, **key)

    yield lambda: stage.call(card.key, body)
    if connection.removeprefix("way-") not in SLOW:
        yield with_key
    if is_well:
        yield lambda: stage.call(card.key, {**body, "dry_run": True})
    if card.results:
        lines = {"connection": connection, "inputs": each.call.get("inputs", {})}
        yield lambda: _lines(stage, card.key, lines)


async def _lines(stage: Stage, card: str, body: Json) -> None:
    """NDJSON; a failure in its middle cuts it off."""
    try:
        await stage.call(card, body, accept="application/x-ndjson")
    except httpx.TransportError as error:
        stage.problems.append(str(error))


def _written(stage: Stage, connection: str) -> Iterator[Callable[[], Awaitable[Any]]]:
    """Requests that a caller writes, secret all over."""
    card = "kandji.custom_api_action"
    more: Json = {"query": {"code": text("custom-query")}, "headers": {"X-Vault-Token": text("custom-header")}}
    for method, path in (
        ("GET", "/devices/d1"),
        ("GET", "/devices/d1/secrets/unlockpin"),
        ("POST", "/devices"),
        ("POST", "/devices/w1/action/erase"),
        ("DELETE", "/devices/w1"),
    ):
        inputs: Json = {"relative_url": f"{path}?token={plain('custom-address')}", **more}
        inputs |= {"body": {"PIN": new_pin(), "note": [text("custom-body")]}} if method == "POST" else {}
        body = {"connection": connection, "options": {"request_type": method}, "inputs": inputs}
        key = {"idempotency_key": text(f"idempotency-{method}-{path[-5:].replace('/', '-')}")}
        yield lambda body=body: stage.call(card, body)  # type: ignore[misc]
        yield lambda body=body, key=key: stage.call(card, body, **key)  # type: ignore[misc]
        yield lambda body=body: stage.call(card, {**body, "dry_run": True})  # type: ignore[misc]


async def _as_targets(stage: Stage) -> None:
    """A token and a key in place of the device's ID, which the audit keeps."""
    token, key = plain("token"), stage.http.headers["Authorization"].removeprefix("Bearer ")
    fields = {"url": stage.host.service, "token": token}
    await stage.send("POST", "/v1/connections", {"name": "target", "connector": "kandji", "fields": fields})
    await stage.call("kandji.lock_device", {"connection": "target", "inputs": {"device_id": token}})
    for target in (token, key, f"{token}/action/lock", f"{key}/action/lock"):
        inputs = {"relative_url": f"/devices/{target}", "body": {}}
        body = {"connection": "target", "options": {"request_type": "POST"}, "inputs": inputs}
        assert "outputs" in (await stage.call("kandji.custom_api_action", body)).json()


async def _held(stage: Stage) -> None:
    """Calls that wait for a second person: agreed to, refused, and left waiting; and the target repeated wrongly."""
    erase = next(each for each in stage.service.planted if each.card.name == "erase_device")
    for mode in ("approve", "confirm"):
        body = {"name": mode, "connector": "kandji", "policy": {**UNCAPPED, "destroy": mode}}
        fields = {"url": stage.host.service, "token": text(f"token-{mode}")}
        await stage.send("POST", "/v1/connections", {**body, "fields": fields})
    for verdict in ("approve", "refuse", ""):
        key = {"idempotency_key": text(f"idempotency-{verdict}")}
        body = {**erase.call, "connection": "approve", "reason": "lost"}
        held = await stage.call(erase.card.key, body, **key)
        assert held.status_code == 409, held.text
        if verdict:
            id_ = (await stage.send("GET", "/v1/approvals?state=waiting")).json()["items"][0]["id"]
            path = f"/v1/approvals/{id_}/{verdict}"
            decided = await asyncio.to_thread(stage.host.ask, "POST", path, {"reason": "agreed"})
            assert decided["state"] in ("approved", "refused")
            run = held.json()["run"]
            await until(lambda run=run: _over(stage, run))  # type: ignore[misc]
            await stage.call(erase.card.key, body, **key) if verdict == "approve" else None
    for confirm in (None, text("confirm"), "C02ZX9QWMD6T"):
        await stage.call(erase.card.key, {**erase.call, "connection": "confirm", "confirm": confirm})


# Streams


async def _streams(stage: Stage, database: str) -> list[str]:
    """Every list: to a flow that refuses some records, killed in the middle, taken up again, and sent again."""
    lists = [each for each in stage.service.planted if each.card.results]
    stage.receiver.script = _refuses_some
    connections = [name for name in _connections(stage) if name.removeprefix("way-") not in SLOW]
    failing = [stage.stream(each, connection) for connection in connections for each in lists]
    await asyncio.gather(*failing, stage.stream(lists[0], "way-well", limit=2))
    await stage.connect("hang")
    stage.receiver.delay = 0.05
    begun = len(stage.receiver.sent)
    runs = [(await stage.stream(each, "way-well", prefer="respond-async")).json()["run"] for each in lists]
    erase = next(each for each in stage.service.planted if each.card.name == "erase_device")
    hanging = asyncio.create_task(_cut_off(stage, erase))
    await until(lambda: _true(len(stage.receiver.sent) > begun + 100 and stage.service.hung.is_set()))
    log = stage.host.log
    stage.host.kill()
    hits = stage.look([("log of the killed host", log.encode()), *files(stage.host.folder), *dump(database)])
    await hanging
    stage.receiver.delay = 0.0
    await asyncio.to_thread(stage.host.start)
    for run in runs:
        await until(lambda run=run: _over(stage, run), within=60)  # type: ignore[misc]
    stage.receiver.script = _taken
    for run in runs:
        again = await stage.send("POST", f"/v1/runs/{run}/redeliver", {"positions": None})
        assert again.status_code == 202, again.text
        await until(lambda run=run: _over(stage, run))  # type: ignore[misc]
    return hits


async def _cut_off(stage: Stage, erase: Planted) -> None:
    """A call that is under way when its host is killed."""
    body = {**erase.call, "connection": "way-hang"}
    with pytest.raises(httpx.TransportError):
        await stage.call(erase.card.key, body, idempotency_key=text("idempotency-hang"))


def _refuses_some(body: Json) -> web.Response:
    name = str(body["Record"].get("device_id", body["Record"].get("id")))
    status = {"7": 500, "3": 404, "5": 400}.get(name[-1], 204)
    return web.Response(status=status, text=json.dumps(body) if status > 204 else None)


def _taken(_: Json) -> web.Response:
    return web.Response(status=204)


async def _true(value: bool) -> bool:
    return value


async def _over(stage: Stage, run: str) -> bool:
    found = (await stage.send("GET", f"/v1/runs/{run}")).json()
    return found["state"] in ("succeeded", "failed")


def _connections(stage: Stage) -> list[str]:
    listed = stage.host.ask("GET", "/v1/connections")["items"]
    return [each["name"] for each in listed if each["name"].startswith("way-")]


# What is searched


async def _told(stage: Stage) -> AsyncIterator[tuple[str, bytes]]:
    """All that a host tells, of what was done."""
    yield "problems", "\n".join(stage.problems).encode()
    yield "headers of answers", "\n".join(stage.heads).encode()
    yield "metrics", (await stage.http.get("/metrics")).content
    async for place in _pages(stage, "runs", "/v1/runs?limit=200"):
        yield place
    async for place in _pages(stage, "audit", "/v1/audit?limit=1000"):
        yield place
    for path in ("approvals", "keys", "connections", "flows", "connectors", "kill-switch"):
        yield path, (await stage.http.get(f"/v1/{path}")).content
    for run in stage.runs:
        for part in ("", "/failures", "/events"):
            yield f"a run's {part or 'record'}", (await stage.http.get(f"/v1/runs/{run}{part}")).content
    sent = [*stage.service.heard, *stage.receiver.headers]
    names = ("traceparent", "tracestate", "x-request-id", "user-agent", "cookie", "referer", "x-forwarded-for")
    yield "headers sent on", "\n".join(each.get(name, "") for each in sent for name in names).encode()


async def _pages(stage: Stage, name: str, path: str) -> AsyncIterator[tuple[str, bytes]]:
    cursor, number = "", 0
    while cursor is not None:
        answer = await stage.http.get(path + (f"&cursor={cursor}" if cursor else ""))
        yield f"{name} {number}", answer.content
        cursor, number = answer.json()["next"], number + 1


def _not_given(stage: Stage) -> list[str]:
    """What did not reach where it is meant for: then looking for it elsewhere would say nothing."""
    given = {
        "answers": "\n".join(stage.answers),
        "the service": "\n".join(value for each in stage.service.heard for value in each.values()),
        "the flow": "\n".join([*map(json.dumps, stage.receiver.sent), *(str(each) for each in stage.receiver.headers)]),
    }
    meant = {"answers": [secret for each in stage.service.planted for secret in each.secrets.values()]}
    meant["the service"] = [text("token-of-well"), text("token-of-403"), text("custom-header")]
    meant["the flow"] = [text("state"), plain("data"), plain("callback-header").partition("callback")[0]]
    return [
        f"{secret} was not given to {where}: {GIVEN[where]}"
        for where, some in meant.items()
        for secret in some
        if json.dumps(secret)[1:-1] not in given[where] and secret not in given[where]
    ]
