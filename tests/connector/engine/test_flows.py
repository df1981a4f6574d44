"""Helper flows: callbacks whose address, secret and headers are kept sealed."""

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from connector.engine import tables
from connector.engine.addresses import Allowed
from connector.engine.flows import Flows, Target, new_secret
from connector.engine.seals import Seals
from connector.engine.store import Store
from connector.sdk.errors import AlreadyExists, DestinationNotAllowed, InvalidCall, NoSuchFlow
from tests.connector.engine.parts import KEY, OpenStore

URL = "https://hooks.example.com/flow?clientToken=t0ken"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

Make = Callable[..., Flows]


@pytest.fixture
def store(sqlite_database: str, copied_store: OpenStore) -> Store:
    return copied_store(sqlite_database)


@pytest.fixture
def make(store: Store) -> Make:
    """`make()`: the flows of a host that was started now."""
    return lambda allowed="": Flows(store, Seals({"k1": KEY}), Allowed.parse(allowed))


def faults(error: pytest.ExceptionInfo[InvalidCall]) -> list[str]:
    return [fault.at for fault in error.value.faults]


def secret(size: int) -> str:
    return "whsec_" + base64.b64encode(b"x" * size).decode()


async def test_a_flow_is_registered_and_kept(make: Make) -> None:
    """CB-12: its address byte for byte, also after a start."""
    headers = {"x-api-client-token": "t0ken"}

    flow = await make().create("onboard", URL, SECRET, headers)

    assert flow.target == Target(URL, SECRET, headers)
    assert await make().get("onboard") == flow
    assert await make().all() == [flow]


async def test_a_flow_is_sealed_in_the_store(make: Make, store: Store) -> None:
    """CB-12: the address holds secrets, so it is one."""
    await make().create("onboard", URL, SECRET, {"x-token": "t0ken"})

    row = str(store.run_here(lambda db: db.execute(sa.select(tables.flows)).all()))

    assert "onboard" in row
    assert not any(word in row for word in ("t0ken", "example", SECRET, SECRET[6:]))


async def test_a_row_moved_to_another_name_is_broken(make: Make, store: Store) -> None:
    """SEC-1: bound to its name."""
    await make().create("onboard", URL)
    store.run_here(lambda db: db.execute(sa.update(tables.flows).values(name="evil")))

    with pytest.raises(Exception, match="flows/evil/target cannot be opened"):
        await make().get("evil")


async def test_a_secret_is_made_up(make: Make) -> None:
    """CB-3: 32 random bytes in the form of Standard Webhooks, for one flow and no other."""
    flows = make()
    one, other = await flows.create("one", URL), await flows.create("other", URL)

    assert one.target.secret.startswith("whsec_")
    assert len(base64.b64decode(one.target.secret[6:])) == 32
    assert one.target.secret != other.target.secret


@pytest.mark.parametrize("good", [SECRET, SECRET[6:], secret(24), secret(64), new_secret()])
async def test_a_secret_can_be_given(make: Make, good: str) -> None:
    """CB-3: 24 to 64 bytes, with or without its prefix."""
    assert (await make().create("onboard", URL, good)).target.secret == good


@pytest.mark.parametrize(
    "bad",
    [
        "s3cret", secret(23), secret(65), "whsec_???", "whpk_" + SECRET[6:], "\u00e9" * 40, " " + SECRET,
        pytest.param("whsec_"),
    ],
)  # fmt: skip
async def test_a_weak_secret_is_refused(make: Make, bad: str) -> None:
    """CB-3: the secret is not repeated."""
    with pytest.raises(InvalidCall) as raised:
        await make().create("onboard", URL, bad)

    assert [(fault.at, fault.why) for fault in raised.value.faults] == [
        ("secret", "Secret must be whsec_ and 24 to 64 bytes in base64.")
    ]


@pytest.mark.parametrize("name", ["", "A", "-a", "a b", "a/b", "\u00e9", "a" * 65])
async def test_a_wrong_name_is_refused(make: Make, name: str) -> None:
    """Names stand in addresses and places."""
    with pytest.raises(InvalidCall) as raised:
        await make().create(name, URL)

    assert faults(raised) == ["name"]


@pytest.mark.parametrize(
    "url", ["", "x", "ftp://a.example", "https://a.example/#x", "https://a@b.example", "https://a b"]
)
async def test_a_malformed_address_is_refused(make: Make, url: str) -> None:
    """SSRF-2: it is named by its field, and not repeated."""
    with pytest.raises(InvalidCall) as raised:
        await make().create("onboard", url)

    assert faults(raised) == ["url"]


