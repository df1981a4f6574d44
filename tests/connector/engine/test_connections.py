"""Connections: named accounts whose address is the service's own, and whose secrets never come out."""

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiohttp
import httpx
import pytest
import respx
import sqlalchemy as sa
import yarl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.catalog.find import catalog
from connector.engine import tables
from connector.engine.addresses import Allowed
from connector.engine.callers import Grant
from connector.engine.connections import Connections
from connector.engine.seals import Seals
from connector.engine.store import Store
from connector.sdk.errors import (
    AlreadyExists,
    Conflict,
    DestinationNotAllowed,
    InvalidCall,
    NoSuchConnection,
    NoSuchConnector,
    NotConnected,
    Unavailable,
    UpcardError,
)
from tests.conftest import TENANT, TOKEN, asked
from tests.connector.engine.parts import KEY, OpenStore

FIELDS = {"url": TENANT, "token": TOKEN}
OTHER = "https://other.api.kandji.io"
CARD = catalog().card("kandji.get_device")
ALL = Grant.everything()

HOSTS = catalog().connector("kandji").connects_with.hosts
AROUND = r"(acme)?[A-Za-z0-9.@:/%\\#?-]{0,12}"

Make = Callable[..., Connections]


@pytest.fixture
def store(sqlite_database: str, copied_store: OpenStore) -> Store:
    return copied_store(sqlite_database)


@pytest.fixture
def make(store: Store, session: aiohttp.ClientSession) -> Make:
    """`make()`: the connections of a host that was started now; `make("127.0.0.1:1")` allows another host."""

    def open_(allowed: str = "", seals: Seals | None = None) -> Connections:
        return Connections(catalog(), store, seals or Seals({"k1": KEY}), session, Allowed.parse(allowed))

    return open_


def faults(error: pytest.ExceptionInfo[InvalidCall]) -> list[str]:
    return [fault.at for fault in error.value.faults]


def kept(store: Store) -> list[Any]:
    return list(store.run_here(lambda db: db.execute(sa.select(tables.connections)).all()))


async def test_a_connection_is_checked_and_kept(make: Make, store: Store, kandji: respx.MockRouter) -> None:
    """The least request that proves it, with the token; then it is there, also after a start."""
    kandji.get("/devices", params={"limit": 1}).respond(json=[])

    account = await make().create("acme", "kandji", FIELDS)

    assert [request.headers["authorization"] for request in asked(kandji)] == [f"Bearer {TOKEN}"]
    assert (account.name, account.connector, account.created) == ("acme", "kandji", account.changed)
    assert make().get("acme").connection.model_dump() == FIELDS


async def test_secrets_are_not_shown(make: Make, kandji: respx.MockRouter) -> None:
    """SEC-3: the fields that are shown are those that are no secret."""
    kandji.get("/devices").respond(json=[])
    connections = make()

    account = await connections.create("acme", "kandji", FIELDS)

    assert connections.shown(account) == {"url": TENANT}


async def test_secrets_are_sealed_in_the_store(make: Make, store: Store, kandji: respx.MockRouter) -> None:
    """SEC-1: neither the token nor the address is in the row, and another host's key does not open it."""
    kandji.get("/devices").respond(json=[])
    await make().create("acme", "kandji", FIELDS)

    row = str(kept(store))

    assert TOKEN not in row
    assert TENANT not in row
    with pytest.raises(Exception, match="cannot be opened"):
        make(seals=Seals({"k1": b"9" * 32}))


