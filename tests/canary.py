"""Secrets that can be recognised: planted in calls and in what a service answers, and looked for in every form.

All but PINs hold the same sign at both ends, so that half of one is found as well, and looking takes no time.
"""

import asyncio
import base64
import json
import re
import secrets
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from html import escape
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from aiohttp import web

from connector.catalog.find import catalog
from connector.sdk.card import Card
from connector.sdk.tables import rows
from tests.cases import case_of

Json = dict[str, Any]

SIGN = f"Qz{secrets.token_hex(5)}"
ODD = '"\\/+&%<>~'  # what has another look in JSON, HTML, addresses and base64 for URLs
LONG = 320  # records of a list: more than a page of it
CONTEXT = 60


def text(kind: str, odd: str = ODD) -> str:
    """A secret of this kind."""
    return f"{SIGN}{kind}{odd}{SIGN}"


def plain(kind: str) -> str:
    """One of letters and digits."""
    return text(kind, "")


PIN_NUMBERS = count(secrets.randbelow(70_000) + 10_000, 37)


def new_pin() -> str:
    """Six digits that no number begins with, and no other of these has."""
    return f"0{next(PIN_NUMBERS):05}"


# What is looked for


def forms(secret: str) -> Iterator[tuple[str, bytes]]:
    """Every way in which it may be written, each with a name."""
    raw = secret.encode()
    yield "clear", raw
    yield "hex", raw.hex().encode()
    yield "HEX", raw.hex().upper().encode()
    yield "percent-encoded", "".join(f"%{byte:02X}" for byte in raw).encode()
    yield "percent-encoded in small letters", "".join(f"%{byte:02x}" for byte in raw).encode()
    yield "JSON-escaped", "".join(f"\\u{ord(sign):04x}" for sign in secret).encode()
    for name, encode in (("base64", base64.b64encode), ("base64 for URLs", base64.urlsafe_b64encode)):
        for before in range(3):
            yield f"{name} after {before}", _inner(encode, raw, before)


def _inner(encode: Callable[[bytes], bytes], raw: bytes, before: int) -> bytes:
    """The signs that depend on nothing but the secret, where so many bytes stand before it."""
    return encode(b"\0" * before + raw)[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]


@dataclass
class Search:
    """What must not be found, by name. Six digits are found only where they are a word: numbers and hashes have any."""

    secrets: dict[str, str] = field(default_factory=lambda: {"a planted secret": SIGN})

    def add(self, name: str, secret: str) -> str:
        self.secrets[name] = secret
        return secret

    def found(self, place: str, where: bytes, but: str = "") -> list[str]:
        """Every secret in these bytes, with its form; `but` is one that belongs there."""
        return [
            f"{place}: {name}, {form}: {where[max(at - CONTEXT, 0) : at + CONTEXT]!r}"
            for name, secret in self.secrets.items()
            if name != but
            for form, written in forms(secret)
            if (at := _at(written, where, is_word=form == "clear" and secret.isdigit())) >= 0
        ]


def _at(written: bytes, where: bytes, *, is_word: bool) -> int:
    at = where.find(written)
    if at >= 0 and is_word:
        found = re.search(rb"(?<![\w.+/-])%s(?![\w+/=-])" % written, where)
        return found.start() if found else -1
    return at


# What is planted


@dataclass(frozen=True)
class Planted:
    """A card's own case with secrets of ours for those it shows: its call, and the service's answers by request."""

    card: Card
    call: Json
    answers: dict[str, Any]
    secrets: dict[str, str]


def planted() -> list[Planted]:
    kandji = catalog().connector("kandji").cards  # the scripted service is a tenant of Kandji
    return [_planted(card) for card in kandji]


def _planted(card: Card) -> Planted:
    case = case_of(card.key)
    ours = {shown: _like(shown, f"{card.name}-{name}") for name, shown in _shown(card, case.call, case.outputs or {})}
    whole = json.dumps({"call": case.call, "upstream": case.upstream})
    if any(not exchange["ask"].startswith("GET") for exchange in case.upstream):
        whole = whole.replace('"d1"', '"w1"').replace("/devices/d1", "/devices/w1")  # whose record can always be read
    for shown, secret in ours.items():
        whole = whole.replace(json.dumps(shown), json.dumps(secret))
    said = json.loads(whole)
    answers = {exchange["ask"].partition("?")[0]: exchange.get("answer") for exchange in said["upstream"]}
    return Planted(card, said["call"], answers, {f"{card.name} {at}": ours[at] for at in ours})


