"""What a card gives for a call: its outputs by Result Set, refusals as Status Code, dry runs; and who sees secrets."""

from collections.abc import Sequence
from copy import copy
from typing import Any

from pydantic_core import PydanticSerializationError

from connector.engine.calls import Ready
from connector.sdk.card import Card
from connector.sdk.client import CHANGES, EVERYTHING, Client, WouldSend
from connector.sdk.errors import OutcomeUnknown, Refused, Said, Throttled, Unexpected, UpcardError
from connector.sdk.kinds import EXPLANATION, STATUS, Json
from connector.sdk.masks import HIDDEN, SECRET_LIKE, Mask
from connector.sdk.pages import Ask
from connector.sdk.results import FIRST, Cursor, Page, ResultSet
from connector.sdk.tables import CardInputs, CardOptions, CardOutputs, rows


async def outputs(ready: Ready, client: Client[Any]) -> CardOutputs:
    """Its outputs, without secrets where the caller may not see any. Raises WouldSend in a dry run."""
    try:
        found = await _outputs(ready, client)
    except Refused as refusal:
        found = _reported(refusal, ready.card.outputs_for(ready.options))
    return found if ready.sees_secrets else found.without_secrets()


def ask(ready: Ready, client: Client[Any]) -> Ask:
    """Ask a list card for its pages."""
    return asking(ready.card, ready.options, ready.inputs, client, sees_secrets=ready.sees_secrets)


def asking(card: Card, options: CardOptions, inputs: CardInputs, client: Client[Any], *, sees_secrets: bool) -> Ask:
    """The same for a list card, its options and inputs."""
    hidden = () if sees_secrets or not card.record else [row.key for row in rows(card.record) if row.mark.secret]

    async def page(cursor: Cursor) -> Page[Any]:
        try:
            found: Page[Any] = await card.ask(options, inputs, client, cursor)
        except Refused as refusal:
            if card.gives_secrets:
                raise _wordless(refusal) from refusal
            raise
        return _without_keys(found, hidden) if hidden else found

    return page


def written(outputs: CardOutputs, *, reads: bool) -> bytes:
    """As JSON, before the run ends: what cannot be handed on is no success (UP-2). What is has 200 levels or so.

    To look for them where an answer is read would cost a page of 300 records a quarter of its parsing; this is free.
    """
    try:
        return outputs.model_dump_json().encode()
    except PydanticSerializationError as error:
        why = "The service answered something that is nested too deeply."
        raise Unexpected(why) if reads else OutcomeUnknown(why + " The request was carried out.") from error


def held(ready: Ready) -> frozenset[str]:
    """The methods that a dry run holds back; a card that only reads has nothing else to show."""
    if not ready.dry_run:
        return frozenset()
    return EVERYTHING if ready.card.effect == "read" else CHANGES


def would_send(request: WouldSend, inputs: CardInputs) -> Json:
    """What a dry run says it would send; the values of secret inputs, and of names like theirs, are hidden."""
    secrets = _secrets(inputs)
    more = {"query": dict(request.query), "headers": dict(request.headers)}
    told = {key: _hidden(value, secrets) for key, value in more.items() if value}
    return {"method": request.method, "path": request.path, **told, "body": _hidden(request.body, secrets)}


def safe(error: UpcardError, ready: Ready) -> UpcardError:
    """The error as it may be kept: without the call's secret inputs, and words of a service asked for secrets."""
    if ready.card.gives_secrets:
        return _wordless(error)
    mask = Mask(str(value) for value in _secrets(ready.inputs))
    said, detail = error.service, mask(error.detail)
    if said is None and detail == error.detail:
        return error
    found = copy(error)
    found.detail, found.service = detail, said and Said(said.status, mask(said.said))
    return found


def _wordless(error: UpcardError) -> UpcardError:
    """The error without what the service said."""
    if (said := error.service) is None:
        return error
    found = copy(error)
    found.detail = f"The service answered {said.status}." if isinstance(error, Refused) else error.detail
    found.service = Said(said.status, "")
    return found


def _without_keys(page: Page[Any], hidden: Sequence[str]) -> Page[Any]:
    return Page([{**record, **dict.fromkeys(hidden)} for record in page.records], page.next)


def _secrets(inputs: CardInputs) -> set[Any]:
    return {getattr(inputs, row.key) for row in rows(type(inputs)) if row.mark.secret} - {None}


async def _outputs(ready: Ready, client: Client[Any]) -> CardOutputs:
    if ready.card.results is not None:
        return await _first(ready.card.results, ready, client)
    try:
        found: CardOutputs = await ready.card.ask(ready.options, ready.inputs, client)
    except WouldSend as request:
        if not ready.card.by_name and client.held != EVERYTHING:
            client.held = frozenset()
            await client.target(request.parts)  # a wrong target is told
        raise
    return found


async def _first(results: ResultSet, ready: Ready, client: Client[Any]) -> CardOutputs:
    """The first record, or the first N: one page, never a second."""
    table = ready.card.outputs_for(ready.options)
    if table.when["result_set"] == FIRST:
        page = await ask(ready, client)(Cursor(limit=1))
        return table.of(page.records[0] if page.records else {})
    page = await ask(ready, client)(Cursor(limit=results.first))
    return table.model_validate({results.into: page.records[: results.first]})


def _reported(refusal: Refused, table: type[CardOutputs]) -> CardOutputs:
    """The refusal as the card's Status Code; raised again where the card has none, or the service only wants time."""
    kinds = {row.kind: row.key for row in rows(table)}
    if STATUS not in kinds or refusal.service is None or isinstance(refusal, Throttled):
        raise refusal
    values: Json = {kinds[STATUS]: refusal.service.status}
    if EXPLANATION in kinds:
        values[kinds[EXPLANATION]] = refusal.service.said
    return table.model_validate(values)


def _hidden(body: Any, secrets: set[Any]) -> Any:
    if isinstance(body, dict):
        return {key: HIDDEN if SECRET_LIKE.search(key) else _hidden(value, secrets) for key, value in body.items()}
    if isinstance(body, list):
        return [_hidden(value, secrets) for value in body]
    return HIDDEN if isinstance(body, str) and body in secrets else body
