"""Every documented answer fits the OpenAPI file that was made from the vendor's collection.

The file lies beside the checkout (it is not ours to store here). Its known faults are exempt by name, below.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import yaml

from sandbox.kandji.api.actions import ACTIONS
from sandbox.kandji.api.routes import TABLE
from tests.sandbox.kandji.tenants import Act, Api, Find

SPEC = Path(__file__).parents[3].parent / "shared/reference/kandji-iru-openapi-mscottblake-2025-12.yaml"

# The converter typed every boolean as integer.
BOOLEANS = {
    "active",
    "agent_installed",
    "archived",
    "deferred_install",
    "is_active",
    "is_archived",
    "is_missing",
    "is_removed",
    "mdm_enabled",
    "tenantOverLicenseLimit",
}
# The example had a value where null is as good an answer.
NULLABLE = {"asset_tag", "blueprint", "blueprint_id", "mdm_device", "next", "profile_push_time", "user", "user_id"}
# Nobody is assigned: blank text instead of the object.
BLANK_OR_OBJECT = {"user"}
# The list of devices is typed as one object.
LIST_TYPED_AS_OBJECT = "/devices"

WITHOUT_SCHEMA = {
    "/devices/{device_id}/notes": "the converter dropped nested folders",
    "/devices/{device_id}/notes/{note_id}": "the converter dropped nested folders",
    "/blueprints/templates": "no example was recorded",
    "/integrations/apple/ade": "no example was recorded",
    "/integrations/apple/ade/{ade_token_id}": "no example was recorded",
    "/integrations/apple/ade/public_key": "not JSON",
}
OTHER_EXAMPLE = {
    "/devices/{device_id}/details": "the only example is of an Android device",
    "/devices/{device_id}/apps": "the only example is of an Android device",
    "/devices/{device_id}/activity": "the details of events are those of an Android device",
    "/integrations/apple/ade/{ade_token_id}/devices": "of the record before 2026; today's is that of ade/devices",
}
# Keys that the file's examples are too old to have, or too old to have lost.
LATER = {
    "results[].created_at": "blueprints since 2026",
    "results[].updated_at": "blueprints since 2026",
    "results[].tags": "ADE devices since 2026",
    "tags": "ADE devices since 2026",
    "results[].use_blueprint_routing": "ADE devices since 2026",
    "use_blueprint_routing": "ADE devices since 2026",
    "created_at": "blueprints since 2026",
    "updated_at": "blueprints since 2026",
    "[].user.email": "nobody is assigned in the example",
    "[].user.id": "nobody is assigned in the example",
    "[].user.name": "nobody is assigned in the example",
    "[].user.is_archived": "nobody is assigned in the example",
    "library_items[].rules_present": "newer than the example",
}
EARLIER = {
    "api_level": "with Windows or Android management only",
    "security_patch_level": "with Windows or Android management only",
    "full_software_version": "with Windows or Android management only",
    "results[].blueprint": "ADE devices before 2026",
    "results[].user": "ADE devices before 2026",
}
FREE = {"metadata"}  # what is in it depends on the command
MISSING_ACTIONS = {"enablelostmode", "disablelostmode", "playlostmodesound", "updatelocation"}

Spec = dict[str, Any]


class AsWritten(yaml.CSafeLoader):  # type: ignore[misc]  # yaml is untyped
    """Leaves dates the text that they are."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


GETS = [path for path, methods in TABLE.items() if "GET" in methods and path not in WITHOUT_SCHEMA]


@pytest.fixture(scope="session")
def spec() -> Spec:
    if not SPEC.exists():
        pytest.skip("the OpenAPI file lies in `shared` beside the checkout, and is not here")
    return dict(yaml.load(SPEC.read_text(), AsWritten))  # noqa: S506 - it is a safe loader


@pytest.fixture
async def client(api: Api, find: Find, act: Act) -> httpx.AsyncClient:
    """A tenant in which a Mac was asked for something."""
    client = api(devices=300, command_seconds=0)
    await act(client, await find(client, platform="Mac"), "setname", DeviceName="Front desk")
    return client


@pytest.mark.parametrize("path", GETS)
async def test_an_answer_fits_the_schema(path: str, spec: Spec, client: httpx.AsyncClient, find: Find) -> None:
    """Types as published, apart from the exemptions."""
    media = _media(spec, path)
    answer = await client.get(await _filled(client, find, path))

    assert answer.status_code == 200
    jsonschema.validate(answer.json(), _fitted(spec, media["schema"], path))