def _like(shown: str, kind: str) -> str:
    return new_pin() if re.fullmatch("[0-9]{6}", shown) else text(kind)


def _shown(card: Card, call: Json, outputs: Json) -> Iterator[tuple[str, str]]:
    """The secrets that a card's case shows, by the catalogue."""
    tables = [*card.outputs, *([card.record] if card.record else [])]
    secret = {row.key for table in tables for row in rows(table) if row.mark.secret}
    yield from _under({row.key for row in rows(card.inputs) if row.mark.secret}, call.get("inputs", {}))
    yield from _under(secret, outputs)


def _under(keys: set[str], value: Any, at: str = "", *, inside: bool = False) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _under(keys, item, key, inside=inside or key in keys)
    elif isinstance(value, list):
        for item in value:
            yield from _under(keys, item, at, inside=inside)
    elif inside and isinstance(value, str):
        yield at, value


# The service

SIGNED = {"content-type": "application/json"}
Words = Callable[[str], str]
WRITTEN: dict[str, Words] = {  # how a service may repeat a secret in its words
    "clear": str,
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 with a user": lambda secret: base64.b64encode(f"u:{secret}:".encode()).decode(),
    "base64 with another user": lambda secret: base64.b64encode(f"ab: {secret}".encode()).decode(),
    "hex": lambda secret: secret.encode().hex(),
    "quoted": lambda secret: quote(secret, safe=""),
    "escaped": lambda secret: escape(secret),
    "as JSON": lambda secret: json.dumps(secret)[1:-1],
}


@dataclass
class Service:
    """Answers as the cases say; to other tokens in one of the ways in which a service can fail.

    `ways`: how it answers which token.
    """

    planted: list[Planted]
    data: str
    ways: dict[str, str] = field(default_factory=dict)
    heard: list[dict[str, str]] = field(default_factory=list)
    hung: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.answers = {ask: answer for each in self.planted for ask, answer in each.answers.items()}
        self.secrets = {
            ask: list(each.secrets.values())
            for each in self.planted
            for ask in each.answers
            if ask != "GET /devices/w1"
        }

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.heard.append({name.lower(): value for name, value in request.headers.items()})
        ask = f"{request.method} {request.path.removeprefix('/api/v1')}"
        token = request.headers["Authorization"].removeprefix("Bearer ")
        way = self.ways.get(token, "well")
        if way == "well" or ask == "GET /devices/w1":
            return self._well(request, ask)
        if way == "later pages" and "offset=3" not in request.query_string:
            return self._well(request, ask)
        if way == "hang":
            self.hung.set()
            await asyncio.sleep(3600)
        return await WAYS[way](self, request, [token, *self.secrets.get(ask, [])])

    def _well(self, request: web.Request, ask: str) -> web.Response:
        if ask not in self.answers:
            return web.json_response({"detail": "Not found."}, status=404)
        answer = self.answers[ask]
        records = answer.get("results") if isinstance(answer, dict) else answer
        if records and isinstance(records, list) and request.method == "GET":
            answer = self._page(request, records, is_bare=isinstance(answer, list))
        return web.json_response(answer) if answer is not None else web.Response()

    def _page(self, request: web.Request, records: list[Json], *, is_bare: bool) -> Any:
        """Some of many records like the first one, each with data that is nobody else's business."""
        size, offset = int(request.query.get("limit", 300)), int(request.query.get("offset", 0))
        some = [self._record(records[0], at) for at in range(offset, min(offset + size, LONG))]
        if is_bare:
            return some
        link = request.url.update_query(limit=str(size), offset=str(offset + size))
        more = offset + size < LONG
        return {"count": LONG, "next": str(link) if more else None, "previous": None, "results": some}

    def _record(self, like: Json, at: int) -> Json:
        ours = dict.fromkeys(("device_id", "id", "note_id"), f"record-{at}")
        ours |= dict.fromkeys(("content", "device_name", "app_name"), self.data)
        return {**like, **{key: ours[key] for key in ours if key in like}, "remark": self.data}


Way = Callable[[Service, web.Request, list[str]], Awaitable[web.StreamResponse]]


def _saying(status: int, form: str, shape: Callable[[str], bytes], media: str = "application/json") -> Way:
    """Refuse with words that repeat every secret at hand, the token last or first."""

    async def way(_: Service, __: web.Request, found: list[str]) -> web.Response:
        words = "No: " + ", ".join(WRITTEN[form](secret) for secret in found)
        headers = {"Retry-After": "0", "Content-Type": media, "X-Echo": plain("header-of-the-service")}
        return web.Response(status=status, body=shape(words), headers=headers)

    return way