async def test_a_row_moved_to_another_name_is_broken(make: Make, store: Store, kandji: respx.MockRouter) -> None:
    """SEC-1: whoever can write the store cannot lead a token to another name."""
    kandji.get("/devices").respond(json=[])
    await make().create("acme", "kandji", FIELDS)
    store.run_here(lambda db: db.execute(sa.update(tables.connections).values(name="evil")))

    with pytest.raises(Exception, match="connections/evil/fields cannot be opened"):
        make()


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.api.kandji.io", "https://acme.api.eu.kandji.io", "https://acme.api.iru.com",
        "https://acme.api.eu.iru.com", "https://acme.clients.us-1.kandji.io", "https://acme.clients.eu.kandji.io",
        "acme.api.kandji.io", "HTTPS://ACME.API.KANDJI.IO", "https://acme.api.kandji.io:443", " https://a.api.iru.com ",
        "https://acme.api.kandji.io/", "acme.api.kandji.io/ ",
    ],
)  # fmt: skip
async def test_the_service_s_own_hosts_are_taken(make: Make, played: respx.MockRouter, url: str) -> None:
    """SSRF-14: the host patterns of Kandji, in any case of letters; a slash at the end is not kept."""
    played.get(path="/api/v1/devices", scheme="https").respond(json=[])

    account = await make().create("acme", "kandji", {"url": url, "token": TOKEN})

    assert make().shown(account) == {"url": url.strip().removesuffix("/")}


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example", "https://api.kandji.io", "https://a.b.api.kandji.io", "https://acme.kandji.io",
        "https://acme.api.kandji.io.evil.example", "https://evil-api.kandji.io", "https://xapi.kandji.io",
        "https://acme.api.kandji.io//", "https://acme.api.kandji.io/api", "https://acme.api.kandji.io//evil.example",
        "https://acme.api.kandji.io@evil.example", "https://evil.example/acme.api.kandji.io",
        "https://evil.example?acme.api.kandji.io", "https://acme.api.kandji.io#", "https://\uff41cme.api.kandji.io",
        "https://acme.api.kandji.io\\.evil.example", "ftp://acme.api.kandji.io", "https://", "https://127.1", "x" * 256,
    ],
)  # fmt: skip
async def test_another_address_is_refused(make: Make, store: Store, kandji: respx.MockRouter, url: str) -> None:
    """SSRF-14: https, the service's host, no path; the token is sent nowhere."""
    with pytest.raises(InvalidCall) as raised:
        await make().create("acme", "kandji", {"url": url, "token": TOKEN})

    assert faults(raised) == ["fields/url"]
    assert TOKEN not in str(raised.value.faults)
    assert (asked(kandji), kept(store)) == ([], [])


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.api.kandji.io", "https://acme.api.kandji.io:8443", "http://acme.api.kandji.io:443",
        "https://127.0.0.1", "http://127.0.0.1:9000", "https://[::1]", "https://169.254.169.254", "https://localhost",
        "https://10.0.0.1", "https://kandji.internal",
    ],
)  # fmt: skip
async def test_an_address_that_nobody_allowed_is_refused(make: Make, kandji: respx.MockRouter, url: str) -> None:
    """SSRF-14: no plain http, no other port, nothing inside; the refusal says nothing of addresses."""
    with pytest.raises(DestinationNotAllowed) as raised:
        await make("127.0.0.1:9001").create("acme", "kandji", {"url": url, "token": TOKEN})

    assert raised.value.detail == "The destination is not allowed."
    assert asked(kandji) == []


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.api.kandji.io.evil.example", "https://acme.api.eu.kandji.io.evil.example",
        "https://acme.api.iru.com.evil.example", "https://acme.api.kandji.io.iru.com.evil.example",
        "https://evil.example/.api.kandji.io", "https://evil-api.kandji.io", "https://acme.api-kandji.io",
        "https://acme.api.kandji.i0", "https://acme.api.kandji.io.co", "https://acme.api.iru.co",
        "https://acme.api.notiru.com", "https://acme.api.us.iru.com", "https://acme.clients.us-2.kandji.io",
        "https://api.eu.kandji.io", "https://.api.kandji.io", "https://acme..api.kandji.io", "https://*.api.kandji.io",
        "https://-acme.api.kandji.io", "https://[acme].api.kandji.io", "https://a.b.api.eu.iru.com", "https://api.iru.com",
        "acme.api.kandji.io@evil.example", "https://acme.api.kandji.io:443@evil.example", "https://x@acme.api.kandji.io",
        "https://x:y@acme.api.kandji.io", "https://acme.api.kandji.io:", "https://acme.api.kandji.io:443:443",
        "https://acme.api.kandji.io:+443", "https://acme.api.kandji.io:0443", "https://acme.api.kandji.io%2eevil.example",
        "https://acme.api.kandji.io%00.evil.example", "https://acme.api.kandji.io\x00.evil.example",
        "https://evil.example\t.api.kandji.io", "https://evil.example\n.api.kandji.io",
        "https://evil.example .api.iru.com",
        "//acme.api.kandji.io", "https:acme.api.kandji.io", "https:/acme.api.kandji.io", "evil.example/://a.api.kandji.io",
        "https://acme.api.k\u0430ndji.io", "https://acme.api.xn--kndji-3ve.io",
        "https://acme.api.kandji.io\u3002evil.example",
        "https://acme.api\uff0ekandji.io", "https://\u24d0cme.api.kandji.io", "https://xn--a.api.kandji.io",
        "https://acme.api.kandji.io/..", "https://acme.api.kandji.io/%2e", "https://acme.api.kandji.io;x", "https://acme",
    ],
)  # fmt: skip
async def test_an_address_that_looks_alike_is_refused(make: Make, kandji: respx.MockRouter, url: str) -> None:
    """SSRF-14: suffixes, user names, ports, escapes, other alphabets, other ways to write a URL."""
    with pytest.raises((InvalidCall, DestinationNotAllowed)):
        await make().create("acme", "kandji", {"url": url, "token": TOKEN})

    assert asked(kandji) == []


