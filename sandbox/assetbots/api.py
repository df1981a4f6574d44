"""The documented calls. What the service does not document of them is marked as a guess."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.assetbots import shapes
from sandbox.assetbots.database import Checkout, Database, Note, Thing
from sandbox.assetbots.shapes import Invalid, Json

PREFIX = "/v1"
MOST, USUAL = 1000, 100

Call = Callable[[Database, Request], Awaitable[Response]]


class Stop(Exception):
    """A refusal."""

    def __init__(self, status: int, code: str, message: str, data: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.answer = failure(status, code, message, data)


def failure(
    status: int,
    code: str,
    message: str,
    data: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An error as the service writes it; its codes are a guess."""
    return answer({"error": {"code": code, "message": message, "data": data or {}}}, status, headers)


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type="application/json")


async def databases(database: Database, request: Request) -> Response:
    limits = {"assets": database.settings.asset_limit, "automations": 5, "importAgreements": False, "kits": None}
    about = {"name": database.settings.name, "organizationName": "Acme", "visibility": "Private", "limits": limits}
    return answer({"data": [{"id": database.id, "type": "Database", **about}]})


async def list_assets(database: Database, request: Request) -> Response:
    return answer({"data": [shapes.asset(database, thing) for thing in _page(request, database.assets)]})


async def get_asset(database: Database, request: Request) -> Response:
    return answer({"data": [shapes.asset(database, _found(request, database.assets, "asset"))]})


async def create_asset(database: Database, request: Request) -> Response:
    own, fields = shapes.read(database, "asset", await _body(request))
    limit = database.settings.asset_limit
    if limit is not None and sum(not thing.own.get("deleted") for thing in database.assets.values()) >= limit:
        raise Stop(402, "PaymentRequired", "Your plan's asset limit has been reached.")
    thing = database.new_thing("asset", own, fields)
    database.assets[thing.id] = thing
    return answer({"data": [shapes.asset(database, thing)]}, 201)


async def update_asset(database: Database, request: Request) -> Response:
    thing = _found(request, database.assets, "asset")
    _change(database, thing, *shapes.read(database, "asset", await _body(request)))
    return answer({"data": [shapes.asset(database, thing)]})


async def list_people(database: Database, request: Request) -> Response:
    return answer({"data": [shapes.person(database, thing) for thing in _page(request, database.people)]})


async def get_person(database: Database, request: Request) -> Response:
    return answer({"data": [shapes.person(database, _found(request, database.people, "person"))]})


async def create_person(database: Database, request: Request) -> Response:
    thing = database.new_thing("person", *await _named(database, request))
    database.people[thing.id] = thing
    return answer({"data": [shapes.person(database, thing)]}, 201)


async def update_person(database: Database, request: Request) -> Response:
    thing = _found(request, database.people, "person")
    _change(database, thing, *await _named(database, request))
    return answer({"data": [shapes.person(database, thing)]})


async def list_locations(database: Database, request: Request) -> Response:
    return answer({"data": [shapes.location(database, thing) for thing in _page(request, database.locations)]})


async def get_location(database: Database, request: Request) -> Response:
    return answer({"data": [shapes.location(database, _found(request, database.locations, "location"))]})


async def check_out(database: Database, request: Request) -> Response:
    """A part of the assets may be available: these are checked out, and the answer has no others."""
    body = await _body(request)
    person_id, location_id = body.get("personId"), body.get("locationId")
    if person_id is not None and person_id not in database.people:
        raise Stop(404, "NotFound", "The person was not found.")
    if location_id is not None and location_id not in database.locations:
        raise Stop(404, "NotFound", "The location was not found.")
    if person_id is None and location_id is None:
        raise Invalid({"personId": "A person or a location is required."})  # a guess
    free = [thing for thing in _named_assets(database, body) if thing.is_free]
    if not free:
        raise Stop(409, "Conflict", "None of the specified assets were available for checkout.")
    date = body.get("date") or shapes.moment(database.clock.now())
    whom = {"person_id": person_id, "location_id": location_id}
    made = database.check_out(free, **whom, date=date, due=body.get("dueDate"), note=body.get("notes"))
    return answer({"data": [shapes.checkout(database, made)]}, 201)


async def get_checkout(database: Database, request: Request) -> Response:
    found = database.checkouts.get(request.path_params["id"])
    if found is None:
        raise Stop(404, "NotFound", "The checkout was not found.")
    return answer({"data": [shapes.checkout(database, found)]})


async def check_in(database: Database, request: Request) -> Response:
    """One check-in for each checkout that its assets belonged to. Only the status of its answer is documented."""
    body = await _body(request)
    out = [thing for thing in _named_assets(database, body) if thing.checkout]
    if not out:
        raise Stop(409, "Conflict", "None of the specified assets could be checked in.")
    back: dict[str, tuple[Checkout, list[str]]] = {}
    for thing in out:
        found = database.check_in(thing)
        back.setdefault(found.id, (found, []))[1].append(thing.id)
    if database.settings.check_ins == "empty":
        return Response(None, 200)
    date = body.get("date") or shapes.moment(database.clock.now())
    return answer({"data": [shapes.check_in(database, found, ids, date) for found, ids in back.values()]})


