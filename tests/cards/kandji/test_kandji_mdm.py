"""Kandji as an MDM, against the simulated tenant over real HTTP; what that never answers is played."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from cards.kandji._mdm import KandjiMdm
from connector.catalog.find import catalog
from connector.sdk.errors import Forbidden, InvalidCall, Refused, Unavailable, Unexpected, UpcardError
from connector.sdk.inventory import Device, User
from connector.sdk.kinds import Json
from connector.sync.mapping.values import steps, walk
from sandbox.kandji import Sandbox, tenant
from sandbox.kandji.state.tenant import Tenant
from sandbox.kandji.state.tokens import Token
from tests.serving import Served, connected

DEVICES = 301  # two pages
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest_asyncio.fixture(scope="module")
async def tenancy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Sandbox, Served]]:
    app = tenant(devices=DEVICES, rate_limit=False)
    async with connected(tmp_path_factory.mktemp("kandji"), "kandji", app, token=app.tenant.token) as served:
        yield app, served


@pytest.fixture
def app(tenancy: tuple[Sandbox, Served]) -> Sandbox:
    """The tenant as it was at the start."""
    tenancy[0].tenant = Tenant(replace(tenancy[0].tenant.settings, devices=DEVICES, forbidden_status=403))
    return tenancy[0]


@pytest.fixture
def served(tenancy: tuple[Sandbox, Served]) -> Served:
    return tenancy[1]


@pytest.fixture
def mdm(app: Sandbox, served: Served) -> KandjiMdm:
    return KandjiMdm(served.cards)


class Played:
    """Cards that answer what a test says."""

    def __init__(self, *records: Json, answers: tuple[Any, ...] = ()) -> None:
        self.found, self.answers, self.calls = records, list(answers), list[tuple[str, Json]]()

    async def call(self, card: str, options: Json | None = None, **inputs: Any) -> Json:
        self.calls.append((card, inputs))
        answer = self.answers.pop(0)
        if isinstance(answer, UpcardError):
            raise answer
        return {"status_code": 200, "body": answer}

    async def records(self, card: str, **inputs: Any) -> AsyncIterator[Json]:
        for record in self.found:
            yield record


def asked(app: Sandbox) -> list[str]:
    return [f"{entry['method']} {entry['path']}" for entry in app.tenant.log.shown()["requests"]]


async def owned(mdm: KandjiMdm) -> Device:
    return next(device for device in await mdm.devices() if device.user_id and device.asset_tag)


def test_kandji_is_an_mdm() -> None:
    """The catalogue finds it beside the cards."""
    assert catalog().connector("kandji").mdm is KandjiMdm


async def test_all_devices_are_read(mdm: KandjiMdm) -> None:
    """Over two pages, each once."""
    devices = await mdm.devices()

    assert len({device.mdm_id for device in devices}) == len(devices) == DEVICES


async def test_a_device_has_what_kandji_says(app: Sandbox, mdm: KandjiMdm) -> None:
    """Its own properties by Kandji's names, its user flat, and nothing where Kandji writes blank text."""
    record = app.tenant.devices.record(next(iter(app.tenant.devices.page(0, 1))))

    device = (await mdm.devices())[0]

    assert record["lost_mode_status"] == ""
    assert device.fields["lost_mode_status"] is None
    assert (device.mdm_id, device.serial, device.name) == tuple(
        record[key] for key in ("device_id", "serial_number", "device_name")
    )
    assert (device.asset_tag, device.blueprint) == (record["asset_tag"], record["blueprint_name"])
    assert (device.user_id, device.user_email) == (record["user"]["id"], record["user"]["email"])
    assert device.fields["user_name"] == device.user_name == record["user"]["name"]


async def test_every_property_is_there_to_be_mapped(mdm: KandjiMdm) -> None:
    """Each path leads to a key of a record or of the details, as they are."""
    device = next(each for each in await mdm.devices() if each.platform == "Mac")
    record = {**device.fields, "details": await mdm.details(device.mdm_id)}
    paths = [steps(each.name) for each in mdm.properties]

    assert [path for path in paths if path[-1] not in (walk(record, path[:-1]) or {})] == []


