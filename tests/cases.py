"""A card's cases: JSON files that say what a call is, what the service is asked and answers, and what comes out."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import respx

from tests.conftest import Upcard
from tests.services import SERVICES, Service

FOLDER = Path(__file__).parent / "cards"


@dataclass(frozen=True)
class Case:
    """One behaviour of one card.

    upstream: exchanges in order: `ask` ("POST /devices/d1/notes?x=1"), `body` where one is sent, and the answer:
    `status` (200), `headers`, `answer` (JSON), or `text`.
    loose: the inputs are read, but are not of the types that the published file asks for (a number for text).
    """

    name: str
    card: str
    call: dict[str, Any]
    upstream: tuple[dict[str, Any], ...]
    outputs: dict[str, Any] | None
    error: dict[str, Any] | None
    loose: bool

    @property
    def connector(self) -> str:
        return self.card.partition(".")[0]

    @property
    def service(self) -> Service:
        return SERVICES[self.connector]


def cases() -> list[Case]:
    return [_case(path) for path in sorted(FOLDER.rglob("*.json"))]


def case_of(card: str) -> Case:
    """The card's own case: the file that has its name and nothing more."""
    connector, _, name = card.partition(".")
    return _case(FOLDER / connector / f"{name}.json")


def _case(path: Path) -> Case:
    said = json.loads(path.read_text())
    name = f"{path.parent.name}.{path.stem}"
    card = ".".join(name.split(".")[:2])
    call = {key: said[key] for key in ("options", "inputs", "stream") if key in said}
    upstream, loose = tuple(said.get("upstream", ())), said.get("loose", False)
    return Case(name, card, call, upstream, said.get("outputs"), said.get("error"), loose)


class Played:
    """Plays the service's part of a case on a respx router, and notes what was asked out of turn."""

    def __init__(self, router: respx.MockRouter, case: Case) -> None:
        self.left = list(case.upstream)
        self.wrong: list[str] = []
        self._prefix = case.service.prefix
        router.route(host=case.service.host).mock(side_effect=self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        asked = f"{request.method} {request.url.raw_path.decode().removeprefix(self._prefix)}"
        body = json.loads(request.content) if request.content else None
        if not self.left or (asked, body) != (self.left[0]["ask"], self.left[0].get("body")):
            expected = self.left[0]["ask"] if self.left else "nothing more"
            self.wrong.append(f"asked {asked} {body}, expected {expected}")
            return httpx.Response(404, json={"detail": "Not found."})
        return _answered(self.left.pop(0))


def _answered(exchange: dict[str, Any]) -> httpx.Response:
    status, headers = exchange.get("status", 200), exchange.get("headers", {})
    if "text" in exchange:
        return httpx.Response(status, text=exchange["text"], headers=headers)
    if "answer" in exchange:
        return httpx.Response(status, json=exchange["answer"], headers=headers)
    return httpx.Response(status, headers=headers)


async def play(upcard: Upcard, router: respx.MockRouter, case: Case) -> httpx.Response:
    """Call the card as the case says; the service must be asked exactly that, and nothing more."""
    played = Played(router, case)
    answer = await upcard.call(case.card, **case.call)
    assert played.wrong == []
    assert played.left == [], f"these exchanges did not happen, and the card answered {answer.text}"
    return answer
