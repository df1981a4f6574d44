"""What holds for every card that lists records: first records, streams, lines, and pages that fail."""

import json
from typing import Any

import pytest
import respx

from connector.catalog.find import catalog
from connector.sdk.card import Card
from tests.cases import Case, case_of
from tests.conftest import Upcard, asked
from tests.lists import Paged, records_like
from tests.receiver import receiving
from tests.services import SERVICES

LISTS = [card for card in catalog().cards.values() if card.results]
PAGES = {card: SERVICES[card.connector].page for card in LISTS}
MANY = {card: 2 * page + 50 for card, page in PAGES.items()}  # two pages and a part of a third
FIRST = [(card, there) for card in LISTS for there in (0, 1, 199, 200, 201, PAGES[card], PAGES[card] + 1)]
STREAMED = [(card, there) for card in LISTS for there in (0, 1, PAGES[card], PAGES[card] + 1, MANY[card])]

every_list = pytest.mark.parametrize("card", LISTS, ids=lambda card: card.key)


@pytest.mark.parametrize(("card", "there"), FIRST, ids=lambda each: getattr(each, "key", each))
async def test_first_records_are_n_at_most(card: Card, there: int, upcard: Upcard, service: respx.MockRouter) -> None:
    """N records and never N + 1, in one request."""
    assert card.results is not None
    records = records_like(card, case_of(card.key), there)
    Paged(records, case_of(card.key)).serve(service)

    answer = await upcard.call(card.key, **_with(case_of(card.key), card.results.first_n))

    assert answer.json()["outputs"] == {card.results.into: records[: card.results.first]}
    assert len(asked(service)) == 1


@pytest.mark.parametrize(("card", "there"), STREAMED, ids=lambda each: getattr(each, "key", each))
async def test_a_stream_hands_over_every_record_once_and_in_order(
    card: Card, there: int, upcard: Upcard, service: respx.MockRouter
) -> None:
    """One request a record with the service's own keys; with concurrency 1 in the service's order."""
    records = records_like(card, case_of(card.key), there)
    Paged(records, case_of(card.key)).serve(service)

    async with receiving() as receiver:
        stream = {"url": receiver.url, "concurrency": 1, "state": {"for": "kim@example.com"}}
        answer = await upcard.call(card.key, **_with(case_of(card.key), "stream"), stream=stream)

    assert answer.json()["outputs"] == {"record_count": there}
    assert receiver.records == records
    assert all(body["State"] == {"for": "kim@example.com"} and len(body) == 2 for body in receiver.sent)


@every_list
async def test_a_stream_heeds_its_record_limit(card: Card, upcard: Upcard, service: respx.MockRouter) -> None:
    """No record beyond the limit, and no page that is not needed."""
    records = records_like(card, case_of(card.key), MANY[card])
    Paged(records, case_of(card.key)).serve(service)

    async with receiving() as receiver:
        stream = {"url": receiver.url, "record_limit": 7}
        answer = await upcard.call(card.key, **_with(case_of(card.key), "stream"), stream=stream)

    assert answer.json()["outputs"] == {"record_count": 7}
    assert len(receiver.sent) == 7
    assert len(asked(service)) == 1


@every_list
async def test_a_list_can_be_taken_as_lines(card: Card, upcard: Upcard, service: respx.MockRouter) -> None:
    """`Accept: application/x-ndjson` gives every record, a line each."""
    records = records_like(card, case_of(card.key), MANY[card])
    Paged(records, case_of(card.key)).serve(service)

    answer = await upcard.http.post(
        f"/v1/cards/{card.connector}/{card.name}",
        json={"inputs": case_of(card.key).call.get("inputs", {})},
        headers={"Accept": "application/x-ndjson"},
    )

    assert [json.loads(line) for line in answer.text.splitlines()] == records


@every_list
async def test_a_stream_that_was_cut_goes_on_where_it_stopped(
    card: Card, upcard: Upcard, service: respx.MockRouter
) -> None:
    """After a page that failed, resume hands over the rest, and nothing twice."""
    records = records_like(card, case_of(card.key), MANY[card])
    pages = Paged(records, case_of(card.key), fails_after=1)
    pages.serve(service)

    async with receiving() as receiver:
        answer = await upcard.call(card.key, **_with(case_of(card.key), "stream"), stream={"url": receiver.url})
        pages.heal()
        address = f"/v1/runs/{answer.json()['run']}"
        await upcard.http.post(f"{address}/resume")
        run = await upcard.host.runs.get(answer.json()["run"], upcard.caller)
        ended = await upcard.host.streams.wait(run, 30)

    assert ended
    assert (ended.state, ended.shown()["progress"]["delivered"]) == ("succeeded", MANY[card])
    assert sorted(map(str, receiver.records)) == sorted(map(str, records))


@every_list
async def test_a_page_that_fails_fails_the_stream(card: Card, upcard: Upcard, service: respx.MockRouter) -> None:
    """Partial data never looks complete; what was handed over is counted."""
    records = records_like(card, case_of(card.key), MANY[card])
    Paged(records, case_of(card.key), fails_after=1).serve(service)

    async with receiving() as receiver:
        stream = {"url": receiver.url}
        answer = await upcard.call(card.key, **_with(case_of(card.key), "stream"), stream=stream)
    run = (await upcard.http.get(f"/v1/runs/{answer.json()['run']}")).json()

    assert answer.json()["type"] == "unavailable"
    assert (run["state"], run["progress"]["delivered"]) == ("failed", len(receiver.sent))


def _with(case: Case, result_set: str) -> dict[str, Any]:
    return {"options": {"result_set": result_set}, "inputs": case.call.get("inputs", {})}
