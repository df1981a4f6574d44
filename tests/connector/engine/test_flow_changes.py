"""A flow that changes: rotated secrets, and streams that look their flow up when they are begun."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import respx
from aiohttp import web
from standardwebhooks import Webhook

from connector.catalog.find import catalog
from connector.engine import flows
from connector.engine.calls import Call
from connector.engine.clock import now, written
from connector.engine.flows import Target, new_secret
from connector.engine.runs import Run
from connector.engine.settings import Settings
from connector.host import open_host
from connector.sdk.errors import AlreadyExists, Conflict, NoSuchFlow
from tests.cases import case_of
from tests.conftest import Upcard, asked, opened
from tests.connector.engine.parts import caller
from tests.lists import Paged, records_like
from tests.receiver import receiving

CARD = "kandji.list_devices"
URL = "https://flows.example.com/onboard"
OLD, NEW, NEWER = new_secret(), new_secret(), new_secret()


def serve(router: respx.MockRouter, count: int) -> None:
    """So many devices at Kandji."""
    Paged(records_like(catalog().card(CARD), case_of(CARD), count), case_of(CARD)).serve(router)


async def stream(upcard: Upcard, flow: str, **stream: Any) -> dict[str, Any]:
    """Stream all devices; gives the run as it ended."""
    answer = await upcard.call(CARD, options={"result_set": "stream"}, stream={"flow": flow, **stream})
    return await seen(upcard, answer.json()["run"])


async def seen(upcard: Upcard, run: str) -> dict[str, Any]:
    """The run, once it has ended."""
    await upcard.host.streams.wait(Run(CARD, "acme", "", id=run), 30)
    found: dict[str, Any] = (await upcard.http.get(f"/v1/runs/{run}")).json()
    return found


def taken(_: dict[str, Any]) -> web.Response:
    return web.Response(status=204)


def refused(_: dict[str, Any]) -> web.Response:
    return web.Response(status=410)


# Secrets


def test_a_rotated_flow_is_signed_with_both_secrets_the_new_one_first() -> None:
    """Receivers that know either of them verify the request (CB-3)."""
    at = datetime.now(UTC)

    signed = Target(URL, OLD).rotated(NEW).signed("run_1_0", int(at.timestamp()), b"{}")

    assert signed == f"{Webhook(NEW).sign('run_1_0', at, '{}')} {Webhook(OLD).sign('run_1_0', at, '{}')}"


@pytest.mark.parametrize(("hours", "signatures"), [(23.9, 2), (24.1, 1)])
def test_the_old_secret_signs_for_24_hours(hours: float, signatures: int) -> None:
    """After them only the new one."""
    target = Target(URL, OLD).rotated(NEW)

    signed = target.signed("run_1_0", int(time.time() + hours * 3600), b"{}")

    assert len(signed.split(" ")) == signatures


def test_the_end_of_the_overlap_is_shown_while_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then there is none."""
    target = Target(URL, OLD).rotated(NEW)
    during = target.rotating_until
    monkeypatch.setattr(flows, "now", lambda: written(datetime.now(UTC) + timedelta(hours=25)))

    after = target.rotating_until

    assert during
    assert now() < during < written(datetime.now(UTC) + timedelta(hours=25))
    assert after is None


def test_the_same_secret_again_is_no_rotation() -> None:
    """A change can be repeated: the secret that receivers still have is not lost to it."""
    target = Target(URL, OLD).rotated(NEW)

    assert target.rotated(NEW) == target


def test_a_second_rotation_keeps_what_receivers_may_have() -> None:
    """The answer to the first one may have been lost: all three sign."""
    target = Target(URL, OLD).rotated(NEW).rotated(NEWER)

    assert len(target.signed("run_1_0", int(time.time()), b"{}").split(" ")) == 3


def test_a_secret_that_comes_back_signs_once() -> None:
    """A rotation can be taken back."""
    target = Target(URL, OLD).rotated(NEW).rotated(OLD)

    assert (target.secret, list(target.retired)) == (OLD, [NEW])


def test_not_many_secrets_sign_at_once() -> None:
    """However often a secret is rotated."""
    target = Target(URL, OLD)
    for _ in range(10):
        target = target.rotated(new_secret())

    assert len(target.retired) == 3


# The store


async def test_other_hosts_see_what_changed(tmp_path: Path) -> None:
    """Two hosts on one database: nothing is remembered."""
    async with opened(tmp_path) as one, open_host(Settings(data_dir=tmp_path, worker=False)) as other:
        await one.host.flows.create("onboard", URL)
        before = await other.flows.get("onboard")
        await one.host.flows.change("onboard", url=URL + "/2")
        after = await other.flows.get("onboard")
        await one.host.flows.delete("onboard")
        gone = await other.flows.all()

    assert (before.target.url, after.target.url, gone) == (URL, URL + "/2", [])


async def test_a_name_is_taken_on_every_host(tmp_path: Path) -> None:
    """The database decides."""
    async with opened(tmp_path) as one, open_host(Settings(data_dir=tmp_path, worker=False)) as other:
        await one.host.flows.create("onboard", URL)

        with pytest.raises(AlreadyExists):
            await other.flows.create("onboard", URL)


