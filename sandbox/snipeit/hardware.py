"""The calls about assets: lists, one by ID, tag or serial number, checkouts and check-ins, deleting and restoring."""

from collections.abc import Awaitable, Callable, Container

from starlette.requests import Request
from starlette.responses import Response

from sandbox.snipeit import rules, shapes
from sandbox.snipeit.answers import answer, body_of, done, page, whole
from sandbox.snipeit.database import Asset, Database, same
from sandbox.snipeit.rules import Invalid

MISSING = "Asset does not exist."
NOT_FOUND = "Asset not found"  # where the framework looks it up
TYPES = {"Pending": "pending", "Undeployable": "undeployable", "Archived": "archived"}


async def list_assets(database: Database, request: Request) -> Response:
    """Exact filters; archived ones are left out unless the settings or a filter say otherwise."""
    rows = [asset for asset in database.assets.values() if _listed(database, request, asset)]
    return page(database, request, rows, shapes.asset)


async def by_serial(database: Database, request: Request) -> Response:
    """There may be several; none is an error."""
    found = _matching(database, request, "serial")
    if not found:
        raise Invalid(MISSING)
    return whole(database, found, shapes.asset)


async def by_tag(database: Database, request: Request) -> Response:
    """One as an object; as a list when deleted ones are asked for."""
    found = _matching(database, request, "asset_tag")
    if not found:
        raise Invalid(MISSING)
    if len(found) == 1 and request.query_params.get("deleted") != "true":
        return answer(shapes.asset(database, found[0]))
    return whole(database, found, shapes.asset)


async def get_asset(database: Database, request: Request) -> Response:
    """Deleted ones too."""
    return answer(shapes.asset(database, _found(database, request, deleted=True)))


async def create_asset(database: Database, request: Request) -> Response:
    body = await body_of(request)
    made = database.new(database.assets, rules.asset(database, body), Asset)
    made.own["location_id"] = made.own.get("rtd_location_id")
    database.happened("create", made)
    if (user := body.get("assigned_user")) is not None and int(user) in database.users:
        database.check_out(made, ("user", int(user)), "Checked out on asset creation")
    return done(shapes.row(database, made), "Asset created successfully.")


async def update_asset(database: Database, request: Request) -> Response:
    found = _found(database, request, words=NOT_FOUND)
    found.own |= rules.asset(database, await body_of(request), found)
    database.happened("update", found)
    return done(shapes.row(database, found), "Asset updated successfully.")


async def delete_asset(database: Database, request: Request) -> Response:
    """Checks it in first."""
    found = _found(database, request)
    if found.assigned:
        database.check_in(found, "Checkin on delete")
    found.deleted = database.clock.now()
    database.happened("delete", found)
    return done(None, "The asset was deleted successfully.")


async def restore_asset(database: Database, request: Request) -> Response:
    """Its words stand where the payload should be."""
    found = _found(database, request, deleted=True)
    if found.deleted is None:
        raise Invalid({}, "The asset is not deleted so it cannot be restored.")
    found.deleted = None
    database.happened("restore", found)
    return done("Asset restored successfully.", None)


async def check_out(database: Database, request: Request) -> Response:
    body = await body_of(request)
    kind, id_ = rules.checkout(database, body)
    found = _found(database, request, words=NOT_FOUND)
    about = {"asset": shapes.shown(found.own["asset_tag"])}
    if not database.is_free(found):
        raise Invalid("That asset is not available for checkout!", about)
    rows: dict[str, Container[int]] = {"user": database.users, "location": database.places, "asset": database.assets}
    if id_ not in rows[kind] or (kind == "asset" and id_ == found.id):
        raise Invalid(f"Checkout target for asset {about['asset']} is invalid - {kind} does not exist.", about)
    if body.get("status_id") is not None:
        found.own["status_id"] = int(body["status_id"])
    found.expected_checkin = body.get("expected_checkin")
    found.own["location_id"] = id_ if kind == "location" else found.own.get("location_id")
    database.check_out(found, (kind, id_), body.get("note"))
    return done(about, "Asset checked out successfully.")


async def check_in(database: Database, request: Request) -> Response:
    body = await body_of(request)
    found = _found(database, request, words=NOT_FOUND)
    model = database.models[found.own["model_id"]].own
    about = {"asset_tag": found.own["asset_tag"], "model": model["name"], "model_number": model.get("model_number")}
    about = {key: shapes.shown(value) for key, value in about.items()}
    if missing := rules.noted(database, body):
        raise Invalid(missing)
    if found.assigned is None:
        raise Invalid("That asset is already checked in.", about)
    database.check_in(found, body.get("note"))
    for key in ("status_id", "location_id"):
        found.own |= {key: int(body[key])} if body.get(key) is not None else {}
    return done(about, "Asset checked in successfully.")


Call = Callable[[Database, Request], Awaitable[Response]]
CALLS: dict[str, dict[str, Call]] = {
    "/hardware": {"GET": list_assets, "POST": create_asset},
    "/hardware/byserial/{key:path}": {"GET": by_serial},
    "/hardware/bytag/{key:path}": {"GET": by_tag},
    "/hardware/{id}": {"GET": get_asset, "PATCH": update_asset, "PUT": update_asset, "DELETE": delete_asset},
    "/hardware/{id}/checkout": {"POST": check_out},
    "/hardware/{id}/checkin": {"POST": check_in},
    "/hardware/{id}/restore": {"POST": restore_asset},
}


def _listed(database: Database, request: Request, asset: Asset) -> bool:
    asked, kind = request.query_params, database.status_type(asset)
    exact = {"serial", "asset_tag", "status_id", "model_id"} & asked.keys()
    if any(not same(str(asset.own.get(key)), asked[key]) for key in exact if asked[key]):
        return False
    status = asked.get("status", "")
    if status == "Deleted" or asset.deleted is not None:
        return status == "Deleted" and asset.deleted is not None
    if status in TYPES:
        return kind == TYPES[status]
    if status == "Deployed":
        return asset.assigned is not None
    if status in ("RTD", "Requestable"):
        return status == "RTD" and asset.assigned is None and kind == "deployable"
    return kind != "archived" or bool(asked.get("status_id")) or database.settings.show_archived


def _matching(database: Database, request: Request, key: str) -> list[Asset]:
    wanted, deleted = request.path_params["key"], request.query_params.get("deleted") == "true"
    return [
        each for each in database.assets.values() if same(each.own.get(key), wanted) and (deleted or not each.deleted)
    ]


def _found(database: Database, request: Request, *, deleted: bool = False, words: str = MISSING) -> Asset:
    text = request.path_params["id"]
    found = database.assets.get(int(text)) if text.isdecimal() else None
    if found is None or (found.deleted is not None and not deleted):
        raise Invalid(words)
    return found
