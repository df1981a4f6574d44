"""The services that cards are tested against: where each is, how it is connected to, and what its lists look like."""

from dataclasses import dataclass, field
from typing import Any

from connector.sdk.kinds import Json


@dataclass(frozen=True)
class Service:
    """One connector's service, as respx plays it.

    connection, fields: the connection that tests have. checked: what making it asks, and the answer.
    page: the most records it returns at once. looked_up: a record that a case does not name.
    """

    connection: str
    origin: str
    prefix: str
    fields: Json
    checked: tuple[str, Any]
    page: int
    looked_up: Json = field(default_factory=dict)

    @property
    def host(self) -> str:
        return self.origin.partition("://")[2]

    @property
    def base(self) -> str:
        return self.origin + self.prefix


SERVICES = {
    "kandji": Service(
        connection="acme",
        origin="https://acme.api.kandji.io",
        prefix="/api/v1",
        fields={"url": "https://acme.api.kandji.io", "token": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"},
        checked=("/devices", []),
        page=300,
        looked_up={"platform": "Mac"},
    ),
    "assetbots": Service(
        connection="workspace",
        origin="https://api.assetbots.com",
        prefix="/v1",
        fields={"api_key": "ab_0f1e2d3c4b5a69788796a5b4c3d2e1f0"},
        checked=("/databases", {"data": [{"id": "w1", "type": "Database", "name": "Acme IT"}]}),
        page=1000,
        looked_up={"data": []},
    ),
    "snipeit": Service(
        connection="assets",
        origin="https://acme.snipe-it.io",
        prefix="/api/v1",
        fields={"url": "https://acme.snipe-it.io", "token": "eyJ0f1e2d3c4b5a69788796a5b4c3d2e1f0"},
        checked=("/users/me", {"id": 1, "username": "upcard"}),
        page=500,
    ),
}
HOSTS = {service.host for service in SERVICES.values()}