@pytest.mark.parametrize("url", ["https://acme.api.kandji.io.", "acme.API.eu.Kandji.IO.", "xn--mnchen-3ya.api.iru.com"])
async def test_one_host_may_be_written_in_several_ways(make: Make, played: respx.MockRouter, url: str) -> None:
    """SSRF-14: with the dot of the root, in other letters, or with an international name of a tenant."""
    played.get(path="/api/v1/devices", scheme="https").respond(json=[])

    account = await make().create("acme", "kandji", {"url": url, "token": TOKEN})

    assert account.connection.origin().casefold().endswith(url.casefold())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.from_regex(AROUND, fullmatch=True),
    after=st.from_regex(AROUND, fullmatch=True),
    host=st.sampled_from(HOSTS),
)
def test_what_is_dialled_is_a_host_of_the_service(make: Make, before: str, after: str, host: str) -> None:
    """SSRF-14: whatever stands around a name that fits, both clients read the same host of the service in it."""
    with suppress(InvalidCall, DestinationNotAllowed):
        origin = make()._read("kandji", {"url": f"https://{before}{host[1:]}{after}", "token": TOKEN}).origin()
        address = httpx.URL(origin + "/api/v1/devices")

        assert re.fullmatch(rf"[a-z0-9-]+{re.escape(host[1:])}\.?", address.host)
        assert yarl.URL(str(address)).host == address.host


async def test_an_address_with_a_query_is_refused(make: Make, played: respx.MockRouter) -> None:
    """SSRF-14: scheme and host, nothing behind them."""
    played.route().respond(json=[])

    with pytest.raises(InvalidCall):
        await make().create("acme", "kandji", {"url": f"{TENANT}?x=1", "token": TOKEN})


async def test_the_operator_can_allow_a_host(make: Make, played: respx.MockRouter) -> None:
    """SSRF-14: for simulators and tests, by name and port."""
    played.get("http://127.0.0.1:9000/api/v1/devices").respond(json=[])

    account = await make("127.0.0.1:9000").create("sim", "kandji", {"url": "http://127.0.0.1:9000", "token": TOKEN})

    assert account.connection.origin() == "http://127.0.0.1:9000"


@pytest.mark.parametrize(("status", "error"), [(401, NotConnected), (403, UpcardError), (500, Unavailable)])
async def test_a_connection_that_does_not_work_is_not_kept(
    make: Make, store: Store, kandji: respx.MockRouter, status: int, error: type[UpcardError]
) -> None:
    """A wrong token is told when it is given, not when a card needs it."""
    kandji.get("/devices").respond(status, json={"detail": "Invalid token."})
    connections = make()

    with pytest.raises(error):
        await connections.create("acme", "kandji", FIELDS)

    assert (connections.all(), kept(store)) == ([], [])


@pytest.mark.parametrize("name", ["", "A", "-a", "_a", "a b", "a/b", "a.b", "\u00e9", "a" * 65, "a\n"])
async def test_a_wrong_name_is_refused(make: Make, name: str) -> None:
    """Names stand in addresses and places."""
    with pytest.raises(InvalidCall) as raised:
        await make().create(name, "kandji", FIELDS)

    assert faults(raised) == ["name"]


