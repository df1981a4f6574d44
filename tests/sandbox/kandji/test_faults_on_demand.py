"""Each fault, as a client sees it over a real connection."""

import time

import httpx
import pytest

from tests.sandbox.kandji.tenants import Api, Served


def test_latency_delays_the_answer(served: Served) -> None:
    """The answer itself is the right one."""
    served.fault(kind="latency", milliseconds=80, times=1)
    started = time.monotonic()

    answer = served.client.get("/tags")

    assert answer.status_code == 200
    assert time.monotonic() - started >= 0.08


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failing_gateway_answers_for_the_api(served: Served, status: int) -> None:
    """Kong's JSON, and nothing is done."""
    served.fault(kind="status", status=status, times=1)

    failed, fine = served.client.post("/tags", json={"name": "zebra"}), served.client.get("/tags?search=zebra")

    assert failed.status_code == status
    assert failed.json()["message"]
    assert fine.json()["results"] == []


@pytest.mark.parametrize("retry_after", [None, "2", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_throttling_comes_with_and_without_a_time(served: Served, retry_after: str | None) -> None:
    """`Retry-After` is seconds, a date, or missing."""
    served.fault(kind="status", status=429, retry_after=retry_after)

    answer = served.client.get("/tags")

    assert (answer.status_code, answer.headers.get("retry-after")) == (429, retry_after)


def test_a_dropped_connection_ends_without_a_byte(served: Served) -> None:
    """Nothing was done, and the log says that nothing was answered."""
    served.fault(kind="drop", method="POST", times=1)

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        served.client.post("/tags", json={"name": "zebra"})

    assert served.client.get("/tags?search=zebra").json()["results"] == []
    assert served.client.get(f"{served.url}/_sandbox/requests").json()["requests"][0]["status"] == 0


def test_a_lost_answer_leaves_the_work_done(served: Served) -> None:
    """The client sees the connection end; the tag is there."""
    served.fault(kind="lost_answer", method="POST", times=1)

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        served.client.post("/tags", json={"name": "zebra"})

    assert [tag["name"] for tag in served.client.get("/tags?search=zebra").json()["results"]] == ["zebra"]


def test_a_cut_body_is_shorter_than_announced(served: Served) -> None:
    """Headers and half of the body arrive, then the connection closes."""
    served.fault(kind="cut", times=1)

    with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"):
        served.client.get("/devices")

    assert served.client.get("/devices").status_code == 200


def test_html_takes_the_place_of_json(served: Served) -> None:
    """With status 200, as a sign-in page has."""
    served.fault(kind="html", times=1)

    answer = served.client.get("/devices")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("first", "second"), [("/devices?limit=10", "/devices?limit=10&offset=10"), ("/users", "/users?cursor=cD0xMA==")]
)
def test_a_page_repeats(served: Served, first: str, second: str) -> None:
    """The next page is the one before once more."""
    page = served.client.get(first).json()
    served.fault(kind="repeat", after=0, times=1)

    assert served.client.get(second).json() == page


def test_a_fault_waits_for_its_turn(served: Served) -> None:
    """It meets the method and path it names, after some requests, for a number of them."""
    served.fault(kind="status", method="GET", path="/dev*", after=1, times=2)

    statuses = [
        served.client.get(path).status_code for path in ("/tags", "/devices", "/devices", "/devices", "/devices")
    ]

    assert statuses == [200, 200, 500, 500, 200]


def test_chance_follows_the_seed(served: Served) -> None:
    """The same seed fails the same requests."""
    outcomes = []
    for _ in range(2):
        served.reset()
        served.fault(kind="status", probability=0.5)
        outcomes.append([served.client.get("/tags").status_code for _ in range(20)])

    assert outcomes[0] == outcomes[1]
    assert set(outcomes[0]) == {200, 500}


def test_faults_are_taken_back(served: Served) -> None:
    """All of them at once."""
    served.fault(kind="status")
    served.client.delete(f"{served.url}/_sandbox/faults")

    assert served.client.get("/tags").status_code == 200


async def test_in_process_a_dropped_connection_is_an_exception(api: Api) -> None:
    """Without a connection there is nothing to close."""
    client = api()
    await client.post("http://acme.test/_sandbox/faults", json={"kind": "drop"})

    with pytest.raises(ConnectionResetError):
        await client.get("/tags")
