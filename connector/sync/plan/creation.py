"""The lines for what is new in the asset system: assets with all that the MDM gives, and people."""

from collections.abc import Iterator
from dataclasses import dataclass

from connector.sdk.inventory import Device, Person, User, Value
from connector.sync.entities import NEW, Base, Change, Hold, Link, Notice, Status
from connector.sync.mapping.forms import PARTS
from connector.sync.plan.assignment import handed_new
from connector.sync.plan.fields import Item, able, fit, shortened
from connector.sync.plan.ground import Ground, Row
from connector.sync.plan.matching import serial_of


@dataclass(frozen=True, slots=True)
class Given:
    """What a new asset gets of one field."""

    row: Row
    mdm: Value
    after: Value
    status: Status

    @property
    def is_written(self) -> bool:
        return self.after is not None and self.status == "planned"


def new_assets(ground: Ground) -> Iterator[Item]:
    """An asset for each new device; those whose category the asset system does not know wait for it together."""
    waiting: dict[str, list[str]] = {}
    for device in ground.devices.new:
        given, whole = _given_all(device, ground)
        category = whole.get("category")
        if category is not None and not ground.has_category(str(category)):
            waiting.setdefault(str(category), []).append(device.mdm_id)
        else:
            yield from _created(device, given, whole, ground)
            yield from handed_new(device, ground) if ground.sides.asset_can.create_assets else ()
    for category, devices in waiting.items():
        why = f"{len(devices)} new assets wait: the asset system has no category {category}"
        todo = "Give it to one asset there, or name another one (create.default_category)."
        yield Hold("no_category", tuple(devices), why, todo, "category")


def _given_all(device: Device, ground: Ground) -> tuple[list[Given], dict[str, Value]]:
    """What a new asset gets field by field, and all in all."""
    given = [_given(row, device, ground) for row in ground.usable if row.rule.gives("mdm") and row.is_read(device)]
    after = {each.row.to: each.after for each in given if each.is_written}
    return given, {**_defaults(device, ground), **after}


def _created(device: Device, given: list[Given], whole: dict[str, Value], ground: Ground) -> Iterator[Item]:
    """A new asset; the tag it is given goes back where the mapping says so."""
    link = Link("device", device.mdm_id, NEW + device.mdm_id, "created")
    status = able(can=ground.sides.asset_can.create_assets)
    yield Change(
        *("create_asset", "asset", link.sys_id, device.label, "no asset has its serial number"),
        after=whole,
        status=status,
        link=link,
        bases=tuple(Base(link.id, each.row.to, each.mdm, each.after) for each in given if each.is_written),
    )
    for each in given:
        yield from _not_whole(each, device)
    if status == "planned":
        yield from _tag_back(device, link, whole.get("tag"), ground)


def _given(row: Row, device: Device, ground: Ground) -> Given:
    mdm = row.mdm(device)
    after = row.kept_by_asset(mdm)
    return Given(row, mdm, after, fit(mdm, after, row, can=ground.sides.asset_can.writes(row.to)))


def _not_whole(given: Given, device: Device) -> Iterator[Item]:
    """What a new asset does not get, or only shortened."""
    row, mdm = given.row, given.mdm
    yield from shortened(device.label, row.to, mdm, given.after, row)
    if mdm is not None and given.status != "planned":
        yield Change(
            *("update_asset", "asset", NEW + device.mdm_id, device.label, "it is a new asset", row.to),
            after=mdm,
            status=given.status,
        )


def _defaults(device: Device, ground: Ground) -> dict[str, Value]:
    create = ground.mapping.create
    found: dict[str, Value] = {"category": create.default_category, "tag": made_tag(create.asset_tag, device)}
    found["serial"] = serial_of(device.serial)  # by which it is found again, whatever the mapping says
    return {key: value for key, value in found.items() if value is not None}


def made_tag(form: str, device: Device) -> str | None:
    """The tag of a new asset: none where the asset system makes it, or where a part of it is missing."""
    if form in ("auto", "from-mdm"):
        return device.asset_tag if form == "from-mdm" else None
    parts = {key: getattr(device, key) for key in PARTS}
    return form.format(**parts) if all(parts[key] for key in PARTS if f"{{{key}}}" in form) else None


def _tag_back(device: Device, link: Link, tag: Value, ground: Ground) -> Iterator[Item]:
    """The tag that the new asset is given, or that the asset system makes for it, which is known only then."""
    if tag is None and not ground.sides.asset_can.makes_tags:
        return
    for row in ground.usable:
        if row.to == "tag" and row.rule.gives("asset") and row.mdm(device) is None:
            kept, can = row.kept_by_mdm(tag), ground.sides.mdm_can.writes(row.source)
            yield Change(
                *("update_device", "mdm", device.mdm_id, device.label, "the tag of its new asset", row.source),
                after=link.sys_id if tag is None else kept,
                shown=("nothing", "its new tag") if tag is None else None,
                status=fit(tag, kept, row, can=can),
                bases=(Base(link.id, row.to, kept, tag),),
            )


def people(ground: Ground) -> Iterator[Item]:
    """People who are new, found, or known without their email."""
    found = {link.mdm_id: link for link in ground.people.links}
    for user in ground.people.new:
        yield _new_person(user, ground)
    for link in ground.people.links:
        name = ground.people.person_of[link.mdm_id].label
        yield Change("link", "asset", link.sys_id, name, f"the same {link.matched_by}", link=link)
    for key, person in ground.people.person_of.items():
        if key in ground.wanted or key in found:
            yield from _merged(person, ground.users[key], ground)


def _new_person(user: User, ground: Ground) -> Item:
    if ground.mapping.create.people == "ask":
        todo = "Create the person, or say create.people: yes."
        return Hold("create_person", (user.mdm_id,), f"{user.label}: nobody has this email or name", todo)
    if ground.mapping.create.people == "no":
        return Notice(user.label, "has no person in the asset system, and none is created (create.people: no)")
    labels = ground.mapping.people
    values: dict[str, Value] = {labels.name: user.name or user.email, labels.email: user.email}
    return Change(
        *("create_person", "asset", NEW + user.mdm_id, user.label, "nobody has this email or name"),
        after={key: value for key, value in values.items() if value is not None},
        status=able(can=ground.sides.asset_can.create_people),
        link=Link("user", user.mdm_id, NEW + user.mdm_id, "created"),
    )


def _merged(person: Person, user: User, ground: Ground) -> Iterator[Item]:
    """What the person lacks; what they have is left as it is."""
    labels = ground.mapping.people
    for label, has, gets in ((labels.email, person.email, user.email), (labels.name, person.name, user.name)):
        if not has and gets:
            yield Change(
                *("update_person", "asset", person.sys_id, person.label, "only the MDM has a value", label), after=gets
            )


def not_created(device: Device, ground: Ground) -> Item:
    """A new device, where the mapping asks first, or creates none."""
    if ground.mapping.create.assets == "no":
        return Notice(device.label, "has no asset, and none is created (create.assets: no)")
    todo = "Create the asset, or say create.assets: yes."
    return Hold("create_asset", (device.mdm_id,), f"{device.label}: no asset has its serial number", todo)