async def test_two_changes_at_a_time_are_not_mixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that read first and wrote last is told; it would have undone the other."""
    async with opened(tmp_path) as upcard:
        await upcard.host.flows.create("onboard", URL, OLD)
        row = await upcard.host.flows._row("onboard")
        await upcard.host.flows.change("onboard", secret=NEW)
        monkeypatch.setattr(upcard.host.flows, "_row", lambda _: _given(row))

        with pytest.raises(Conflict):
            await upcard.host.flows.change("onboard", url=URL + "/2")


async def test_a_flow_that_is_not_there_cannot_be_deleted(tmp_path: Path) -> None:
    """Nor looked up or changed."""
    async with opened(tmp_path) as upcard:
        with pytest.raises(NoSuchFlow):
            await upcard.host.flows.delete("onboard")


# Streams


async def test_a_stream_signs_with_the_secrets_of_its_flow(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """What arrives is verified with the new secret and with the old one."""
    serve(kandji, 1)

    async with receiving() as receiver:
        await upcard.host.flows.create("rotated", receiver.url, OLD)
        await upcard.host.flows.change("rotated", secret=NEW)
        await stream(upcard, "rotated")

    Webhook(NEW).verify(receiver.raw[0], receiver.headers[0])
    Webhook(OLD).verify(receiver.raw[0], receiver.headers[0])


async def test_a_resumed_stream_uses_the_flow_as_it_is_now(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """It failed at the old address, and goes on at the new one."""
    serve(kandji, 301)

    async with receiving(refused) as old, receiving() as new:
        await upcard.host.flows.create("moved", old.url)
        run = await stream(upcard, "moved", concurrency=1)
        await upcard.host.flows.change("moved", url=new.url)
        await upcard.http.post(f"/v1/runs/{run['run']}/resume")
        ended = await seen(upcard, run["run"])

    assert (run["state"], ended["state"]) == ("failed", "succeeded")
    assert ended["progress"]["delivered"] == len(new.sent)


async def test_a_stream_whose_flow_was_deleted_fails_until_it_is_there_again(
    upcard: Upcard, kandji: respx.MockRouter
) -> None:
    """The error names what is missing; nothing is lost meanwhile."""
    serve(kandji, 2)

    async with receiving(refused) as receiver:
        await upcard.host.flows.create("deleted", receiver.url)
        run = (await stream(upcard, "deleted", concurrency=1, on_failure="stop"))["run"]
        await upcard.host.flows.delete("deleted")
        await upcard.http.post(f"/v1/runs/{run}/resume")
        without = await seen(upcard, run)
        receiver.script = taken
        await upcard.host.flows.create("deleted", receiver.url)
        await upcard.http.post(f"/v1/runs/{run}/resume")
        ended = await seen(upcard, run)

    assert (without["state"], without["error"]["type"]) == ("failed", "no_such_flow")
    assert (ended["state"], ended.get("error")) == ("succeeded", None)
    assert ended["progress"]["fetched"] == 2


async def test_failures_wait_for_a_flow_that_was_deleted(
    upcard: Upcard, kandji: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sending them again fails without it; asked once more, the stream ends as it had ended before."""
    monkeypatch.setattr("random.uniform", lambda *_: 0.0)  # attempts follow at once
    serve(kandji, 1)

    async with receiving(lambda _: web.Response(status=400)) as receiver:
        await upcard.host.flows.create("failing", receiver.url)
        run = (await stream(upcard, "failing"))["run"]
        await upcard.host.flows.delete("failing")
        await upcard.http.post(f"/v1/runs/{run}/redeliver")
        without = await seen(upcard, run)
        receiver.script = taken
        await upcard.host.flows.create("failing", receiver.url)
        await upcard.http.post(f"/v1/runs/{run}/redeliver")
        ended = await seen(upcard, run)

    assert (without["state"], without["error"]["type"]) == ("failed", "no_such_flow")
    assert (ended["state"], ended["progress"]["delivered"], ended["progress"]["failed"]) == ("succeeded", 1, 0)


async def test_a_job_keeps_no_secret_of_a_registered_flow(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """Its address and its secret are looked up; an address that is not registered has to be kept."""
    call = {"options": {"result_set": "stream"}, "stream": {"flow": "kept"}}

    async with receiving() as receiver:
        await upcard.host.flows.create("kept", receiver.url)
        registered = await _read(upcard, call)
        unregistered = await _read(upcard, {**call, "stream": {"url": receiver.url}})

    assert registered.streaming.unregistered is None
    assert unregistered.streaming.unregistered.url == receiver.url


async def test_a_stream_that_the_flow_would_not_take_does_not_start(upcard: Upcard, kandji: respx.MockRouter) -> None:
    """Everything that is wrong is named, inputs too, before Kandji is asked anything."""
    inputs = {"properties": {"Record": {"required": ["serial"]}, "State": {"required": ["manager"]}}}
    await upcard.host.flows.create("demanding", URL, inputs=inputs)

    answer = await upcard.call(
        CARD, options={"result_set": "stream"}, inputs={"platfrom": "Mac"}, stream={"flow": "demanding"}
    )

    errors = {error["at"]: error["why"] for error in answer.json()["errors"]}
    assert set(errors) == {"inputs/platfrom", "stream/flow", "stream/state/manager"}
    assert errors["stream/flow"] == "The helper flow needs serial, which List Devices does not have."
    assert asked(kandji) == []


async def _read(upcard: Upcard, call: dict[str, Any]) -> Any:
    return await upcard.host.reader.read(Call(CARD, caller("a test"), **call))


async def _given(row: Any) -> Any:
    return row