@pytest.mark.parametrize(
    "url", ["http://a.example", "https://127.0.0.1", "https://a.example:8443", "https://localhost"]
)
async def test_an_address_that_nobody_allowed_is_refused(make: Make, store: Store, url: str) -> None:
    """SSRF-2, SSRF-4: when the flow is registered, before anything is looked up."""
    with pytest.raises(DestinationNotAllowed):
        await make().create("onboard", url)

    assert store.run_here(lambda db: db.execute(sa.select(tables.flows)).all()) == []


async def test_the_operator_can_allow_an_address(make: Make) -> None:
    """SSRF-7: for receivers inside."""
    assert await make("127.0.0.1:9000").create("onboard", "http://127.0.0.1:9000/flow")


@pytest.mark.parametrize(
    "name",
    [
        "Host", "connection", "TE", "Trailer", "Upgrade", "Transfer-Encoding", "Content-Type", "content-length",
        "Webhook-Id", "webhook-signature", "Proxy-Authorization", "", "a b", "a:b", "a\r\nb", "\u00e9", "-a", "x" * 65,
        *(
            pytest.param(name)
            for name in ("Keep-Alive", "Expect", "accept-encoding", "user-agent")
        ),
    ],
)  # fmt: skip
async def test_some_headers_cannot_be_given(make: Make, name: str) -> None:
    """CB-13: framing, hop-by-hop and signature headers are the host's; the name is not repeated."""
    with pytest.raises(InvalidCall) as raised:
        await make().create("onboard", URL, None, {name: "x"})

    assert [(fault.at, fault.why) for fault in raised.value.faults] == [
        ("headers", "A header has a name that cannot be given.")
    ]


@pytest.mark.parametrize("value", ["a\r\nb", "\0", "\u00e9", "\x7f", None, 1, True, ["x"], {}])
async def test_a_header_s_value_is_visible_ascii(make: Make, value: Any) -> None:
    """CB-13: no second header in a value."""
    with pytest.raises(InvalidCall) as raised:
        await make().create("onboard", URL, None, {"x-token": value})

    assert [fault.why for fault in raised.value.faults] == ["A header value must be visible ASCII text."]


@pytest.mark.parametrize(("count", "wrong"), [(5, []), (6, ["headers"])])
async def test_there_are_five_headers_at_most(make: Make, count: int, wrong: list[str]) -> None:
    """CB-13: and five are taken."""
    headers = {f"x-{number}": "y" for number in range(count)}

    ended = await asyncio.gather(make().create("onboard", URL, None, headers), return_exceptions=True)

    assert [fault.at for fault in getattr(ended[0], "faults", ())] == wrong


async def test_every_fault_is_told_at_once(make: Make) -> None:
    """ER-1: and none of the values."""
    with pytest.raises(InvalidCall) as raised:
        await make().create("A", URL, "s3cret", {"Host": "s3cret\n"})

    assert faults(raised) == ["name", "secret", "headers", "headers"]
    assert "s3cret" not in str(raised.value.faults)


async def test_a_name_is_taken_once(make: Make) -> None:
    """A flow is not replaced by accident."""
    flows = make()
    await flows.create("onboard", URL)

    with pytest.raises(AlreadyExists):
        await flows.create("onboard", URL)


async def test_a_name_is_taken_once_at_the_same_time(make: Make) -> None:
    """Of two registrations of one name one is kept."""
    flows = make()

    ends = await asyncio.gather(*[flows.create("onboard", URL) for _ in range(2)], return_exceptions=True)

    assert AlreadyExists in {type(end) for end in ends}


async def test_a_deleted_flow_is_gone(make: Make) -> None:
    """From the store as well."""
    flows = make()
    await flows.create("onboard", URL)

    await flows.delete("onboard")

    assert await flows.all() == []
    with pytest.raises(NoSuchFlow):
        await flows.delete("onboard")


async def test_a_flow_is_deleted_once(make: Make) -> None:
    """Of two deletions at the same time one finds nothing."""
    flows = make()
    await flows.create("onboard", URL)

    ends = await asyncio.gather(*[flows.delete("onboard") for _ in range(2)], return_exceptions=True)

    assert {type(end) for end in ends} <= {type(None), NoSuchFlow}