async def test_an_unknown_connector_is_told(make: Make) -> None:
    """Before anything is asked."""
    with pytest.raises(NoSuchConnector):
        await make().create("acme", "nobody", FIELDS)


async def test_wrong_fields_are_told_without_their_values(make: Make, kandji: respx.MockRouter) -> None:
    """SEC-3: a token in the wrong field does not come back."""
    with pytest.raises(InvalidCall) as raised:
        await make().create("acme", "kandji", {"url": [TOKEN], "tocken": TOKEN})

    assert faults(raised) == ["fields/url", "fields/token", "fields/tocken"]
    assert TOKEN not in str(raised.value.faults)


async def test_a_name_is_taken_once(make: Make, kandji: respx.MockRouter) -> None:
    """Two creations at the same time as well: one is kept."""
    kandji.get("/devices").respond(json=[])
    connections = make()

    first, second = await asyncio.gather(
        connections.create("acme", "kandji", FIELDS),
        connections.create("acme", "kandji", FIELDS),
        return_exceptions=True,
    )

    assert {type(first), type(second)} > {AlreadyExists}
    with pytest.raises(AlreadyExists):
        await connections.create("acme", "kandji", FIELDS)


async def test_a_token_is_changed_alone(make: Make, kandji: respx.MockRouter) -> None:
    """The address stays, and the new token is checked."""
    kandji.get("/devices").respond(json=[])
    connections = make()
    created = (await connections.create("acme", "kandji", FIELDS)).created

    await connections.change("acme", {"token": "new"})

    changed = make().get("acme")
    assert changed.connection.model_dump() == {"url": TENANT, "token": "new"}
    assert changed.created == created
    assert asked(kandji)[-1].headers["authorization"] == "Bearer new"


@pytest.mark.parametrize(
    "url", [OTHER, "https://acme.api.eu.kandji.io", f"{TENANT}:443", "acme.api.kandji.io", None, ""]
)
async def test_a_new_address_needs_the_token_again(make: Make, kandji: respx.MockRouter, url: str | None) -> None:
    """SSRF-14: whoever may change a connection cannot lead its token elsewhere."""
    kandji.get("/devices").respond(json=[])
    connections = make()
    await connections.create("acme", "kandji", FIELDS)

    with pytest.raises(InvalidCall) as raised:
        await connections.change("acme", {"url": url})

    assert "fields/token" in faults(raised)
    assert len(asked(kandji)) == 1


async def test_a_new_address_with_a_token_is_taken(make: Make, kandji: respx.MockRouter) -> None:
    """SSRF-14: the old token is never sent there."""
    kandji.get("/devices").respond(json=[])
    other = kandji.get(f"{OTHER}/api/v1/devices").respond(json=[])
    connections = make()
    await connections.create("acme", "kandji", FIELDS)

    await connections.change("acme", {"url": OTHER, "token": "new"})

    assert [call.request.headers["authorization"] for call in other.calls] == ["Bearer new"]
    assert make().get("acme").connection.model_dump() == {"url": OTHER, "token": "new"}


async def test_the_same_address_is_no_change(make: Make, kandji: respx.MockRouter) -> None:
    """A form that sends back what it was shown keeps the token."""
    kandji.get("/devices").respond(json=[])
    connections = make()
    await connections.create("acme", "kandji", FIELDS)

    await connections.change("acme", {"url": TENANT})

    assert make().get("acme").connection.model_dump() == FIELDS


async def test_a_change_that_does_not_work_changes_nothing(make: Make, kandji: respx.MockRouter) -> None:
    """The old token goes on working."""
    kandji.get("/devices").mock(side_effect=_only(TOKEN))
    connections = make()
    await connections.create("acme", "kandji", FIELDS)

    with pytest.raises(NotConnected):
        await connections.change("acme", {"token": "wrong"})

    assert connections.get("acme").connection.model_dump() == FIELDS
    assert make().get("acme").connection.model_dump() == FIELDS


