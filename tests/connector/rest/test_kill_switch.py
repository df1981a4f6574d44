"""The kill switch stops what is disruptive, on all hosts, at once."""

import httpx
import respx

from tests.connector.rest.conftest import Fresh
from tests.connector.rest.fleet import DEVICE, clear, played, sent


async def test_the_kill_switch_stops_every_host(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """DA-6: at once, also before another host has looked; what does not disrupt goes on; off lets all through again."""
    upcard, other = await on_either(), await on_either()
    played(kandji)

    turned = await upcard.http.put("/v1/kill-switch", json={"on": True, "reason": "stolen laptop"})
    stopped = [await clear(upcard), await clear(other)]
    push = await other.call("kandji.send_mdm_blank_push", inputs={"device_id": "d2"})
    confirmed = await upcard.call("kandji.send_mdm_blank_push", inputs={"device_id": "d2"}, confirm="DMPX2")
    await upcard.http.put("/v1/kill-switch", json={"on": False})
    again = await clear(upcard)

    assert (turned.json()["on"], turned.json()["by"], turned.json()["reason"]) == (True, ["call"], "stolen laptop")
    assert [(answer.status_code, answer.json()["type"]) for answer in stopped] == [(403, "forbidden")] * 2
    assert (push.status_code, confirmed.status_code, again.status_code) == (200, 200, 200)


async def test_the_kill_switch_survives_a_restart(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """DA-6: it is in the store."""
    upcard = await on_either()
    await upcard.http.put("/v1/kill-switch", json={"on": True})

    other = await on_either()

    assert (await other.http.get("/v1/kill-switch")).json()["on"] is True


async def test_a_file_and_a_setting_stop_as_well(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """DA-6: without any call."""
    upcard, by_setting = await on_either(), await on_either(kill_switch=True)
    played(kandji)
    (upcard.host.settings.data_dir / "kill-switch").touch()

    found = [await clear(upcard), await clear(by_setting)]

    assert [answer.status_code for answer in found] == [403, 403]
    assert (await upcard.http.get("/v1/kill-switch")).json()["by"] == ["file"]
    assert sent(kandji) == []


async def test_the_kill_switch_is_asked_immediately_before_sending(on_either: Fresh, kandji: respx.MockRouter) -> None:
    """DA-6: also where it was turned on after the call was let through."""
    upcard = await on_either()
    played(kandji)

    def looked_up(_: httpx.Request) -> httpx.Response:
        (upcard.host.settings.data_dir / "kill-switch").touch()
        return httpx.Response(200, json={**DEVICE, "device_id": "d4"})

    kandji.get("/devices/d4").mock(side_effect=looked_up)
    needed = {"preserve_data_plan": True, "disallow_proximity_setup": True}

    answer = await upcard.call("kandji.erase_device", inputs={"device_id": "d4", **needed})

    assert (answer.status_code, sent(kandji)) == (403, [])
