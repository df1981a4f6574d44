"""What holds for every call: slashes, methods, bodies, tokens, limits, headers."""

import httpx
import pytest

from tests.sandbox.kandji.tenants import Api, Hands

NOTE = "http://acme.test/api/v1/devices/{}/notes"


@pytest.fixture
def client(api: Api) -> httpx.AsyncClient:
    return api()


async def _token(client: httpx.AsyncClient, *permissions: str) -> dict[str, str]:
    added = await client.post("http://acme.test/_sandbox/tokens", json={"permissions": permissions})
    return {"Authorization": f"Bearer {added.json()['token']}"}


async def test_a_trailing_slash_is_accepted(client: httpx.AsyncClient) -> None:
    """With and without, the answer is the same."""
    assert (await client.get("/devices/")).json() == (await client.get("/devices")).json()


async def test_json_is_compact(client: httpx.AsyncClient) -> None:
    """No space after commas and colons."""
    assert b'", "' not in (await client.get("/tags")).content


async def test_a_path_without_route_is_answered_by_kong(client: httpx.AsyncClient) -> None:
    """The gateway speaks, not the API, and asks for no token."""
    answer = await client.get("/nothing", headers={"Authorization": ""})

    assert answer.status_code == 404
    assert answer.json()["message"] == "no Route matched with those values"


async def test_a_wrong_method_names_the_right_ones(client: httpx.AsyncClient) -> None:
    """405 with `Allow`."""
    answer = await client.put("/devices")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert answer.json() == {"detail": 'Method "PUT" not allowed.'}


@pytest.mark.parametrize(
    ("media_type", "content", "status", "detail"),
    [
        ("text/plain", "x", 415, 'Unsupported media type "text/plain" in request.'),
        ("application/json", '{"name" 1}', 400, "JSON parse error - Expecting ':' delimiter: line 1 column 9 (char 8)"),
    ],
)
async def test_a_body_that_cannot_be_read(
    client: httpx.AsyncClient, media_type: str, content: str, status: int, detail: str
) -> None:
    """Django REST framework's words."""
    answer = await client.post("/tags", content=content, headers={"Content-Type": media_type})

    assert (answer.status_code, answer.json()) == (status, {"detail": detail})


async def test_a_body_must_be_an_object(client: httpx.AsyncClient) -> None:
    """A list is well-formed and still wrong."""
    assert "non_field_errors" in (await client.post("/tags", json=[1])).json()


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer 00000000-0000-4000-8000-000000000000", "Basic eA=="])
async def test_a_wrong_token_is_unauthorised(client: httpx.AsyncClient, authorization: str) -> None:
    """Missing, empty, unknown or of another scheme: 401."""
    assert (await client.get("/devices", headers={"Authorization": authorization})).status_code == 401


async def test_a_token_permits_what_it_lists(client: httpx.AsyncClient) -> None:
    """Permissions are patterns of method and path."""
    headers = await _token(client, "GET /devices*")

    statuses = [(await client.get(path, headers=headers)).status_code for path in ("/devices", "/blueprints")]

    assert statuses == [200, 403]


async def test_a_missing_permission_may_answer_401(api: Api) -> None:
    """Sources disagree, so it can be chosen."""
    client = api(forbidden_status=401)

    assert (await client.get("/tags", headers=await _token(client))).status_code == 401


async def test_a_revoked_token_is_refused(client: httpx.AsyncClient) -> None:
    """At once."""
    headers = await _token(client, "*")
    await client.delete(f"http://acme.test/_sandbox/tokens/{headers['Authorization'].split()[1]}")

    assert (await client.get("/tags", headers=headers)).status_code == 401


async def test_the_rate_limit_is_told_and_kept(api: Api, hands: Hands) -> None:
    """Fifty a second, then Kong's 429 until the next second."""
    client = api(rate_limit=True)

    answers = [await client.get("/tags") for _ in range(51)]
    hands.now += 1
    later = await client.get("/tags")

    assert answers[0].headers["ratelimit-remaining"] == "49"
    assert answers[0].headers["x-ratelimit-remaining-hour"] == "9999"
    assert (answers[50].status_code, answers[50].headers["retry-after"]) == (429, "1")
    assert answers[50].json() == {"message": "API rate limit exceeded"}
    assert later.status_code == 200


async def test_the_hour_is_limited_for_all_tokens_together(api: Api, hands: Hands) -> None:
    """Another token does not help; the next hour does."""
    client = api(rate_limit=True, per_hour=2)
    other = await _token(client, "*")

    statuses = [(await client.get("/tags", headers=headers)).status_code for headers in ({}, other, other)]
    hands.now += 3600

    assert statuses == [200, 200, 429]
    assert (await client.get("/tags")).status_code == 200


async def test_every_answer_carries_the_headers_of_the_service(client: httpx.AsyncClient) -> None:
    """Refusals too."""
    for answer in (await client.get("/tags"), await client.get("/nothing")):
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["via"].startswith("kong/")
