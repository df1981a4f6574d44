"""What holds for every card. A card's author writes one case; the rest is checked here, from the published file."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import respx

from connector.catalog.find import catalog
from connector.catalog.schema import schema
from connector.rest.openapi import openapi
from connector.sdk.card import Card
from connector.sdk.deeds import deed_of_request
from tests.cases import FOLDER, Case, case_of, cases, play
from tests.conftest import Upcard, asked
from tests.services import Service

ROOT = Path(__file__).parents[1]
CARDS = list(catalog().cards.values())
GUIDES = {path.stem: json.loads(path.read_text())["cards"] for path in (ROOT / "tests/guide").glob("*.json")}
GUIDED = [card for card in CARDS if card.name in GUIDES.get(card.connector, {})]
VERBS = {"read": {"GET"}, "write": {"GET", "POST", "PATCH"}, "destroy": {"GET", "POST", "PUT", "PATCH", "DELETE"}}

ERROR_BODIES: tuple[Any, ...] = (b"", b'"Refused."', b'["Refused."]', b'{"detail": "Refused."}', b"<h1>Refused.</h1>")


def _decides(exchange: dict[str, Any], card: Card) -> bool:
    """Whether this is the request that the card is for."""
    return card.effect == "read" or not exchange["ask"].startswith("GET ")


WRITTEN = [
    case
    for case in cases()
    if ((card := catalog().card(case.card)).effect != "read" or card.only_secrets)
    and not card.by_name
    and any(_decides(exchange, card) for exchange in case.upstream)
]


def _secrets(case: Case) -> list[str]:
    """The secret outputs that the case has."""
    rows = schema(catalog().card(case.card))["properties"].get("outputs", {}).get("properties", {})
    return [str(value) for key, value in (case.outputs or {}).items() if value and rows.get(key, {}).get("x-secret")]


SECRET = [case for case in cases() if _secrets(case)]

# By connector, the card whose request its caller writes; where there is none, one that asks for something else.
CUSTOM = {card.connector: card for card in sorted(CARDS, key=lambda card: card.by_name) if card.effect != "write"}

every_card = pytest.mark.parametrize("card", CARDS, ids=lambda card: card.key)
every_case = pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)


@every_card
def test_a_card_is_named_after_its_file(card: Card) -> None:
    """The file, the function and the key are one name; the title has only letters, digits and blanks."""
    assert (ROOT / "cards" / card.connector / f"{card.name}.py").exists()
    assert card.handler.__name__ == card.name
    assert card.title.replace(" ", "").isalnum()


@every_card
def test_a_card_says_what_it_does(card: Card) -> None:
    """Its description is whole sentences, and fits everywhere it is shown (GPT actions take 300 characters)."""
    assert card.description.endswith(".")
    assert len(card.description) <= 300


@every_card
def test_a_card_has_a_case(card: Card) -> None:
    """A card without a case is not finished."""
    assert (FOLDER / card.connector / f"{card.name}.json").exists()


@every_card
def test_its_published_file_is_valid_and_current(card: Card) -> None:
    """The committed file is what the card says, and is JSON Schema 2020-12."""
    published = _published(card)

    jsonschema.Draft202012Validator.check_schema(published)
    assert published == json.loads(json.dumps(schema(card)))


@pytest.mark.parametrize("connector", GUIDES)
def test_every_card_of_a_guide_is_there(connector: str) -> None:
    """A vendor's guide is implemented in full."""
    assert set(GUIDES[connector]) == {card.name for card in GUIDED if card.connector == connector}


@pytest.mark.parametrize("card", GUIDED, ids=lambda card: card.key)
def test_it_says_what_the_guide_says(card: Card) -> None:
    """Title, labels, types, choices, required rows and groups are the guide's to the letter."""
    guide = GUIDES[card.connector][card.name]
    published = _published(card)
    parts = published["properties"]

    assert published["title"] == guide["title"]
    assert _rows(parts["options"]) == _guide_rows(guide["options"])
    assert _rows(parts["inputs"]) == _guide_rows(guide["inputs"])
    assert set(_output_rows(card, published)) == set(_guide_outputs(guide["outputs"]))


