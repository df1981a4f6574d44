"""A card: what `@card` and `@list_card` read from a typed function in a file of its own."""

import inspect
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args, get_origin, get_type_hints

from connector.sdk.client import Client
from connector.sdk.results import Cursor, Page, ResultSet
from connector.sdk.tables import CardInputs, CardOptions, CardOutputs, Record, rows

Effect = Literal["read", "write", "destroy"]
Handler = Callable[..., Awaitable[Any]]
Tables = tuple[type[CardOutputs], ...]
Role = Literal["options", "inputs", "page", "client"]
ROLES: tuple[tuple[type, Role], ...] = (
    (CardOptions, "options"),
    (CardInputs, "inputs"),
    (Cursor, "page"),
    (Client, "client"),
)


class BadCard(Exception):
    """A card is declared in a way that cannot work: says which card and what to change."""


@dataclass(frozen=True)
class Card:
    """One action on a service, as declared."""

    key: str
    title: str
    description: str
    effect: Effect
    disruptive: bool
    by_name: bool
    keywords: tuple[str, ...]
    options: type[CardOptions]
    inputs: type[CardInputs]
    outputs: Tables
    client: type[Client[Any]]
    results: ResultSet | None
    record: type[Record] | None
    handler: Handler
    roles: tuple[tuple[str, Role], ...]

    @property
    def connector(self) -> str:
        return self.key.partition(".")[0]

    @property
    def name(self) -> str:
        return self.key.partition(".")[2]

    @cached_property
    def only_secrets(self) -> bool:
        """Whether secrets are all that it gives, so that without the right to see them it is of no use."""
        return all(row.mark.secret for table in self.outputs for row in rows(table))

    @cached_property
    def gives_secrets(self) -> bool:
        """Whether what it gives may hold a secret, as may then what the service says when it refuses."""
        tables = [*self.outputs, *([self.record] if self.record else [])]
        return any(row.mark.secret for table in tables for row in rows(table))

    def outputs_for(self, options: CardOptions) -> type[CardOutputs]:
        """The table that appears for these options."""
        chosen = options.model_dump()
        return next(table for table in self.outputs if all(chosen[key] == value for key, value in table.when.items()))

    async def ask(
        self, options: CardOptions, inputs: CardInputs, client: Client[Any], page: Cursor | None = None
    ) -> Any:
        """Call the handler: outputs, or for a list card the page at a cursor."""
        given = {"options": options, "inputs": inputs, "client": client, "page": page}
        return await self.handler(**{name: given[role] for name, role in self.roles})


def card(
    title: str,
    *,
    effect: Effect = "read",
    disruptive: bool = False,
    by_name: bool = False,
    keywords: tuple[str, ...] = (),
) -> Callable[[Handler], Card]:
    """Declare a card. `title` is the guide's; `effect`: read asks only, destroy cannot be undone by another card.

    disruptive: stops people from working, such as Lock Device: capped as what destroys is.
    by_name: sends what its caller wrote: keys get it by its name only, and each request under the policy of the card
    that would send the same.
    """
    return lambda handler: _read(
        handler, title, keywords, effect=effect, disruptive=disruptive or effect == "destroy", by_name=by_name
    )


def list_card(title: str, results: ResultSet, *, keywords: tuple[str, ...] = ()) -> Callable[[Handler], Card]:
    """Declare a card whose handler gives one page of records for a cursor."""
    return lambda handler: _read(handler, title, keywords, results=results)


def _read(
    handler: Handler,
    title: str,
    keywords: tuple[str, ...],
    *,
    effect: Effect = "read",
    disruptive: bool = False,
    by_name: bool = False,
    results: ResultSet | None = None,
) -> Card:
    hints = get_type_hints(handler)
    answer = hints.pop("return", None)
    roles = tuple((name, _role(handler, name, hints.get(name))) for name in inspect.signature(handler).parameters)
    types = {role: hints[name] for name, role in roles}
    if "client" not in types:
        raise BadCard(f"{handler.__module__}: the handler takes no client; add one, for example `kandji: Kandji`.")
    return Card(
        key=_key(handler),
        title=title,
        description=" ".join((sys.modules[handler.__module__].__doc__ or "").split()),
        effect=effect,
        disruptive=disruptive,
        by_name=by_name,
        keywords=keywords,
        options=results.options if results else types.get("options", CardOptions),
        inputs=types.get("inputs", CardInputs),
        outputs=results.outputs if results else _outputs(handler, answer, types.get("options", CardOptions)),
        client=types["client"],
        results=results,
        record=_record(handler, answer) if results else None,
        handler=handler,
        roles=roles,
    )


def _key(handler: Handler) -> str:
    connector, _, name = handler.__module__.removeprefix("cards.").partition(".")
    return f"{connector}.{name}"


def _role(handler: Handler, name: str, type_: Any) -> Role:
    role = next((role for base, role in ROLES if isinstance(type_, type) and issubclass(type_, base)), None)
    if role is None:
        raise BadCard(f"{handler.__module__}: `{name}` must be options, inputs, a page cursor or a client.")
    return role


def _outputs(handler: Handler, answer: Any, options: type[CardOptions]) -> Tables:
    tables = get_args(answer) or (answer,)
    if all(isinstance(table, type) and issubclass(table, CardOutputs) for table in tables):
        return _checked(handler, tables, options)
    raise BadCard(f"{handler.__module__}: the handler must return CardOutputs, or a union of them.")


def _checked(handler: Handler, tables: Tables, options: type[CardOptions]) -> Tables:
    """Tables that depend on options name ones there are, and every choice has a table."""
    choices = {row.key: set(row.choices) for row in rows(options)}
    for key in {key for table in tables for key in table.when}:
        if choices.get(key, set()) != {table.when.get(key) for table in tables}:
            raise BadCard(f"{handler.__module__}: outputs with `when={{{key!r}: …}}` must fit the option's choices.")
    return tables


def _record(handler: Handler, answer: Any) -> type[Record]:
    if get_origin(answer) is Page:
        record: type[Record] = get_args(answer)[0]
        return record
    raise BadCard(f"{handler.__module__}: a list card must return Page[...] of a Record.")
