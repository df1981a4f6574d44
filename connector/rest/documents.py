"""Documents of the host that do not depend on a call: OpenAPI, the index of schemas, liveness."""

from starlette.requests import Request
from starlette.responses import Response

from connector.catalog.publish import index
from connector.rest.answers import json_answer


async def get_openapi(request: Request) -> Response:
    return json_answer(request.app.state.openapi)


async def get_index(_: Request) -> Response:
    return json_answer(index())


async def get_health(_: Request) -> Response:
    return json_answer({"status": "ok"})


async def get_readiness(_: Request) -> Response:
    return json_answer({"status": "ok"})