@every_card
def test_it_is_one_operation(card: Card) -> None:
    """OpenAPI has one operation for it, with the card's name, title and effect."""
    found = [
        operation
        for path in openapi()["paths"].values()
        for operation in path.values()
        if operation["operationId"] == f"{card.connector}_{card.name}"
    ]

    assert [(operation["summary"], operation["x-effect"]) for operation in found] == [(card.title, card.effect)]


@every_card
@pytest.mark.parametrize("blank", [None, "", "  "])
async def test_a_missing_input_is_named_before_anything_is_asked(
    card: Card, blank: str | None, upcard: Upcard, service: respx.MockRouter
) -> None:
    """Required and left out, null or blank: 400, each by its name and in Okta's sentence, and no request."""
    case = case_of(card.key)
    rows = _published(card)["properties"]["inputs"]
    needed = {key: rows["properties"][key] for key in rows["required"]}

    answer = await upcard.call(card.key, **{**case.call, "inputs": dict.fromkeys(needed, blank)})

    sentences = {f"inputs/{key}": _asked_for(row) for key, row in needed.items()}
    told = {error["at"]: error["why"] for error in answer.json().get("errors", []) if error["at"] != "inputs"}
    assert told == sentences
    assert not asked(service) or not needed


@every_card
async def test_an_unknown_input_is_refused_by_name(card: Card, upcard: Upcard, service: respx.MockRouter) -> None:
    """A misspelt input is never dropped."""
    case = case_of(card.key)

    answer = await upcard.call(card.key, **{**case.call, "inputs": {**case.call.get("inputs", {}), "platfrom": "Mac"}})

    assert answer.status_code == 400
    assert [error["at"] for error in answer.json()["errors"]] == ["inputs/platfrom"]


@every_card
async def test_a_wrong_kind_is_named(card: Card, upcard: Upcard, service: respx.MockRouter) -> None:
    """A list where text, a number or a boolean belongs is an error at that input, and is not repeated."""
    case = case_of(card.key)
    rows = _published(card)["properties"]["inputs"]["properties"]
    kinds = [key for key, row in rows.items() if row["x-kind"] in ("Text", "Number", "Boolean", "Dropdown")]
    wrong = {key: ["s3cret"] for key in kinds}

    answer = await upcard.call(card.key, **{**case.call, "inputs": {**case.call.get("inputs", {}), **wrong}})

    assert {error["at"] for error in answer.json().get("errors", [])} >= {f"inputs/{key}" for key in kinds}
    assert "s3cret" not in answer.text
    assert not asked(service) or not kinds


@every_card
async def test_an_option_must_be_one_of_its_choices(card: Card, upcard: Upcard, service: respx.MockRouter) -> None:
    """Anything else is refused, naming the choices."""
    case = case_of(card.key)
    rows = _published(card)["properties"]["options"]["properties"]

    answer = await upcard.call(card.key, **{**case.call, "options": dict.fromkeys(rows, "something else")})

    told = {error["at"]: error["why"] for error in answer.json().get("errors", []) if error["at"] != "stream"}
    assert set(told) == {f"options/{key}" for key in rows}
    assert all(choice in told[f"options/{key}"] for key, row in rows.items() for choice in row["enum"])


@every_case
async def test_a_card_asks_and_answers_what_its_case_says(
    case: Case, upcard: Upcard, service: respx.MockRouter
) -> None:
    """The service is asked exactly that, and nothing more; the answer is exactly this, and fits the published file."""
    answer = await play(upcard, service, case)

    if case.error:
        assert {key: answer.json().get(key) for key in case.error} == case.error
        return
    assert answer.json().get("outputs") == case.outputs, answer.text
    given = {**case.call, "inputs": case_of(case.card).call["inputs"]} if case.loose else case.call
    whole = {"options": {}, "inputs": {}, **given, "outputs": answer.json()["outputs"]}
    jsonschema.validate(whole, _published(catalog().card(case.card)))