async def test_everything_kandji_lists_is_a_property(mdm: KandjiMdm) -> None:
    """But the user's object, which is flat beside it."""
    listed = (await mdm.devices())[0].fields.keys() - {"user"}

    assert listed <= {each.name for each in mdm.properties}


async def test_only_the_fields_that_are_wanted_are_kept(mdm: KandjiMdm) -> None:
    """One that is made of the user's object as well; a name that Kandji does not have is no field."""
    found = await mdm.devices({"model", "user_email", "nothing"})

    assert {frozenset(device.fields) for device in found} == {frozenset({"model", "user_email"})}
    assert found == [replace(each, fields=own.fields) for each, own in zip(await mdm.devices(), found, strict=True)]


async def test_a_path_of_the_details_leads_to_its_value(mdm: KandjiMdm) -> None:
    """As mapping files write it: a group that is a list is that list."""
    device = next(each for each in await mdm.devices() if each.platform == "Mac")

    details = await mdm.details(device.mdm_id)

    assert walk(details, steps("volumes[0].capacity")).endswith("GB")
    assert walk(details, steps("hardware_overview.model_identifier")).startswith("Mac")
    assert walk(details, steps("installed_profiles[0].name")) == "MDM Profile"
    assert walk(details, steps("users.regular_users[0].username"))


def test_dates_and_booleans_are_known_as_such() -> None:
    """Kandji's list writes dates as text."""
    kinds = {each.name: each.kind for each in KandjiMdm.properties}

    assert len(kinds) == len(KandjiMdm.properties)
    assert (kinds["last_check_in"], kinds["mdm_enabled"], kinds["details.mdm.install_date"]) == (
        "date",
        "boolean",
        "date",
    )


@pytest.mark.parametrize(
    ("user", "read"),
    [
        ({"id": "u1", "email": "a@x.org", "name": "Ana"}, ("u1", "a@x.org", "Ana")),
        ({"id": 17, "email": "a@x.org", "name": "Ana", "is_archived": True}, ("17", "a@x.org", "Ana")),
        ({"id": "u1", "email": "", "name": " "}, ("u1", None, None)),
        ("a@x.org", (None, "a@x.org", None)),
        ("Ana", ("Ana", None, "Ana")),
        ("", (None, None, None)),
        (None, (None, None, None)),
        ({}, (None, None, None)),
    ],
)
async def test_a_user_comes_in_several_forms(user: Any, read: tuple[str | None, ...]) -> None:
    """Somebody who is only a text is still somebody."""
    device = (await KandjiMdm(Played({"device_id": "d1", "user": user})).devices())[0]

    assert (device.user_id, device.user_email, device.user_name) == read


async def test_a_device_is_found_by_its_whole_id() -> None:
    """Whether Kandji's filter is exact is not written anywhere."""
    mdm = KandjiMdm(Played({"device_id": "d11"}, {"device_id": "d1"}))

    found = await mdm.device("d1")

    assert found is not None
    assert found.mdm_id == "d1"
    assert await mdm.device("d") is None


async def test_a_device_alone_is_as_it_is_in_the_list(mdm: KandjiMdm) -> None:
    """So that a plan and what follows it compare the same."""
    listed = await owned(mdm)

    assert await mdm.device(listed.mdm_id) == listed
    assert await mdm.device(NOBODY) is None


async def test_a_record_without_an_id_is_told() -> None:
    with pytest.raises(Unexpected, match="without device_id"):
        await KandjiMdm(Played({"device_name": "Nameless"})).devices()


async def test_the_directory_is_read_by_its_cursors(app: Sandbox, mdm: KandjiMdm) -> None:
    """Each user once, those who have no device too, and the archived ones marked."""
    app.tenant = Tenant(replace(app.tenant.settings, devices=700))  # of whom some have none: more than one page

    users = await mdm.users() or []

    assert asked(app) == ["GET /users"] * 2
    assert len({user.mdm_id for user in users}) == len(users) > 300
    assert {user.archived for user in users} == {True, False}


