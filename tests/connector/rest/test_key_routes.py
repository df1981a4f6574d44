"""Keys over HTTP: made by who has as much, shown once, listed without their secrets, taken back."""

from typing import Any

import httpx
import pytest
import respx

from connector import host
from connector.engine import keys as engine
from connector.engine.keys import Keys, id_of
from tests.conftest import Upcard
from tests.connector.rest.conftest import Fresh, holding, with_key
from tests.processes import until

SOON = "2999-01-01T00:00:00Z"
NEW: dict[str, Any] = {"label": "nightly flow", "scopes": ["cards:read", "runs"]}
CUSTOM = "kandji.custom_api_action"


async def made(http: httpx.AsyncClient, **more: Any) -> httpx.Response:
    return await http.post("/v1/keys", json={**NEW, **more})


async def test_a_key_is_made(upcard: Upcard) -> None:
    """AU-2: 201 with the key itself; what was not said is all cards, all connections and no end."""
    answer = await made(upcard.http)

    found = answer.json()
    assert answer.status_code == 201
    assert found.pop("key").startswith(f"kc_live_{found['id']}_")
    assert found.pop("id")
    assert found.pop("created")
    assert found == {
        **{"label": "nightly flow", "scopes": ["cards:read", "runs"], "cards": ["*"], "connections": None},
        **{"expires": None, "last_used": None, "maker": upcard.caller},
    }


async def test_a_key_that_was_made_calls(upcard: Upcard) -> None:
    """AU-2: at once, and just what it was given."""
    key = (await made(upcard.http)).json()["key"]

    async with with_key(upcard, key) as http:
        answers = [await http.get("/v1/runs"), await http.get("/v1/keys")]

    assert [answer.status_code for answer in answers] == [200, 403]


async def test_a_key_is_narrowed(upcard: Upcard) -> None:
    """AU-4: to cards, connections and time; the end is written as the host writes times."""
    found = (await made(upcard.http, cards=["kandji.*", CUSTOM], connections=["acme"], expires=SOON)).json()

    assert (found["cards"], found["connections"]) == (["kandji.*", CUSTOM], ["acme"])
    assert found["expires"] == "2999-01-01T00:00:00.000Z"


@pytest.mark.parametrize("what", ["cards", "connections", "expires"])
async def test_blank_text_does_not_widen_a_key(upcard: Upcard, what: str) -> None:
    """AU-4: a variable that was empty is neither all cards, nor all connections, nor no end."""
    answer = await made(upcard.http, **{what: " "})

    assert (answer.status_code, answer.json()["errors"][0]["at"]) == (400, what)


async def test_a_label_has_no_control_characters(upcard: Upcard) -> None:
    """It is printed where somebody else lists the keys."""
    answers = [await made(upcard.http, label=label) for label in ("a\x1b[2J", "a\u009b2J", "Büro, 2. Stock")]

    assert [answer.status_code for answer in answers] == [400, 400, 201]


async def test_a_narrowed_key_is_held_to_it(upcard: Upcard) -> None:
    """AU-4: `*` is not for a card that is given by name, nor one connector's cards for others."""
    key = (await made(upcard.http, scopes=["cards:read"], cards=["kandji.get_device"])).json()["key"]

    async with with_key(upcard, key) as http:
        answers = [await http.post(f"/v1/cards/kandji/{card}", json={}) for card in ("get_device", "list_devices")]

    assert [answer.status_code for answer in answers] == [400, 403]


async def test_listing_never_shows_a_key(upcard: Upcard) -> None:
    """AU-2: neither the key nor its hash."""
    key = (await made(upcard.http)).json()["key"]

    answer = await upcard.http.get("/v1/keys")

    (found,) = [each for each in answer.json()["items"] if each["id"] in key]
    assert set(found) == {
        *("id", "label", "scopes", "cards", "connections", "created", "expires", "last_used", "maker"),
    }
    assert key.split("_")[3] not in answer.text
    assert upcard.host.keys.get(found["id"]).hash not in answer.text


async def test_the_last_use_is_shown(fresh: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    """AU-2: the host notes it now and then."""
    monkeypatch.setattr(host, "NOTE", 0.01)
    upcard = await fresh()

    async def last_used() -> Any:
        (found,) = (await upcard.http.get("/v1/keys")).json()["items"]
        return found["last_used"]

    assert await until(last_used, within=5)


async def test_every_fault_is_told(upcard: Upcard) -> None:
    """Each with its place, and without what was sent."""
    answer = await made(
        upcard.http,
        label="",
        scopes=["runs", "s3cret"],
        cards=["kandji.s3cret", "s3cret.*", "kandji", 7],
        connections=["acme", "S3cret"],
        expires="2001-01-01T00:00:00Z",
        s3cret=1,
    )

    assert answer.status_code == 400
    assert {error["at"]: error["why"] for error in answer.json()["errors"]} == {
        "label": "No Label field provided. Enter a valid Label.",
        "scopes/1": "Scopes must be some of: cards:read, cards:write, cards:destroy, cards:secret, runs, admin.",
        **dict.fromkeys(
            [f"cards/{at}" for at in range(4)],
            "Cards must be keys of cards there are, such as kandji.lock_device, kandji.* or *.",
        ),
        "connections/1": "Connections must be names of connections.",
        "expires": "Expires must be in the future.",
        "s3cret": "There is no field of this name.",
    }


@pytest.mark.parametrize("scopes", [None, "", "runs", {}, 7])
async def test_scopes_are_asked_for(upcard: Upcard, scopes: Any) -> None:
    """A key without scopes is asked for in so many words: an empty list."""
    refused = await made(upcard.http, scopes=scopes)

    assert (refused.status_code, refused.json()["errors"][0]["at"]) == (400, "scopes")
    assert (await made(upcard.http, scopes=[])).status_code == 201


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"scopes": ["cards:destroy"]}, "The key lacks the scope cards:destroy."),
        ({"cards": ["*"]}, "The key is not for all of these cards."),
        ({"cards": None}, "The key is not for all of these cards."),
        ({"cards": ["kandji.get_device", CUSTOM]}, "The key is not for all of these cards."),
        ({"connections": ["acme", "beta"]}, "The key is not for all of these connections."),
        ({"connections": None}, "The key is not for all of these connections."),
    ],
)
async def test_a_key_gives_only_what_it_has(upcard: Upcard, more: dict[str, Any], why: str) -> None:
    """AU-4: 403, and no key is made."""
    wanted = {"scopes": ["admin", "cards:read"], "cards": ["kandji.get_device"], "connections": ["acme"]}
    before = len(upcard.host.keys.all()) + 1
    async with holding(upcard, "admin", "cards:read", cards=("kandji.*",), connections=("acme",)) as http:
        refused = await made(http, **{**wanted, **more})

        assert (refused.status_code, refused.json()["detail"]) == (403, why)
        assert len(upcard.host.keys.all()) == before
        assert (await made(http, **wanted)).status_code == 201


