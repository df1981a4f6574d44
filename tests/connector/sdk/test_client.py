"""What a connector's client is built on: paths of segments, the dry run, and reading answers."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
import respx

from connector.sdk.client import CHANGES, EVERYTHING, Client, Connection, WouldSend, record_of, rows_of
from connector.sdk.errors import InvalidCall, Refused, Unexpected
from connector.sdk.http import Service
from connector.sdk.tables import field

ORIGIN = "https://acme.test"


class Account(Connection, hosts=("*.acme.test",)):
    token: str = field("API token", secret=True)

    def origin(self) -> str:
        return ORIGIN

    def credentials(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class Acme(Client[Account], title="Acme", prefix="/api/v1"):
    """A service of its own."""


ACCOUNT = Account(token="t0ken")
SERVICE = Service(ACCOUNT.origin(), ACCOUNT.credentials())  # one for all: each would load certificates anew


@pytest.fixture
def acme() -> Any:
    """`acme(held)`: a client of a service that respx plays."""

    def make(held: frozenset[str] = frozenset()) -> Acme:
        return Acme(ACCOUNT, SERVICE, held)

    return make


def test_a_client_says_its_title_and_what_it_connects_with() -> None:
    """Both are read from its declaration."""
    assert (Acme.title, Acme.prefix, Acme.connects_with) == ("Acme", "/api/v1", Account)
    assert (Account.hosts, Connection.hosts) == (("*.acme.test",), ())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("Not available.", "Not available."),
        ({"serial": ["Taken."], "name": ["Too\nlong."]}, "serial: Taken. name: Too long."),
        ({"token": "t0ken is wrong"}, "token: [redacted] is wrong"),
        ("x" * 400, "x" * 300),
        (None, ""),
    ],
)
def test_words_of_a_refusal_with_200_are_as_safe_as_any(acme: Any, words: Any, told: str) -> None:
    """One short line, without the connection's token."""
    assert acme().told(words) == told


@pytest.mark.parametrize(
    ("segment", "sent"),
    [
        ("d1", b"d1"),
        ("a b", b"a%20b"),
        ("a/b", b"a%2Fb"),
        ("../x", b"..%2Fx"),
        ("a?b#c", b"a%3Fb%23c"),
        ("a%2Fb", b"a%252Fb"),
        ("\u00e9", b"%C3%A9"),
        ("...", b"..."),
    ],
)
async def test_a_segment_is_encoded_as_one(played: respx.MockRouter, acme: Any, segment: str, sent: bytes) -> None:
    """SSRF-12: a value that enters a path stays one segment of it."""
    route = played.route().respond(200, json={})

    await acme().get("devices", segment, "details")

    assert route.calls.last.request.url.raw_path == b"/api/v1/devices/" + sent + b"/details"


@pytest.mark.parametrize("segment", ["", ".", ".."])
async def test_a_segment_of_dots_is_refused(acme: Any, segment: str) -> None:
    """SSRF-12: no value leads up, and an empty one does not make another path."""
    with pytest.raises(InvalidCall, match="A part of the address is empty or made of dots only"):
        await acme().get("devices", segment)


async def test_a_query_leaves_out_what_is_not_given(played: respx.MockRouter, acme: Any) -> None:
    """Null is left out; zero, false and blank text are values."""
    route = played.route().respond(200, json={})

    await acme().get("devices", a=None, b=0, c=False, d="", e="x y")

    assert route.calls.last.request.url.query == b"b=0&c=false&d=&e=x+y"


async def test_a_request_carries_the_connection_s_credentials_and_json(played: respx.MockRouter, acme: Any) -> None:
    """SSRF-11: one Authorization goes out, the connection's."""
    route = played.route().respond(201, json={"id": 1})

    reply = await acme().post("things", json={"name": "n"})

    request = route.calls.last.request
    assert (reply.status, reply.body) == (201, {"id": 1})
    assert request.headers.get_list("authorization") == ["Bearer t0ken"]
    assert (request.headers["content-type"], request.content) == ("application/json", b'{"name":"n"}')


