"""The application: routes, the key around them, problem documents for whatever goes wrong."""

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp

from connector.engine import seals
from connector.host import Host
from connector.rest.door import CARD, Door
from connector.rest.openapi import openapi
from connector.rest.operations import OPERATIONS
from connector.rest.problems import on_any_error, on_http_error, on_upcard_error, problem
from connector.sdk.errors import MethodNotAllowed, UpcardError


def app(host: Host) -> ASGIApp:
    """The ASGI application of a host that is open."""
    made = FastAPI(title="Upcard", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    made.state.host, made.state.openapi = host, openapi()
    made.state.seals = seals.load(host.settings.secret_keys, host.settings.data_dir)
    made.router.routes.extend(routes())
    made.add_exception_handler(UpcardError, on_upcard_error)
    made.add_exception_handler(405, on_other_method)
    made.add_exception_handler(HTTPException, on_http_error)
    made.add_exception_handler(Exception, on_any_error)
    return Door(made, host)


def routes() -> list[Route]:
    """Every route but that of calling a card, which the door knows."""
    return [
        Route(operation.path, operation.answer, methods=[operation.method])
        for operations in OPERATIONS.values()
        for operation in operations
    ]


async def on_other_method(request: Request, _: Exception) -> Response:
    """Allow names every method of the address: the router knows those of one route, and the door has one more."""
    there = [route for route in routes() if route.matches(request.scope)[0] is not Match.NONE]
    methods = {method for route in there for method in route.methods or ()}
    methods |= {"POST"} if CARD.fullmatch(request.url.path) else set()
    answer = problem(MethodNotAllowed(f"{MethodNotAllowed.title}."))
    answer.headers["Allow"] = ", ".join(sorted(methods))
    return answer