@every_case
def test_the_effect_agrees_with_what_is_asked(case: Case) -> None:
    """A card that reads only sends GET; only a card that destroys may send DELETE."""
    asked = {exchange["ask"].partition(" ")[0] for exchange in case.upstream}
    effect = catalog().card(case.card).effect

    assert asked <= VERBS[effect], f'effect="{effect}" is not the one of a card that sends this'


def test_every_card_that_only_reads_is_probed() -> None:
    """The check of a connection can tell whether the token permits it."""
    untold = [card for card in CARDS if card.effect == "read" and card.name not in card.client.probes]

    assert not untold, [f"`probes` of {_client(card)} does not say what {card.name} asks for" for card in untold]


@every_card
async def test_a_dry_run_changes_nothing(card: Card, upcard: Upcard, service: respx.MockRouter) -> None:
    """It looks at the target at most, and says what it would send."""
    case = case_of(card.key)
    answers = {exchange["ask"]: exchange for exchange in case.upstream}
    service.route(method="GET").mock(side_effect=lambda request: _looked_up(request, answers, case.service))

    answer = await upcard.call(card.key, **case.call, dry_run=True)

    assert answer.json()["dry_run"] is True
    assert answer.json()["would_send"]["method"] in VERBS[card.effect]
    assert {request.method for request in asked(service)} <= {"GET"}


@pytest.mark.parametrize("case", WRITTEN, ids=lambda case: case.name)
def test_a_written_request_that_does_the_same_is_under_the_card_s_policy(case: Case) -> None:
    """SSRF-10: what changes something or gives secrets is judged alike when Custom API Action sends it, in any case."""
    card = catalog().card(case.card)
    custom = CUSTOM[card.connector]
    sent = next(exchange["ask"] for exchange in reversed(case.upstream) if _decides(exchange, card))
    method, _, url = sent.partition(" ")
    path = url.partition("?")[0].strip("/")

    found = deed_of_request(custom, method, path.upper().split("/"), catalog().cards)

    judged = (found.card, found.effect, found.disruptive, found.secret)
    why = f"`same` of {_client(card)} does not say that {method} {path} is {card.name}"
    assert judged == (card.key, card.effect, card.disruptive, card.gives_secrets), why


@pytest.mark.parametrize("case", SECRET, ids=lambda case: case.name)
async def test_a_secret_is_kept_nowhere(
    case: Case, upcard: Upcard, service: respx.MockRouter, capfd: pytest.CaptureFixture[str]
) -> None:
    """A secret output is in the answer, and neither in the run nor in the log."""
    answer = await play(upcard, service, case)
    run = await upcard.http.get(f"/v1/runs/{answer.json()['run']}")
    kept = run.text + "".join(capfd.readouterr())

    assert run.status_code == 200
    assert not [secret for secret in _secrets(case) if secret in kept]


@every_card
@pytest.mark.parametrize("body", ERROR_BODIES)
@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_a_refusal_is_reported(
    card: Card, status: int, body: bytes, upcard: Upcard, service: respx.MockRouter
) -> None:
    """A card with a Status Code reports it and goes on; any other card fails with what the service said.

    SEC-5: but what a service says that was asked for a secret may hold one.
    """
    service.route().respond(status, content=body)

    answer = await upcard.call(card.key, **case_of(card.key).call)

    if key := _status_key(card):
        assert (answer.status_code, answer.json()["outputs"][key]) == (200, status)
    else:
        assert answer.json()["type"] == ("not_connected" if status == 401 else "refused")
        assert answer.json()["service"] == {
            "status": status,
            "said": "Refused." if body and not card.gives_secrets else "",
        }


@every_card
async def test_a_throttled_card_did_nothing(card: Card, upcard: Upcard, service: respx.MockRouter) -> None:
    """429 is retried; then the caller is told how long to wait, and that nothing was done."""
    service.route().respond(429, headers={"Retry-After": "7"})

    answer = await upcard.call(card.key, **case_of(card.key).call)

    assert (answer.status_code, answer.json()["type"], answer.headers["retry-after"]) == (503, "throttled", "7")
    assert len(asked(service)) > 1


