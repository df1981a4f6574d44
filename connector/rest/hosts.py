"""The host that a request came to."""

from starlette.requests import Request

from connector.host import Host


def host_of(request: Request) -> Host:
    found: Host = request.app.state.host
    return found