async def list_notes(database: Database, request: Request) -> Response:
    target = request.query_params.get("targetId")
    if not target:
        raise Invalid({"targetId": "Required."})
    return answer({"data": [shapes.note(note) for note in database.notes.values() if note.target_id == target]})


async def create_note(database: Database, request: Request) -> Response:
    """Notes alone answer an object instead of a list of one."""
    body = await _body(request)
    if missing := {key: "Required." for key in ("targetId", "value") if not body.get(key)}:
        raise Invalid(missing)
    if not database.knows(body["targetId"]):
        raise Stop(404, "NotFound", "The record was not found.")
    note = Note(database.new_id("note"), body["targetId"], body["value"], database.clock.now())
    database.notes[note.id] = note
    return answer({"data": shapes.note(note)}, 201)


async def get_note(database: Database, request: Request) -> Response:
    found = database.notes.get(request.path_params["id"])
    if found is None:
        raise Stop(404, "NotFound", "The note was not found.")
    return answer({"data": shapes.note(found)})


CALLS: dict[str, dict[str, Call]] = {
    "/databases": {"GET": databases},
    "/assets": {"GET": list_assets, "POST": create_asset},
    "/assets/{id}": {"GET": get_asset, "POST": update_asset},
    "/people": {"GET": list_people, "POST": create_person},
    "/people/{id}": {"GET": get_person, "POST": update_person},
    "/locations": {"GET": list_locations},
    "/locations/{id}": {"GET": get_location},
    "/checkouts": {"POST": check_out},  # GET answers 405: past checkouts cannot be listed
    "/checkouts/{id}": {"GET": get_checkout},
    "/check-ins": {"POST": check_in},
    "/notes": {"GET": list_notes, "POST": create_note},
    "/notes/{id}": {"GET": get_note},
}


def _route(path: str, methods: dict[str, Call]) -> Route:
    async def endpoint(request: Request) -> Response:
        request.state.entry.route = PREFIX + path
        try:
            return await methods["GET" if request.method == "HEAD" else request.method](request.state.database, request)
        except Stop as stop:
            return stop.answer
        except Invalid as invalid:
            return failure(400, "ValidationError", "The request is not valid.", invalid.problems)

    return Route(PREFIX + path, endpoint, methods=list(methods))


ROUTES: list[BaseRoute] = [_route(path, methods) for path, methods in CALLS.items()]


def _page(request: Request, things: dict[str, Thing]) -> list[Thing]:
    """`limit` 1 to 1000 and `offset`; outside of these, 400 is a guess. A filter that was ignored would mislead."""
    if "$filter" in request.query_params:
        raise Invalid({"$filter": "Filters are not simulated."})
    limit, offset = _number(request, "limit", USUAL), _number(request, "offset", 0)
    if not 1 <= limit <= MOST or offset < 0:
        raise Invalid({"limit": f"Must be 1 to {MOST}, and offset 0 or more."})
    return list(things.values())[offset : offset + limit]


def _number(request: Request, key: str, usual: int) -> int:
    text = request.query_params.get(key, str(usual))
    if not text.isdecimal():
        raise Invalid({key: "Must be a number."})
    return int(text)


def _found(request: Request, things: dict[str, Thing], kind: str) -> Thing:
    if found := things.get(request.path_params["id"]):
        return found
    raise Stop(404, "NotFound", f"The {kind} was not found.")


async def _body(request: Request) -> Json:
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise Invalid({"": "A JSON object is required."})
    return body


async def _named(database: Database, request: Request) -> tuple[Json, Json]:
    """What a person's body gives: the name is required, also of an update."""
    own, fields = shapes.read(database, "person", await _body(request))
    if not own.get("name"):
        raise Invalid({"name": "Required."})
    return own, fields


def _named_assets(database: Database, body: Json) -> list[Thing]:
    """The assets of a checkout or check-in. One that is not there is left out, a guess."""
    ids = body.get("assetIds")
    if not isinstance(ids, list) or not ids or not all(isinstance(id_, str) for id_ in ids):
        raise Invalid({"assetIds": "At least one is required."})
    return [database.assets[id_] for id_ in dict.fromkeys(ids) if id_ in database.assets]


def _change(database: Database, thing: Thing, own: Json, fields: Json) -> None:
    """`merge` leaves alone what is not named, `replace` clears it."""
    is_merge = database.settings.updates == "merge"
    thing.own = {**thing.own, **own} if is_merge else own
    thing.fields = {**thing.fields, **fields} if is_merge else fields
    thing.updated = database.clock.now()