@every_card
@pytest.mark.parametrize("failure", [500, 503, httpx.ReadTimeout("slow"), httpx.ReadError("cut")], ids=str)
async def test_a_change_without_an_answer_is_never_repeated(
    card: Card, failure: int | Exception, upcard: Upcard, service: respx.MockRouter
) -> None:
    """A read is unavailable; a change may have been done, so it is sent once and its outcome is unknown."""
    _look_ups(service, case_of(card.key))
    route = service.route(method__in=["POST", "PUT", "PATCH", "DELETE"] if card.effect != "read" else ["GET"])
    route.mock(side_effect=failure if isinstance(failure, Exception) else lambda _: httpx.Response(failure))

    answer = await upcard.call(card.key, **case_of(card.key).call)

    expected = (503, "unavailable") if _reads(card) else (502, "outcome_unknown")
    assert (answer.status_code, answer.json()["type"]) == expected
    assert route.call_count == 1 or _reads(card)


@every_card
async def test_html_is_never_taken_for_an_answer(card: Card, upcard: Upcard, service: respx.MockRouter) -> None:
    """A login page with status 200 is no success."""
    service.route().respond(200, html="<html><title>Sign in</title></html>")

    answer = await upcard.call(card.key, **case_of(card.key).call)

    assert answer.json()["type"] in ("unexpected", "outcome_unknown")


def _client(card: Card) -> str:
    return f"cards/{card.connector}/_client.py"


def _published(card: Card) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "schemas" / card.connector / f"{card.name}.json").read_text())
    return found


def _asked_for(row: dict[str, Any]) -> str:
    """Okta's sentence for an input that is missing."""
    wanted = f"Choose one of: {', '.join(row['enum'])}." if "enum" in row else f"Enter a valid {row['title']}."
    return f"No {row['title']} input provided. {wanted}"


def _rows(table: dict[str, Any]) -> set[tuple[Any, ...]]:
    required = table["required"]
    return {
        (row["title"], row["x-kind"], key in required, tuple(row["x-labels"][choice] for choice in row.get("enum", ())))
        for key, row in table["properties"].items()
    }


def _guide_rows(rows: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    """What the guide requires of some platforms only is not required of a call; the card's cases show it."""
    return {(row["label"], row["type"], row["required"] is True, tuple(row.get("choices", ()))) for row in rows}


def _output_rows(card: Card, published: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    variants = published.get("oneOf") or [{"title": None, "properties": published["properties"]}]
    for variant in variants:
        for row in variant["properties"]["outputs"]["properties"].values():
            members = row["properties"].values() if "x-kind" not in row else [row]
            group = row["title"] if "x-kind" not in row else None
            yield from ((variant["title"], group, member["title"], member["x-kind"]) for member in members)


def _guide_outputs(rows: list[dict[str, Any]]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        when = next(iter(row.get("when", {}).values()), None)
        yield when, row.get("group"), row["label"], row["type"]


def _status_key(card: Card) -> str | None:
    """The output that holds the status."""
    outputs = _published(card)["properties"].get("outputs", {"properties": {}})["properties"]
    return next((key for key in ("status_code", "status") if outputs.get(key, {}).get("x-kind") == "Number"), None)


def _reads(card: Card) -> bool:
    asked = {exchange["ask"].partition(" ")[0] for exchange in case_of(card.key).upstream}
    return asked == {"GET"}


def _looked_up(request: httpx.Request, answers: dict[str, Any], service: Service) -> httpx.Response:
    asked = f"GET {request.url.raw_path.decode().removeprefix(service.prefix)}"
    return httpx.Response(200, json=answers.get(asked, {}).get("answer", service.looked_up))


def _look_ups(service: respx.MockRouter, case: Case) -> None:
    """The requests of a changing card that only read, as its case has them."""
    if all(exchange["ask"].startswith("GET") for exchange in case.upstream):
        return
    answers = {exchange["ask"]: exchange for exchange in case.upstream}
    service.route(method="GET").mock(side_effect=lambda request: _looked_up(request, answers, case.service))