@pytest.mark.parametrize("path", [path for path in GETS if path not in OTHER_EXAMPLE])
async def test_an_answer_has_the_keys_of_the_example(
    path: str, spec: Spec, client: httpx.AsyncClient, find: Find
) -> None:
    """No key is missing and none is invented, at any depth, apart from the exemptions."""
    example = _media(spec, path)["example"]["value"]
    answer = (await client.get(await _filled(client, find, path))).json()

    assert set(_keys(example)) - set(_keys(answer)) <= EARLIER.keys()
    assert set(_keys(answer)) - set(_keys(example)) <= LATER.keys()


@pytest.mark.parametrize("path", GETS)
async def test_a_date_is_written_as_in_the_example(
    path: str, spec: Spec, client: httpx.AsyncClient, find: Find
) -> None:
    """With T and Z or with a space and an offset: which of them depends on the key."""
    example = set(_dates(_media(spec, path)["example"]["value"]))
    answer = set(_dates((await client.get(await _filled(client, find, path))).json()))
    published = {at for at, _ in example}

    assert {(at, form) for at, form in answer if at in published} <= example


@pytest.mark.parametrize("action", sorted(ACTIONS.keys() - MISSING_ACTIONS))
def test_an_action_is_published(action: str, spec: Spec) -> None:
    """Under this name, with 200 for success."""
    assert "200" in spec["paths"][f"/api/v1/devices/{{device_id}}/action/{action}"]["post"]["responses"]


async def _filled(client: httpx.AsyncClient, find: Find, path: str) -> str:
    """The path with ids of this tenant: a Mac, or a lost phone where one is needed."""
    wanted = {"lost_mode_status": "ENABLED"} if path.endswith("lostmode") else {"platform": "Mac"}
    device = await find(client, **wanted)
    firsts = {
        "blueprint_id": "/blueprints",
        "ade_token_id": "/integrations/apple/ade",
        "ade_device_id": "/integrations/apple/ade/devices",
        "user_id": "/users",
    }
    needed = {key: listing for key, listing in firsts.items() if f"{{{key}}}" in path}
    ids = {key: (await client.get(listing)).json()["results"][0]["id"] for key, listing in needed.items()}
    return path.format(device_id=device["device_id"], **ids)


def _media(spec: Spec, path: str) -> dict[str, Any]:
    """What the file says about a successful GET; parameters may have other names there."""
    published = {_anonymous(known): item for known, item in spec["paths"].items()}
    content: dict[str, Any] = published[_anonymous(f"/api/v1{path}")]["get"]["responses"]["200"]["content"]
    return dict(next(iter(content.values())))


def _anonymous(path: str) -> str:
    return re.sub(r"\{.*?\}", "{}", path).rstrip("/")


def _fitted(spec: Spec, schema: dict[str, Any], path: str) -> dict[str, Any]:
    """The schema with its references resolved and its known faults put right."""
    if "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if path == LIST_TYPED_AS_OBJECT:
        return {"type": "array", "items": _fitted(spec, {"$ref": "/deviceInformation_getDevice_200_response"}, "")}
    properties = {key: _property(spec, key, each) for key, each in schema.get("properties", {}).items()}
    kept = {key: value for key, value in schema.items() if key not in ("example", "properties")}
    return {**kept, "properties": properties}


def _property(spec: Spec, key: str, schema: dict[str, Any]) -> dict[str, Any]:
    if key in BOOLEANS:
        return {"type": "boolean"}
    fitted = _fitted(spec, schema, "")
    others = [{"type": "null"}] if key in NULLABLE else []
    others += [{"const": ""}] if key in BLANK_OR_OBJECT else []
    return {"anyOf": [fitted, *others]} if others else fitted


def _dates(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """The path of every date below a value, and its form: what is left when every number is a 0."""
    if isinstance(value, list):
        for each in value:
            yield from _dates(each, f"{at}[]")
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _dates(each, f"{at}.{key}" if at else key)
    elif isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value):
        yield at, re.sub(r"\d+(\.\d+)?", "0", value)


def _keys(value: Any, at: str = "") -> Iterator[str]:
    """Every key below a value, as a path; the members of a list share theirs."""
    if isinstance(value, list):
        for each in value:
            yield from _keys(each, f"{at}[]")
    elif isinstance(value, dict):
        for key, each in value.items():
            path = f"{at}.{key}" if at else key
            yield path
            yield from () if key in FREE else _keys(each, path)
