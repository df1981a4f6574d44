"""Devices that are gone: counted by runs, then what the mapping says; one that comes back is taken up again."""

from collections.abc import Iterator
from dataclasses import replace

from connector.sdk.inventory import Asset
from connector.sync.entities import ASSIGNEE, Base, Change, Link, Op
from connector.sync.plan.fields import Item
from connector.sync.plan.ground import Ground
from connector.sync.plan.matching import Pair


def absent(link: Link, asset: Asset, ground: Ground) -> Iterator[Item]:
    """One more run without it; at the limit, the mapping's step, once."""
    rule = ground.mapping.missing
    if link.state == "missing" or rule.then == "ignore":
        return
    runs = link.absent + 1
    if runs < rule.after_runs:
        yield replace(link, absent=runs)
    else:
        yield _gone(replace(link, absent=runs, state="missing"), asset, ground)


def _gone(link: Link, asset: Asset, ground: Ground) -> Change:
    op: Op = ground.mapping.missing.then if ground.mapping.missing.then != "ignore" else "mark"
    has_person = asset.assignee.kind == "person"
    op = "mark" if op == "check_in" and not has_person else op
    can = ground.sides.asset_can
    able = {"archive": can.archive, "check_in": can.assign}.get(op, True)
    base = Base(link.id, ASSIGNEE, None, None)
    return Change(
        *(op, "asset", asset.sys_id, asset.label, f"its device is gone for {link.absent} runs"),
        field=ASSIGNEE if op == "check_in" else None,
        before=asset.assignee.id if op == "check_in" else None,
        shown=(ground.names.get(asset.assignee.id or "", "somebody"), "nobody") if op == "check_in" else None,
        status="planned" if able else "unsupported",
        link=link,
        bases=(base,) if op == "check_in" else (),
    )


def returned(pair: Pair) -> Iterator[Item]:
    """Its device is there again."""
    link = replace(pair.link, state="active", absent=0)
    if pair.link.state == "missing":
        yield Change("restore", "asset", pair.asset.sys_id, pair.asset.label, "its device is there again", link=link)
    elif pair.link.absent and not pair.is_new:
        yield link
