"""How records look on the wire: for GET escaped and nested, for what POST and PATCH answer the bare row."""

from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

from sandbox.snipeit.database import Asset, Database, Event, Row

Json = dict[str, Any]


def shown(text: Any) -> Any:
    """Text as PHP's htmlspecialchars writes it; Python says &#x27; where PHP says &#039;."""
    return escape(text).replace("&#x27;", "&#039;") if isinstance(text, str) else text


def moment(database: Database, at: float | None) -> Json | None:
    """A time without its zone, which is the server's."""
    if at is None:
        return None
    local = datetime.fromtimestamp(at, UTC) + timedelta(hours=database.settings.hours)
    return {"datetime": f"{local:%Y-%m-%d %H:%M:%S}", "formatted": f"{local:%Y-%m-%d %I:%M %p}"}


def asset(database: Database, found: Asset) -> Json:
    own, model = found.own, database.models[found.own["model_id"]]
    label, kind = database.status_labels[own["status_id"]], database.status_type(found)
    meta = "deployed" if found.assigned else kind
    day, bought = found.expected_checkin, own.get("purchase_date")
    return {
        "id": found.id,
        "name": shown(own.get("name") or ""),
        "asset_tag": shown(own["asset_tag"]),
        "serial": shown(own.get("serial") or ""),
        "model": _related(model),
        "model_number": shown(model.own.get("model_number")),
        "status_label": {**_related(label), "status_type": kind, "status_meta": meta},
        "category": _related(database.categories[model.own["category_id"]]),
        "notes": shown(own.get("notes")),
        "order_number": shown(own.get("order_number")),
        "purchase_date": {"date": bought, "formatted": bought} if bought else None,
        "location": _related_id(database.places, own.get("location_id")),
        "rtd_location": _related_id(database.places, own.get("rtd_location_id")),
        "assigned_to": _assigned(database, found),
        "last_checkout": moment(database, found.last_checkout),
        "expected_checkin": {"date": day, "formatted": day} if day else None,
        **_dated(database, found),
        "custom_fields": {
            field.own["name"]: {
                "field": field.own["db_column"],
                "value": shown(own.get(field.own["db_column"]) or ""),
                "field_format": field.own["format"],
                "element": field.own["element"],
            }
            for field in database.fields_of(found.own["model_id"])
        }
        or [],  # as PHP writes an empty array
        "user_can_checkout": database.is_free(found),
        "available_actions": {"checkout": True, "checkin": True, "update": found.deleted is None, "delete": True},
    }


def row(database: Database, found: Row) -> Json:
    """As the table has it: nothing escaped, nothing nested, times in UTC."""
    at = {key: f"{datetime.fromtimestamp(when, UTC):%Y-%m-%dT%H:%M:%S}.000000Z" for key, when in _times(found).items()}
    assigned = {"assigned_to": found.assigned[1] if found.assigned else None} if isinstance(found, Asset) else {}
    return {**found.own, **assigned, **at, "id": found.id}


def user(database: Database, found: Row) -> Json:
    own = found.own
    count = sum(each.assigned == ("user", found.id) for each in database.assets.values())
    return {
        "id": found.id,
        "name": shown(_name(found)),
        **{key: shown(own.get(key)) for key in ("first_name", "last_name", "username", "email", "employee_num")},
        "jobtitle": shown(own.get("jobtitle")),
        "location": _related_id(database.places, own.get("location_id")),
        "activated": bool(own.get("activated")),
        "assets_count": count,
        **_dated(database, found),
        "available_actions": {"update": True, "delete": count == 0, "clone": True},
    }


def model(database: Database, found: Row) -> Json:
    own = found.own
    return {
        **_related(found),
        "model_number": shown(own.get("model_number")),
        "manufacturer": {"id": 1, "name": "Apple"},
        "category": _related(database.categories[own["category_id"]]),
        "fieldset": _related_id(database.fieldsets, own.get("fieldset_id")),
        "assets_count": sum(each.own["model_id"] == found.id for each in database.assets.values()),
        **_dated(database, found),
        "available_actions": {"update": True, "delete": True},
    }


def status_label(database: Database, found: Row) -> Json:
    count = sum(each.own["status_id"] == found.id for each in database.assets.values())
    return {**_related(found), "type": found.own["type"], "assets_count": count, **_dated(database, found)}


def category(database: Database, found: Row) -> Json:
    return {**_related(found), "category_type": found.own["category_type"], **_dated(database, found)}


def field(database: Database, found: Row) -> Json:
    own, values = found.own, found.own.get("field_values")
    return {
        **_related(found),
        "db_column_name": own["db_column"],
        "format": own["format"],
        "field_values": shown(values),
        "field_values_array": [shown(value) for value in values.splitlines()] if values else None,
        "type": own["element"],
        **_dated(database, found),
    }


def event(database: Database, found: Event) -> Json:
    asset = database.assets[found.asset_id]
    target = database.users.get(found.target[1]) if found.target and found.target[0] == "user" else None
    return {
        "id": found.id,
        "created_at": moment(database, found.created),
        "item": {"id": asset.id, "name": shown(asset.own["asset_tag"]), "type": "asset"},
        "target": {"id": target.id, "name": shown(_name(target)), "type": "user"} if target else None,
        "action_type": found.action,
        "note": shown(found.note),
    }


def fieldset(database: Database, found: Row) -> Json:
    rows = [field(database, database.fields[id_]) for id_ in database.members[found.id]]
    return {**_related(found), "fields": {"total": len(rows), "rows": rows}}


def _related(found: Row) -> Json:
    return {"id": found.id, "name": shown(found.own["name"])}


def _related_id(rows: dict[int, Row], id_: int | None) -> Json | None:
    return _related(rows[id_]) if id_ in rows else None


def _assigned(database: Database, found: Asset) -> Json | None:
    if found.assigned is None:
        return None
    kind, id_ = found.assigned
    if kind != "user":
        name = database.places[id_].own["name"] if kind == "location" else database.assets[id_].own["asset_tag"]
        return {"id": id_, "name": shown(name), "type": kind}
    who = database.users[id_]
    told = {key: shown(who.own.get(key)) for key in ("username", "first_name", "last_name", "email")}
    number = shown(who.own.get("employee_num"))
    return {"id": id_, "name": shown(_name(who)), **told, "employee_number": number, "type": "user"}


def _name(found: Row) -> str:
    return f"{found.own['first_name']} {found.own.get('last_name') or ''}".strip()


def _dated(database: Database, found: Row) -> Json:
    return {key: moment(database, at) for key, at in _times(found).items()} | {
        "deleted_at": moment(database, found.deleted)
    }


def _times(found: Row) -> dict[str, float]:
    return {"created_at": found.created, "updated_at": found.updated}