def _detail(words: str) -> bytes:
    return json.dumps({"detail": words}).encode()


def _listed(words: str) -> bytes:
    return json.dumps([words]).encode()


def _by_field(words: str) -> bytes:
    return json.dumps({"pin": [words], "password": words, "token": {"value": words}}).encode()


def _page_of_html(words: str) -> bytes:
    return f"<html><title>{words}</title><h1>{words}</h1><p>{words}</p></html>".encode()


def _cut_json(words: str) -> bytes:
    return f'{{"detail": "{words}'.encode()


async def _cut(_: Service, request: web.Request, found: list[str]) -> web.StreamResponse:
    """The connection ends in the middle of a good answer."""
    answer = web.StreamResponse(headers={**SIGNED, "Content-Length": "100000"})
    await answer.prepare(request)
    await answer.write(_detail(" ".join(found)))
    if request.transport:
        request.transport.close()
    return answer


async def _redirect(_: Service, __: web.Request, found: list[str]) -> web.Response:
    return web.Response(status=302, headers={"Location": f"https://127.0.0.1/{quote(found[0], safe='')}"})


async def _odd_shape(service: Service, request: web.Request, found: list[str]) -> web.Response:
    """Every value is of another shape than was promised, and has secrets in it."""
    ask = f"{request.method} {request.path.removeprefix('/api/v1')}"
    return web.json_response(_odd(service.answers.get(ask), " ".join(found)))


def _odd(value: Any, words: str) -> Any:
    if isinstance(value, dict):
        return {key: [{words: words}] if not isinstance(item, dict | list) else words for key, item in value.items()}
    return {words: [words]} if isinstance(value, list) else [[words]]


async def _odder_shape(service: Service, request: web.Request, found: list[str]) -> web.Response:
    """The outer shape is right; what is inside is not."""
    ask = f"{request.method} {request.path.removeprefix('/api/v1')}"
    words, answer = " ".join(found), service.answers.get(ask)
    if isinstance(answer, dict) and "results" in answer:
        link = f"https://127.0.0.1/{quote(words, safe='')}?{quote(words, safe='')}"
        return web.json_response({"results": [{}], "next": link})
    if isinstance(answer, dict):
        return web.json_response({key: _other(item, words) for key, item in answer.items()})
    return web.json_response([words] if isinstance(answer, list) else words)


def _other(value: Any, words: str) -> Any:
    return {"x": words} if isinstance(value, str | int | bool) else [words] if isinstance(value, dict) else words


async def _garbage(_: Service, __: web.Request, found: list[str]) -> web.Response:
    return web.Response(body=b"\xff\xfe{" + " ".join(found).encode(), headers=SIGNED)


WAYS: dict[str, Way] = {
    "400": _saying(400, "clear", _detail),
    "401": _saying(401, "base64", _detail),
    "403": _saying(403, "hex", _listed),
    "404": _saying(404, "escaped", _page_of_html, "text/html"),
    "409": _saying(409, "as JSON", _cut_json),
    "410": _saying(410, "base64 with a user", _detail),
    "413": _saying(413, "base64 with another user", _detail),
    "422": _saying(422, "quoted", _by_field),
    "429": _saying(429, "clear", _detail),
    "500": _saying(500, "clear", _detail),
    "502": _saying(502, "clear", _page_of_html, "text/html"),
    "503": _saying(503, "clear", _detail),
    "cut": _cut,
    "redirect": _redirect,
    "odd shape": _odd_shape,
    "odder shape": _odder_shape,
    "garbage": _garbage,
    "later pages": _saying(403, "clear", _detail),
}


# The database


def dump(url: str) -> Iterator[tuple[str, bytes]]:
    """Every table with all it has, DBOS's included; bytes as they are."""
    engine = sa.create_engine(sa.make_url(url).set(drivername=DRIVERS[sa.make_url(url).get_backend_name()]))
    with engine.connect() as db:
        inspector = sa.inspect(db)
        for schema in inspector.get_schema_names():
            for name in inspector.get_table_names(schema):
                found = db.execute(sa.select(sa.text("*")).select_from(sa.table(name, schema=schema)))
                yield f"table {schema}.{name}", b"\n".join(_bytes(value) for row in found for value in row)
    engine.dispose()


DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}


def _bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of a folder, whatever it is."""
    yield from ((path.name, path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file())