async def test_a_key_that_ends_makes_none_that_outlives_it(upcard: Upcard) -> None:
    """AU-2: else it would never end."""
    key = (await made(upcard.http, scopes=["admin"], expires=SOON)).json()["key"]

    async with with_key(upcard, key) as http:
        answers = [await made(http, scopes=[], expires=expires) for expires in (SOON, "2999-01-01T00:00:01Z", None)]

    assert [answer.status_code for answer in answers] == [201, 403, 403]


async def test_an_expired_key_answers_401(upcard: Upcard, monkeypatch: pytest.MonkeyPatch) -> None:
    """AU-2, AU-5: as any wrong key."""
    key = (await made(upcard.http, expires=SOON)).json()["key"]
    monkeypatch.setattr(engine, "now", lambda: "2999-01-01T00:00:00.000Z")

    async with with_key(upcard, key) as http:
        answer = await http.get("/v1/cards")

    assert (answer.status_code, answer.json()["type"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == 'Bearer realm="upcard"'


async def test_a_key_is_revoked(upcard: Upcard) -> None:
    """AU-2: 204, then it is nobody's; a second time there is none."""
    found = (await made(upcard.http)).json()

    answers = [await upcard.http.delete(f"/v1/keys/{found['id']}") for _ in range(2)]

    async with with_key(upcard, found["key"]) as http:
        assert (await http.get("/v1/cards")).status_code == 401
    assert [answer.status_code for answer in answers] == [204, 404]
    assert answers[1].json()["type"] == "no_such_key"


async def test_what_a_revoked_key_made_stays(upcard: Upcard) -> None:
    """Whoever leaves does not stop the flows."""
    maker = (await made(upcard.http, scopes=["admin"])).json()
    async with with_key(upcard, maker["key"]) as http:
        key = (await made(http, scopes=[])).json()["key"]

    await upcard.http.delete(f"/v1/keys/{maker['id']}")

    async with with_key(upcard, key) as http:
        assert (await http.get("/v1/cards")).status_code == 200


async def test_a_key_for_some_connections_administers_only_their_keys(upcard: Upcard) -> None:
    """AU-4: keys that reach more are neither listed nor revoked."""
    async with holding(upcard, "admin", connections=("acme",)) as http:
        own = (await made(http, scopes=[], connections=["acme"])).json()
        listed = (await http.get("/v1/keys")).json()["items"]
        refused = await http.delete(f"/v1/keys/{upcard.caller}")
        revoked = await http.delete(f"/v1/keys/{own['id']}")

    assert {tuple(each["connections"]) for each in listed} <= {("acme",), ()}
    assert own["id"] in [each["id"] for each in listed]
    assert (refused.status_code, refused.json()["type"], revoked.status_code) == (404, "no_such_key", 204)


async def test_keys_of_another_host_are_seen_at_once(upcard: Upcard) -> None:
    """Whoever lists or revokes does not wait until the host looks."""
    one, other = (id_of(Keys(upcard.host.store).mint("made there")) for _ in range(2))

    listed = await upcard.http.get("/v1/keys")

    assert {one, other} <= {each["id"] for each in listed.json()["items"]}
    assert (await upcard.http.delete(f"/v1/keys/{other}")).status_code == 204


async def test_the_streams_of_a_key_are_canceled_with_it(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """AU-2: whoever had a stolen key leaves nothing behind that goes on, if that is what is asked for."""
    kandji.get("/devices").respond(json=[{"device_id": f"d{number}"} for number in range(300)])
    flow = "https://127.0.0.1:9/"  # where nobody listens: the stream waits for it
    call = {"options": {"result_set": "stream"}, "stream": {"url": flow}}
    async with holding(upcard, "cards:read") as http:
        path, prefer = "/v1/cards/kandji/list_devices", {"Prefer": "respond-async"}
        run = (await http.post(path, json=call, headers=prefer)).json()["run"]
        id_ = http.headers["authorization"].split("_")[2]

    revoked = await upcard.http.delete(f"/v1/keys/{id_}?cancel_runs=true")

    assert revoked.status_code == 204
    await until(lambda: _is_canceled(upcard, run, id_))


async def _is_canceled(upcard: Upcard, run: str, caller: str) -> bool:
    return (await upcard.host.runs.get(run, caller)).state == "canceled"
