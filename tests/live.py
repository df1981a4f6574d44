"""A simulated service behind a real server, and the cards of a host for it: all over HTTP, as a caller has them."""

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import httpx
from starlette.types import ASGIApp

from tests.conftest import Upcard

App = TypeVar("App", bound=ASGIApp)


@dataclass
class Live(Generic[App]):
    """The service as an app and at its address, and the host. `secret` is what a connection to it needs besides."""

    connector: str
    app: App
    url: str
    upcard: Upcard
    secret: dict[str, str]
    called: set[str] = field(default_factory=set)

    async def admin(self, method: str, path: str, /, **body: Any) -> Any:
        async with httpx.AsyncClient() as http:
            return (await http.request(method, f"{self.url}/_sandbox{path}", json=body)).raise_for_status().json()

    async def connect(self, **fields: Any) -> httpx.Response:
        fields = {"url": self.url, **self.secret, **fields}
        body = {"name": "live", "connector": self.connector, "fields": fields}
        made = await self.upcard.http.post("/v1/connections", json=body)
        if made.status_code == 201:
            self.upcard.host.connections.get("live").service.sleep = _at_once
        return made

    async def call(self, card: str, options: Any = None, **inputs: Any) -> httpx.Response:
        self.called.add(card)
        return await self.upcard.call(f"{self.connector}.{card}", options=options or {}, inputs=inputs)

    async def outputs(self, card: str, options: Any = None, **inputs: Any) -> Any:
        answer = await self.call(card, options, **inputs)
        return answer.json().get("outputs", answer.text)

    async def listed(self, card: str, **inputs: Any) -> list[dict[str, Any]]:
        outputs = await self.outputs(card, {"result_set": "first_200"}, **inputs)
        return list(next(iter(outputs.values())))

    async def lines(self, card: str, **inputs: Any) -> list[str]:
        """All that a list card gives, a record a line."""
        address, accept = f"/v1/cards/{self.connector}/{card}", {"Accept": "application/x-ndjson"}
        return (await self.upcard.http.post(address, json={"inputs": inputs}, headers=accept)).text.splitlines()


async def _at_once(_: float) -> None:
    """Retries in tests follow at once."""
