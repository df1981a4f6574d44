"""One operation of the host: a method of a path, what a key needs for it, and what it takes and gives."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from connector.engine.callers import Caller
from connector.engine.connections import MISSING
from connector.rest.query import NoQuery, read_query
from connector.sdk.errors import Forbidden, NoSuchConnection, NotFound
from connector.sdk.tables import CardInputs

Handler = Callable[[Request], Awaitable[Response]]

CONNECTION = "/v1/connections/{name}"
ADMIN = "admin"
ASKING = ("409", "502", "503")  # how an operation can end that asks a service


@dataclass(frozen=True)
class Operation:
    """One method of one path. `gives` is a component's name, `[Name]` for a list, a text's media type, or None.

    `query` are the parameters it takes; where it is None, the handler looks at them itself, or nobody does.
    `or_gives`: the media type of a text that it gives instead, where that is asked for. `later`: the component of its
    202, where it may take longer than its caller waits. `headers` are shared parameters by their names.
    `is_open` asks for no key; else a key needs the `scope`, where it is not None. `is_narrowed` keeps to a key's
    connections; other administration is about all of them.
    """

    method: str
    path: str
    summary: str
    handler: Handler
    gives: str | None
    status: int = 200
    takes: type[CardInputs] | None = None
    query: type[CardInputs] | None = NoQuery
    scope: str | None = ADMIN
    is_open: bool = False
    is_narrowed: bool = False
    fails: tuple[str, ...] = ()
    or_gives: str | None = None
    later: str | None = None
    headers: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return self.handler.__name__

    @property
    def scopes(self) -> list[str]:
        """What a key needs."""
        return [] if self.is_open or self.scope is None else [self.scope]

    async def answer(self, request: Request) -> Response:
        """The handler's answer; it finds its query read. No name has a NUL: PostgreSQL does not take one."""
        if not self.is_open:
            self._allow(request.state.caller, request.path_params)
        if any("\0" in part for part in request.path_params.values()):
            raise NotFound("There is nothing of this name.")
        if self.query:
            request.state.query = read_query(request, self.query)
        return await self.handler(request)

    def _allow(self, caller: Caller, names: Mapping[str, str]) -> None:
        """Before anything else of the request is looked at (AU-4). Raises Forbidden, and NoSuchConnection."""
        caller.need(*self.scopes)
        if self.scope == ADMIN and not self.is_narrowed and not caller.grant.reaches_all(None):
            raise Forbidden("The key is for some connections only, and this is about all of them.")
        if self.path.startswith(CONNECTION) and not caller.grant.reaches(names["name"]):
            raise NoSuchConnection(MISSING)