@pytest.mark.parametrize("link", ["https://acme.api.kandji.io/api/v1/users?cursor=a", "https://[acme?cursor=a", 7])
async def test_links_that_lead_nowhere_are_told(link: object) -> None:
    page = {"next": link, "results": []}

    with pytest.raises(Unexpected, match="leads back"):
        await KandjiMdm(Played(answers=(page, page))).users()


@pytest.mark.parametrize("status", [401, 403])
async def test_a_token_may_lack_the_directory(app: Sandbox, mdm: KandjiMdm, status: int) -> None:
    """Sources disagree about the status; devices are read all the same."""
    app.tenant = Tenant(replace(app.tenant.settings, forbidden_status=status))
    app.tenant.tokens.add(app.tenant.token, Token("Devices only", ("GET /devices*", "PATCH *")))

    assert await mdm.users() is None
    assert await mdm.user("a@x.org") is None
    assert len(await mdm.devices()) == DEVICES


@pytest.mark.parametrize("error", [Unavailable("Gone."), Refused.saying(400, "Bad."), Refused("No status.")])
async def test_a_directory_that_fails_is_not_an_empty_one(error: UpcardError) -> None:
    """A plan from half a world would take devices from people."""
    with pytest.raises(type(error), match=error.detail):
        await KandjiMdm(Played(answers=(error,))).users()


async def test_a_user_is_found_by_the_whole_email(mdm: KandjiMdm) -> None:
    """Kandji finds parts, and takes case for nothing."""
    someone = (await mdm.users() or [])[3]
    email = someone.email or ""

    assert await mdm.user(f" {email.upper()} ") == someone
    assert await mdm.user(email[1:]) is None


async def test_two_users_of_one_email_are_nobody() -> None:
    twins = {"next": None, "results": [{"id": "u1", "email": "a@x.org"}, {"id": "u2", "email": "A@x.org"}]}
    single = {"next": None, "results": [{"id": "u1", "email": "a@x.org"}, {"id": "u2", "email": "aa@x.org"}]}
    mdm = KandjiMdm(Played(answers=(twins, single)))

    assert await mdm.user("a@x.org") is None
    assert await mdm.user("a@x.org") == User("u1", "a@x.org")


@pytest.mark.parametrize("tag", ["IT-0001", "Zoë 王 🙂", 'it\'s "so"', "<b>&amp;</b>", "x" * 200])
async def test_a_tag_is_written_to_the_letter(mdm: KandjiMdm, tag: str) -> None:
    device = await owned(mdm)

    after = await mdm.update(device.mdm_id, {"asset_tag": tag})

    assert after.asset_tag == after.fields["asset_tag"] == tag
    assert (after.user_id, after.name) == (device.user_id, device.name)
    assert await mdm.device(device.mdm_id) == after


@pytest.mark.parametrize("empty", [None, "", "  "])
async def test_a_tag_is_emptied(app: Sandbox, mdm: KandjiMdm, empty: str | None) -> None:
    """Blank text is an error to Kandji; nothing else is changed."""
    device = await owned(mdm)

    after = await mdm.update(device.mdm_id, {"asset_tag": empty})

    assert (after.asset_tag, after.user_id) == (None, device.user_id)
    assert asked(app)[-2] == f"PATCH /devices/{device.mdm_id}"


async def test_a_device_is_given_to_a_user_and_to_nobody(mdm: KandjiMdm) -> None:
    device, users = await owned(mdm), await mdm.users() or []
    other = next(user for user in users if user.mdm_id != device.user_id)

    given = await mdm.assign(device.mdm_id, other.mdm_id)
    taken = await mdm.assign(device.mdm_id, None)

    assert (given.user_id, given.user_email, given.asset_tag) == (other.mdm_id, other.email, device.asset_tag)
    assert (taken.user_id, taken.user_email, taken.user_name) == (None, None, None)
    assert taken.asset_tag == device.asset_tag


