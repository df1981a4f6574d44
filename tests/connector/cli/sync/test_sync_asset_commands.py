"""`upcard sync checkout`, `checkin`, `open` and `action`, as an operator uses them."""

import json

from tests.connector.cli.sync.conftest import MAPPING, STUDIO, Fleet, Settled
from tests.connector.sync.office import NAME, Office


async def test_an_asset_is_checked_out_and_in(here: Office, fleet: Fleet) -> None:
    """The asset is printed as it is then."""
    await fleet("apply", "--yes")
    serial = _serial_of_free(here)

    out = await fleet("checkout", serial, "maeve.odell@freelance.example")
    back = await fleet("checkin", serial, "--json")
    nobody = await fleet("checkout", serial, "nobody@example.com")

    assert (out.exit_code, "CheckedOut" in out.stdout, "person " in out.stdout) == (0, True, True), out.output
    assert json.loads(back.stdout)["assignee"]["kind"] == "none"
    assert (nobody.exit_code, "nobody of this ID or email" in nobody.stderr) == (2, True)


async def test_the_device_of_an_asset_is_told(settled: Settled) -> None:
    """Its address in the MDM's web app, alone, so that it can be opened."""
    serial = _serial_of_free(settled.office)

    page, document = await settled.fleet("open", serial), await settled.fleet("open", serial, "--json")
    none = await settled.fleet("open", "none")

    assert page.stdout.strip() == json.loads(document.stdout)["view"]
    assert (page.stdout.startswith("http://127.0.0.1:"), none.exit_code) == (True, 1)


async def test_a_quick_action_wants_the_serial_number(here: Office, fleet: Fleet) -> None:
    """Typed, by --confirm, or with --yes the asset's name; the PIN is printed. Off it is until the mapping says so."""
    await fleet("apply", "--yes")
    serial = _serial_of_free(here)

    off = await fleet("action", serial, "blankpush")
    await here.syncs.change(NAME, mapping=MAPPING + STUDIO + "actions: { enabled: true }\n")
    pushed = await fleet("action", serial, "blankpush")
    unasked = await fleet("action", serial, "lock")
    wrong = await fleet("action", serial, "lock", "--confirm", "C02")
    locked = await fleet("action", serial, "lock", "--yes")

    assert [each.exit_code for each in (off, pushed, unasked, wrong, locked)] == [4, 0, 2, 2, 0]
    assert "actions.enabled" in off.stderr
    assert "--confirm" in unasked.stderr
    assert json.loads(locked.stdout)["pin"]


def _serial_of_free(here: Office) -> str:
    """A Mac mini or iMac that was in stock, and has an asset now."""
    made = [asset for asset in here.workspace.database.assets.values() if not asset.checkout and len(asset.fields) == 2]
    return str(made[0].fields["serialNumber"])