async def test_a_refusal_is_raised_by_the_verbs(played: respx.MockRouter, acme: Any) -> None:
    """Get, post and patch give accepted answers only."""
    played.route().respond(404, json={"detail": "Not found."})

    with pytest.raises(Refused, match=r"The service answered 404: Not found\.") as raised:
        await acme().patch("things", json={})

    assert raised.value.service is not None
    assert (raised.value.service.status, raised.value.service.said) == (404, "Not found.")


async def test_a_refusal_of_a_custom_request_is_a_reply(played: respx.MockRouter, acme: Any) -> None:
    """The caller who wrote the request reads the answer."""
    played.route().respond(400, json=["No."])

    reply = await acme().custom("GET", "/things")

    assert (reply.status, reply.body, reply.said) == (400, ["No."], "No.")


async def test_a_held_method_is_not_sent(played: respx.MockRouter, acme: Any) -> None:
    """DA-3: a dry run sends nothing that changes, and says what it would have sent."""
    client = acme(CHANGES)

    with pytest.raises(WouldSend) as raised:
        await client.ask("POST", "devices", "d 1", json={"PIN": "1"})

    assert raised.value == WouldSend("POST", "/api/v1/devices/d%201", {}, {}, {"PIN": "1"}, ("devices", "d 1"))
    assert played.calls.call_count == 0


async def test_a_dry_run_of_a_reading_card_asks_nothing(played: respx.MockRouter, acme: Any) -> None:
    """DA-3: where everything is held, nothing is looked up."""
    client = acme(EVERYTHING)

    with pytest.raises(WouldSend):
        await client.get("devices")

    assert played.calls.call_count == 0


@pytest.mark.parametrize("held", [CHANGES, EVERYTHING])
async def test_a_wrong_custom_request_is_told_by_a_dry_run(acme: Any, held: frozenset[str]) -> None:
    """DA-3: validation comes first."""
    with pytest.raises(InvalidCall):
        await acme(held).custom("POST", "/../admin")


@pytest.mark.parametrize(
    ("answer", "key", "found"),
    [([], None, []), ([{"a": 1}], None, [{"a": 1}]), ({"apps": [{"a": 1}]}, "apps", [{"a": 1}])],
)
def test_records_are_a_bare_list_or_under_a_key(answer: Any, key: str | None, found: list[Any]) -> None:
    """Kandji knows both."""
    assert rows_of(answer, key) == found


@pytest.mark.parametrize("answer", [None, {}, "x", 1, [1], [None], [[]], [{}, "x"], {"detail": "x"}])
def test_anything_else_is_no_list_of_records(answer: Any) -> None:
    """UP-2: an object or null is never an empty list."""
    with pytest.raises(Unexpected, match=r"^The service answered without a list of records\.$"):
        rows_of(answer)


@pytest.mark.parametrize("answer", [None, [], [{}], "x", {}, {"results": None}, {"results": {}}, {"results": ["x"]}])
def test_a_list_that_is_not_under_its_key_is_unexpected(answer: Any) -> None:
    """UP-2: the error names the key."""
    with pytest.raises(Unexpected, match=r"^The service answered without a list of records under results\.$"):
        rows_of(answer, "results")


@pytest.mark.parametrize("answer", [None, [], [{}], "x", 1, True])
def test_anything_but_an_object_is_no_record(answer: Any) -> None:
    """UP-2: an empty answer is not an empty record."""
    assert record_of({}) == {}
    with pytest.raises(Unexpected, match="without a record"):
        record_of(answer)


async def test_a_number_beyond_64_bits_is_a_fault_of_the_call(played: respx.MockRouter, acme: Any) -> None:
    """UP-2: a body that cannot be written as JSON for the service is not a fault of ours."""
    played.route().mock(return_value=httpx.Response(200))

    with pytest.raises(InvalidCall):
        await acme().custom("POST", "/things", body={"n": 10**30})
