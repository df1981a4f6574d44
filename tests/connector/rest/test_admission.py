"""How often callers may come, and wrong keys: in bursts, never for long, and nobody at another's cost."""

import httpx
import pytest

from connector.rest import admission
from tests.conftest import HOST, Upcard
from tests.connector.engine.parts import Clock
from tests.connector.rest.conftest import Fresh

WRONG = "kc_live_0000000000000000_"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(admission, "time", found)
    return found


async def asked(upcard: Upcard, key: str, address: str = "192.0.2.1", times: int = 1) -> httpx.Response:
    """The last of so many answers to a key at an address."""
    transport = httpx.ASGITransport(upcard.app, client=(address, 50_000))
    async with httpx.AsyncClient(transport=transport, base_url=HOST) as http:
        for _ in range(times):
            answer = await http.get("/v1/nothing", headers={"Authorization": f"Bearer {key}"})
    return answer


def key_of(upcard: Upcard) -> str:
    return upcard.http.headers["authorization"].removeprefix("Bearer ")


async def test_a_caller_comes_so_often_and_no_more(fresh: Fresh, clock: Clock) -> None:
    """AU-7: five seconds' worth at once, then 429, which says when to come again; then at the rate."""
    upcard = await fresh(calls_per_second=2)
    last = await asked(upcard, key_of(upcard), times=10)

    refused = await asked(upcard, key_of(upcard))
    clock.now += 0.5
    later = await asked(upcard, key_of(upcard))

    assert (last.status_code, refused.status_code, later.status_code) == (404, 429, 404)
    assert (refused.json()["type"], refused.json()["retry"]) == ("too_many_calls", True)
    assert refused.headers["retry-after"] == "1"


async def test_one_caller_does_not_starve_another(fresh: Fresh, clock: Clock) -> None:
    """AU-7: each key has its own limit, at one address as well."""
    upcard = await fresh(calls_per_second=1)
    other = upcard.host.keys.mint("another")

    refused = await asked(upcard, key_of(upcard), times=6)

    assert (refused.status_code, (await asked(upcard, other)).status_code) == (429, 404)


async def test_a_card_is_called_so_often_as_well(fresh: Fresh, clock: Clock) -> None:
    """AU-7: the short way to a card goes through the same door."""
    upcard = await fresh(calls_per_second=1)

    answers = [(await upcard.call("kandji.get_device")).status_code for _ in range(6)]

    assert answers == [400] * 5 + [429]


async def test_no_limit_is_none(fresh: Fresh, clock: Clock) -> None:
    """An operator may leave it to what stands before the host."""
    upcard = await fresh(calls_per_second=0)

    assert (await asked(upcard, key_of(upcard), times=50)).status_code == 404


@pytest.fixture
def few_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three wrong keys instead of 500."""
    monkeypatch.setattr(admission, "WRONG_BURST", 3.0)


async def test_an_address_sends_so_many_wrong_keys(fresh: Fresh, clock: Clock, few_wrong: None) -> None:
    """AU-7: of any kind, and none counts; then 429 until they are rarer; another address has its own limit."""
    upcard = await fresh()
    answers = [await asked(upcard, key) for key in ("", "x", "kc_live_x", WRONG + "x")]

    other = await asked(upcard, "y", address="192.0.2.2")
    clock.now += 0.05
    later = await asked(upcard, "z")

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert (answers[3].json()["type"], answers[3].headers["retry-after"]) == ("too_many_calls", "1")
    assert (other.status_code, later.status_code) == (401, 401)


async def test_a_key_is_guessed_so_often(fresh: Fresh, clock: Clock, few_wrong: None) -> None:
    """AU-7: also from many addresses at once."""
    upcard = await fresh()

    answers = [await asked(upcard, f"{WRONG}{number}", address=f"192.0.2.{number}") for number in range(4)]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]


async def test_a_right_key_comes_in_where_wrong_ones_came_from(fresh: Fresh, clock: Clock, few_wrong: None) -> None:
    """AU-7: nobody locks a caller out, neither by its address nor by the public part of its key."""
    upcard = await fresh()

    refused = await asked(upcard, key_of(upcard) + "x", times=9)

    assert (refused.status_code, (await asked(upcard, key_of(upcard))).status_code) == (429, 404)


@pytest.mark.parametrize("name", ["x-forwarded-for", "forwarded", "x-real-ip"])
async def test_a_header_is_no_address(fresh: Fresh, clock: Clock, few_wrong: None, name: str) -> None:
    """AU-6: whoever writes another address into each request is limited all the same."""
    upcard = await fresh()
    transport = httpx.ASGITransport(upcard.app)
    async with httpx.AsyncClient(transport=transport, base_url=HOST) as http:
        answers = [await http.get("/v1", headers={name: f"for=192.0.2.{number}"}) for number in range(4)]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]


async def test_two_keys_of_one_request_are_no_guess(fresh: Fresh, clock: Clock, few_wrong: None) -> None:
    """AU-5: what is refused before a key is looked at says nothing about one."""
    upcard = await fresh()
    headers = {"x-api-client-token": "x"}

    answers = [(await upcard.http.get("/v1/cards", headers=headers)).status_code for _ in range(5)]

    assert answers == [400] * 5
