"""Documents of the host that do not depend on a call: OpenAPI, the index of schemas, liveness."""

from starlette.requests import Request
from starlette.responses import Response

from connector.catalog.publish import index
from connector.rest.answers import json_answer, raw_answer
from connector.rest.hosts import host_of

METRICS = "text/plain; version=0.0.4; charset=utf-8"


async def get_openapi(request: Request) -> Response:
    return json_answer(request.app.state.openapi)


async def get_index(_: Request) -> Response:
    return json_answer(index())


async def get_health(_: Request) -> Response:
    return json_answer({"status": "ok"})


async def get_readiness(request: Request) -> Response:
    """200 while calls are taken; 503 while the host stops, or its store takes no writes. Asks nobody."""
    is_ready = await host_of(request).is_ready()
    return json_answer({"status": "ok" if is_ready else "not ready"}, 200 if is_ready else 503)


async def get_metrics(request: Request) -> Response:
    """Counters in Prometheus' text format."""
    return raw_answer(host_of(request).telemetry.shown(), media_type=METRICS)
