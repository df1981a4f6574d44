"""The calls about all but assets; those are in `hardware`. What the source does not say is marked as a guess."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.snipeit import hardware, rules, shapes
from sandbox.snipeit.answers import answer, body_of, done, failure, page, whole
from sandbox.snipeit.database import Database, Row, column, same
from sandbox.snipeit.rules import Invalid

PREFIX = "/api/v1"

Call = Callable[[Database, Request], Awaitable[Response]]


async def who_am_i(database: Database, request: Request) -> Response:
    """The user of the token, who is nobody to hand an asset to."""
    own = {"first_name": "Upcard", "last_name": "", "username": "upcard", "activated": True}
    return answer(shapes.user(database, Row(999_999, database.began, database.began, own)))


async def list_users(database: Database, request: Request) -> Response:
    wanted = {key: value for key in ("email", "username") if (value := request.query_params.get(key))}
    rows = [row for row in _kept(database.users) if all(same(row.own.get(key), value) for key, value in wanted.items())]
    return page(database, request, rows, shapes.user)


async def get_user(database: Database, request: Request) -> Response:
    return answer(shapes.user(database, _found(request, database.users, "User")))


async def create_user(database: Database, request: Request) -> Response:
    made = database.new(database.users, rules.user(database, await body_of(request)))
    return done(shapes.user(database, made), "User was successfully created.")


async def update_user(database: Database, request: Request) -> Response:
    found = _found(request, database.users, "User")
    found.own |= rules.user(database, await body_of(request), found.id)
    found.updated = database.clock.now()
    return done(shapes.user(database, found), "User was successfully updated.")


async def delete_user(database: Database, request: Request) -> Response:
    found = _found(request, database.users, "User")
    if any(asset.assigned == ("user", found.id) for asset in database.assets.values()):
        raise Invalid("This user has assets: check them in first.")
    found.deleted = database.clock.now()
    return done(None, "User was successfully deleted.")


async def list_models(database: Database, request: Request) -> Response:
    return page(database, request, _kept(database.models), shapes.model)


async def create_model(database: Database, request: Request) -> Response:
    """The answer is the bare row, as that of an asset is."""
    made = database.new(database.models, rules.model(database, await body_of(request)))
    return done(shapes.row(database, made), "Asset model created successfully.")


async def list_categories(database: Database, request: Request) -> Response:
    return page(database, request, _kept(database.categories), shapes.category)


async def create_category(database: Database, request: Request) -> Response:
    made = database.new(database.categories, rules.category(database, await body_of(request)))
    return done(shapes.row(database, made), "Category created successfully.")


async def list_status_labels(database: Database, request: Request) -> Response:
    return page(database, request, _kept(database.status_labels), shapes.status_label)


async def list_fieldsets(database: Database, request: Request) -> Response:
    return whole(database, _kept(database.fieldsets), shapes.fieldset)


async def list_fields(database: Database, request: Request) -> Response:
    """All at once, whatever limit and offset are given."""
    return whole(database, _kept(database.fields), shapes.field)


async def create_field(database: Database, request: Request) -> Response:
    made = database.new(database.fields, rules.field(database, await body_of(request)))
    made.own["db_column"] = column(made.own["name"], made.id)
    return done(shapes.row(database, made), "Field created successfully.")


async def associate_field(database: Database, request: Request) -> Response:
    """Once more does no harm."""
    found, body = _found(request, database.fields, "CustomField"), await body_of(request)
    fieldset = str(body.get("fieldset_id"))
    if not fieldset.isdecimal() or int(fieldset) not in database.fieldsets:
        raise Invalid("CustomFieldset not found")
    members = database.members[int(fieldset)]
    members.extend([] if found.id in members else [found.id])
    return done(shapes.row(database, database.fieldsets[int(fieldset)]), "Fieldset successfully updated.")


async def activity(database: Database, request: Request) -> Response:
    """What happened to assets, newest first."""
    kind = request.query_params.get("action_type")
    rows = [event for event in database.events if kind in (None, event.action)]
    return page(database, request, rows, shapes.event)


CALLS: dict[str, dict[str, Call]] = {
    **hardware.CALLS,
    "/users/me": {"GET": who_am_i},
    "/users": {"GET": list_users, "POST": create_user},
    "/users/{id}": {"GET": get_user, "PATCH": update_user, "PUT": update_user, "DELETE": delete_user},
    "/models": {"GET": list_models, "POST": create_model},
    "/categories": {"GET": list_categories, "POST": create_category},
    "/statuslabels": {"GET": list_status_labels},
    "/fieldsets": {"GET": list_fieldsets},
    "/fields": {"GET": list_fields, "POST": create_field},
    "/fields/{id}/associate": {"POST": associate_field},
    "/reports/activity": {"GET": activity},
}


def _route(path: str, methods: dict[str, Call]) -> Route:
    async def endpoint(request: Request) -> Response:
        request.state.entry.route = PREFIX + path
        call = methods.get("GET" if request.method == "HEAD" else request.method)
        if call is None:
            return failure(405, "Method not allowed")
        try:
            return await call(request.state.database, request)
        except Invalid as invalid:
            return failure(200, invalid.messages, invalid.payload)

    return Route(PREFIX + path, endpoint, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])


ROUTES: list[BaseRoute] = [_route(path, methods) for path, methods in CALLS.items()]


def _kept(rows: dict[int, Row]) -> list[Row]:
    return [row for row in rows.values() if row.deleted is None]


def _found(request: Request, rows: dict[int, Row], kind: str) -> Row:
    text = request.path_params["id"]
    found = rows.get(int(text)) if text.isdecimal() else None
    if found is None or found.deleted is not None:
        raise Invalid(f"{kind} not found")
    return found