async def test_one_is_set_while_the_other_is_emptied(mdm: KandjiMdm) -> None:
    device = await owned(mdm)

    after = await mdm.update(device.mdm_id, {"asset_tag": "N1", "user": None})

    assert (after.asset_tag, after.user_id) == ("N1", None)


async def test_only_what_is_writable_is_written(app: Sandbox, mdm: KandjiMdm) -> None:
    """Nothing of a change is sent where a part of it cannot be."""
    device = await owned(mdm)

    with pytest.raises(InvalidCall, match="device_name"):
        await mdm.update(device.mdm_id, {"device_name": "New", "asset_tag": "N1"})

    assert not any(request.startswith("PATCH") for request in asked(app))


@pytest.mark.parametrize("changes", [{"asset_tag": "N1"}, {"asset_tag": None}, {"user": NOBODY}, {"user": None}])
async def test_a_refusal_is_raised(mdm: KandjiMdm, changes: dict[str, Any]) -> None:
    """By the card and by the written request alike."""
    with pytest.raises(Refused) as refused:
        await mdm.update(NOBODY, changes)

    assert refused.value.service is not None
    assert refused.value.service.status == 404


async def test_a_user_who_is_unknown_is_refused(mdm: KandjiMdm) -> None:
    device = await owned(mdm)

    with pytest.raises(Refused, match="400"):
        await mdm.assign(device.mdm_id, NOBODY)

    assert await mdm.device(device.mdm_id) == device


async def test_a_device_that_went_after_its_change_is_told(app: Sandbox) -> None:
    with pytest.raises(Unexpected, match="not in the list"):
        await KandjiMdm(Played(answers=(None,))).update("d1", {"asset_tag": None})


async def test_emptying_is_a_write_to_the_engine(mdm: KandjiMdm, served: Served) -> None:
    """The card it goes by may destroy; this request does what Update Device does, and is on record as that."""
    device = await owned(mdm)

    await mdm.assign(device.mdm_id, None)

    newest = (await served.audit())[0]
    assert (newest["card"], newest["equals"]) == ("kandji.custom_api_action", "kandji.update_device")
    assert (newest["effect"], newest["status"]) == ("write", 200)
    assert (newest["caller"], newest["target"]) == ("sync:nightly", f"PATCH devices/{device.mdm_id}")


async def test_who_may_only_read_empties_nothing(app: Sandbox, mdm: KandjiMdm, served: Served) -> None:
    device, reader = await owned(mdm), KandjiMdm(served.only("cards:read"))

    with pytest.raises(Forbidden):
        await reader.update(device.mdm_id, {"asset_tag": None})

    assert len(await reader.users() or []) > 0
    assert await mdm.device(device.mdm_id) == device


async def test_details_of_no_device_are_refused(mdm: KandjiMdm) -> None:
    with pytest.raises(Refused, match="404"):
        await mdm.details(NOBODY)


def test_actions_are_cards() -> None:
    """That change something, and only take a device."""
    cards = {card.name: card for card in catalog().connector("kandji").cards}
    named = [cards[name] for name in KandjiMdm.actions.values()]

    assert {card.effect for card in named} == {"write"}
    assert {tuple(card.inputs.model_fields) for card in named} == {("device_id",)}


@pytest.mark.parametrize(
    ("origin", "page"),
    [
        ("https://acme.api.kandji.io", "https://acme.kandji.io/devices/d1"),
        ("https://acme.api.eu.kandji.io", "https://acme.eu.kandji.io/devices/d1"),
        ("https://acme.clients.us-1.kandji.io", "https://acme.kandji.io/devices/d1"),
        ("https://acme.clients.eu.kandji.io", "https://acme.eu.kandji.io/devices/d1"),
        ("https://acme.api.iru.com", "https://acme.iru.com/devices/d1"),
        ("http://127.0.0.1:8787", "http://127.0.0.1:8787/devices/d1"),
    ],
)
def test_people_look_at_a_device_in_the_web_app(origin: str, page: str) -> None:
    assert KandjiMdm(Played()).page(origin, "d1") == page