async def test_a_deleted_connection_is_gone(make: Make, store: Store, kandji: respx.MockRouter) -> None:
    """From the store as well, and its name is free."""
    kandji.get("/devices").respond(json=[])
    connections = make()
    await connections.create("acme", "kandji", FIELDS)

    await connections.delete("acme")

    assert (connections.all(), kept(store)) == ([], [])
    with pytest.raises(NoSuchConnection):
        await connections.delete("acme")


async def test_a_connection_is_deleted_once(make: Make, kandji: respx.MockRouter) -> None:
    """Of two deletions at the same time one finds nothing."""
    kandji.get("/devices").respond(json=[])
    connections = make()
    await connections.create("acme", "kandji", FIELDS)

    ends = await asyncio.gather(*[connections.delete("acme") for _ in range(2)], return_exceptions=True)

    assert {type(end) for end in ends} <= {type(None), NoSuchConnection}


async def test_connections_are_listed_by_name(make: Make, kandji: respx.MockRouter) -> None:
    """Whatever the order they were made in."""
    kandji.get("/devices").respond(json=[])
    connections = make()
    await connections.create("beta", "kandji", FIELDS)
    await connections.create("alpha", "kandji", FIELDS)

    assert [account.name for account in connections.all()] == ["alpha", "beta"]
    assert [account.name for account in make().all()] == ["alpha", "beta"]


async def test_the_only_connection_need_not_be_named(make: Make, kandji: respx.MockRouter) -> None:
    """With a second one it must be."""
    kandji.get("/devices").respond(json=[])
    connections = make()
    await connections.create("alpha", "kandji", FIELDS)
    only = connections.for_card(CARD, None, ALL)
    await connections.create("beta", "kandji", FIELDS)

    assert only.name == "alpha"
    assert connections.for_card(CARD, "beta", ALL).name == "beta"
    with pytest.raises(InvalidCall, match="Name one of the 2 kandji connections") as raised:
        connections.for_card(CARD, None, ALL)
    assert faults(raised) == ["connection"]


def test_a_missing_connection_is_told(make: Make) -> None:
    """None at all is another error than none of this name."""
    connections = make()

    with pytest.raises(NotConnected, match="POST /v1/connections makes one"):
        connections.for_card(CARD, None, ALL)
    with pytest.raises(NoSuchConnection):
        connections.for_card(CARD, "acme", ALL)
    with pytest.raises(NoSuchConnection):
        connections.get("acme")


def _only(token: str) -> Callable[[httpx.Request], httpx.Response]:
    """Takes this token and no other."""

    def answer(request: httpx.Request) -> httpx.Response:
        right = request.headers["authorization"] == f"Bearer {token}"
        return httpx.Response(200 if right else 401, json=[])

    return answer


async def test_what_another_host_does_is_seen_at_the_next_look(make: Make, kandji: respx.MockRouter) -> None:
    """Made, changed and deleted there; the budget outlives the change."""
    kandji.get("/devices").respond(json=[])
    one, other = make(), make()

    await one.create("acme", "kandji", FIELDS)
    await other.look()
    made = other.get("acme")
    await one.change("acme", {"token": "new"})
    await other.look()
    changed = other.get("acme")
    await one.delete("acme")
    await other.look()

    assert (made.connection.model_dump(), changed.connection.model_dump()["token"]) == (FIELDS, "new")
    assert changed.budget is made.budget
    assert other.all() == []


async def test_what_did_not_change_stays_open(make: Make, kandji: respx.MockRouter) -> None:
    """A look opens only what is new: it happens twice a second."""
    kandji.get("/devices").respond(json=[])
    connections = make()
    account = await connections.create("acme", "kandji", FIELDS)

    await connections.look()

    assert connections.get("acme") is account


async def test_a_call_may_name_what_was_made_elsewhere_just_now(make: Make, kandji: respx.MockRouter) -> None:
    """An unknown name is looked up at once."""
    kandji.get("/devices").respond(json=[])
    one, other = make(), make()
    await one.create("acme", "kandji", FIELDS)

    assert (await other.for_call(CARD, "acme", ALL)).name == "acme"
    with pytest.raises(NoSuchConnection):
        await other.for_call(CARD, "beta", ALL)


