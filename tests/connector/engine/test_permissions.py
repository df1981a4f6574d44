"""The check of a connection, against the simulated tenant over real HTTP: what its token may do, card by card."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from cards.kandji._client import NOBODY, Kandji
from connector.catalog.find import catalog
from connector.cli.serve import server, serving
from connector.engine.accounts import Account
from connector.engine.addresses import Allowed
from connector.engine.connections import Connections
from connector.engine.network import open_session
from connector.engine.seals import Seals
from connector.sdk.errors import NotConnected, Unavailable
from sandbox import kandji
from sandbox.faults import Fault
from sandbox.kandji import Sandbox
from sandbox.kandji.state.tokens import Token
from tests.cases import cases
from tests.connector.engine.parts import KEY, OpenStore

CARDS = {card.key: card for card in catalog().connector("kandji").cards}
PROBED = {f"kandji.{name}" for name in Kandji.probes}
PROBES = {probe for probes in Kandji.probes.values() for probe in probes}
FEW = ("GET /devices", f"GET /devices/{NOBODY}", f"GET /devices/{NOBODY}/apps", "GET /blueprints", "POST *")
GRANTED = {"kandji.list_devices", "kandji.list_device_apps", "kandji.list_blueprints"}


@dataclass
class Tenant:
    """A simulated tenant, and a connection to it that was made with all permissions."""

    app: Sandbox
    connections: Connections
    account: Account

    @property
    def asked(self) -> list[str]:
        """What was asked since the connection was made."""
        entries = self.app.tenant.log.shown()["requests"][1:]
        return [f"{entry['method']} {entry['path']}" + f"?{entry['query']}" * bool(entry["query"]) for entry in entries]

    def permit(self, *permissions: str) -> None:
        self.app.tenant.tokens.add(str(self.app.tenant.token), Token("few", permissions))

    async def permissions(self) -> dict[str, bool | None]:
        return await self.connections.permissions(self.account)


@pytest.fixture(params=[401, 403])
async def tenant(
    request: pytest.FixtureRequest, sqlite_database: str, copied_store: OpenStore
) -> AsyncIterator[Tenant]:
    """Sources disagree on what Kandji says to a missing permission: either of the two."""
    app, allowed = kandji.tenant(devices=3, forbidden_status=request.param), Allowed.parse("127.0.0.1:*")
    listening = server(app, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.listening.getsockname()[1]}"
    async with serving(listening), open_session(allowed, limit=256) as session:
        store = copied_store(sqlite_database)
        connections = Connections(catalog(), store, Seals({"k1": KEY}), session, allowed)
        account = await connections.create("acme", "kandji", {"url": url, "token": str(app.tenant.token)})
        yield Tenant(app, connections, account)


async def test_a_connection_is_made_with_one_request(tenant: Tenant) -> None:
    """What its token may do is asked where somebody wants to know."""
    assert len(tenant.app.tenant.log.shown()["requests"]) == 1


async def test_every_card_is_told(tenant: Tenant) -> None:
    """Of a token that may do everything: granted where it reads, and unknown where it changes something."""
    found = await tenant.permissions()

    assert found == {key: True if key in PROBED else None for key in CARDS}
    assert list(found) == list(CARDS)


async def test_missing_permissions_are_told(tenant: Tenant) -> None:
    """By 401 and by 403 alike; a card that asks for two things needs both."""
    tenant.permit(*FEW)

    found = await tenant.permissions()

    assert {key for key, granted in found.items() if granted} == GRANTED
    assert {key for key, granted in found.items() if granted is False} == PROBED - GRANTED


async def test_a_check_only_reads(tenant: Tenant) -> None:
    """Each of them once, and of nothing that is there: no secret of any device leaves the service."""
    await tenant.permissions()

    assert Counter(tenant.asked) == Counter(f"GET /{probe}" for probe in PROBES)
    assert all(NOBODY in asked for asked in tenant.asked if "/secrets/" in asked)


async def test_a_token_that_is_refused_is_no_connection(tenant: Tenant) -> None:
    """401 and nothing else: it was revoked."""
    tenant.app.tenant.tokens.revoke(str(tenant.app.tenant.token))

    with pytest.raises(NotConnected, match="The service refused the connection's token"):
        await tenant.permissions()


async def test_what_is_not_answered_is_not_known(tenant: Tenant) -> None:
    """A fault of one endpoint is told of its cards only; where nothing is answered, that is the answer."""
    tenant.app.tenant.faults.add(Fault("status", path="/devices/*/apps", status=500))
    one = await tenant.permissions()
    tenant.app.tenant.faults.add(Fault("status", status=500))

    assert {key for key in PROBED if one[key] is None} == {"kandji.list_device_apps"}
    with pytest.raises(Unavailable):
        await tenant.permissions()


async def test_a_check_stays_within_the_budget(tenant: Tenant) -> None:
    """It is counted as any call is; nothing is sent where the hour's requests are used up."""
    assert tenant.account.budget
    before = (await tenant.account.budget.shown())["left"]

    await tenant.permissions()

    assert before - (await tenant.account.budget.shown())["left"] == len(PROBES)


def test_every_card_that_reads_is_probed() -> None:
    """All but the one whose request its caller writes; each for what its own case asks."""
    assert {key for key, card in CARDS.items() if card.effect == "read"} == PROBED


@pytest.mark.parametrize("card", sorted(PROBED))
def test_a_card_is_probed_for_what_it_asks(card: str) -> None:
    """Every first request of its cases is one of its probes, whatever the object; none is probed in vain."""
    asked = {
        _plain(case.upstream[0]["ask"].removeprefix("GET ")) for case in cases() if case.card == card and case.upstream
    }

    assert asked == {_plain(f"/{probe}") for probe in Kandji.probes[card.partition(".")[2]]}


def _plain(path: str) -> str:
    """Without its query, and with one name for every object."""
    kinds = {"devices", "details", "apps", "library-items", "notes", "secrets", "filevaultkey", "unlockpin"}
    kinds |= {"bypasscode", "blueprints", "integrations", "apple", "ade"}
    return "/".join(part if part in kinds else "*" for part in path.partition("?")[0].strip("/").split("/"))