async def test_a_change_begins_with_what_is_there_now(make: Make, kandji: respx.MockRouter) -> None:
    """SSRF-14: a host that has not seen the new address does not lead the new token to the old one."""
    kandji.get("/devices").respond(json=[])
    kandji.get(f"{OTHER}/api/v1/devices").respond(json=[])
    one, other = make(), make()
    await one.create("acme", "kandji", FIELDS)
    await other.look()
    await one.change("acme", {"url": OTHER, "token": "new"})

    await other.change("acme", {"token": "newer"})

    assert make().get("acme").connection.model_dump() == {"url": OTHER, "token": "newer"}


async def test_a_change_does_not_undo_one_made_meanwhile(make: Make, kandji: respx.MockRouter) -> None:
    """While its fields are checked with the service, another host changes them."""
    one, other = make(), make()

    async def check(request: httpx.Request) -> httpx.Response:
        if request.headers["authorization"] == "Bearer slow":
            await other.change("acme", {"token": "quick"})
        return httpx.Response(200, json=[])

    kandji.get("/devices").mock(side_effect=check)
    await one.create("acme", "kandji", FIELDS)

    with pytest.raises(Conflict):
        await one.change("acme", {"token": "slow"})

    assert one.get("acme").connection.model_dump()["token"] == "quick"


async def test_a_row_that_cannot_be_opened_is_left_out(make: Make, store: Store, kandji: respx.MockRouter) -> None:
    """The others go on, and new ones are seen."""
    kandji.get("/devices").respond(json=[])
    connections = make()
    await connections.create("acme", "kandji", FIELDS)
    store.run_here(lambda db: db.execute(sa.update(tables.connections).values(name="evil")))

    await connections.create("beta", "kandji", FIELDS)

    assert [account.name for account in connections.all()] == ["beta"]


async def test_long_work_goes_on_with_a_new_token(make: Make, kandji: respx.MockRouter) -> None:
    """From the next request on, on whichever host it was changed."""
    kandji.get("/devices").respond(json=[])
    one, other = make(), make()
    await one.create("acme", "kandji", FIELDS)
    client = other.client(await other.for_call(CARD, "acme", ALL), share=other.get("acme").bulk(patient=True))

    await one.change("acme", {"token": "new"})
    await other.look()
    await client.check()

    assert asked(kandji)[-1].headers["authorization"] == "Bearer new"


async def test_long_work_stops_where_its_connection_was_deleted(make: Make, kandji: respx.MockRouter) -> None:
    """An owner may rely on it: nothing more is asked with the token."""
    kandji.get("/devices").respond(json=[])
    connections = make()
    account = await connections.create("acme", "kandji", FIELDS)
    client = connections.client(account, share=account.bulk(patient=True))

    await connections.delete("acme")

    with pytest.raises(NoSuchConnection):
        await client.check()
    assert len(asked(kandji)) == 1


async def test_long_work_does_not_move_to_another_address(make: Make, kandji: respx.MockRouter) -> None:
    """Half of a list would be another account's."""
    kandji.get("/devices").respond(json=[])
    other = kandji.get(f"{OTHER}/api/v1/devices").respond(json=[])
    connections = make()
    account = await connections.create("acme", "kandji", FIELDS)
    client = connections.client(account, share=account.bulk(patient=True))

    await connections.change("acme", {"url": OTHER, "token": "new"})

    with pytest.raises(Conflict):
        await client.check()
    assert len(other.calls) == 1


async def test_a_request_that_waited_for_its_turn_has_the_token_of_now(make: Make, kandji: respx.MockRouter) -> None:
    """It may have waited for an hour."""
    kandji.get("/devices").respond(json=[])
    connections = make()
    account = await connections.create("acme", "kandji", FIELDS)
    share = account.bulk(patient=True)
    assert share
    take, turns = share.take, list[int]()

    async def taken() -> None:
        await take()
        turns.append(len(turns))
        if len(turns) == 1:
            await connections.change("acme", {"token": "new"})

    share.take = taken  # type: ignore[method-assign]
    await connections.client(account, share=share).check()

    sent = [request.headers["authorization"] for request in asked(kandji)]
    assert sent == [f"Bearer {TOKEN}", "Bearer new", "Bearer new"]
