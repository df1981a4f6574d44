"""The query of an address, read as strictly as a body: what is unknown, wrong or given twice is refused (ER-2)."""

from collections import Counter
from typing import TypeVar

from starlette.requests import Request

from connector.sdk.errors import Fault, InvalidCall
from connector.sdk.reading import accept
from connector.sdk.tables import CardInputs

T = TypeVar("T", bound=CardInputs)


class NoQuery(CardInputs):
    """An address that takes no parameters."""


def read_query(request: Request, table: type[T]) -> T:
    """The parameters. Raises InvalidCall with every fault; a misspelt filter must not list everything."""
    given = request.query_params.multi_items()
    times = Counter(key for key, _ in given)
    faults = [Fault(f"query/{key}", "This parameter is given more than once.") for key in times if times[key] > 1]
    faults += [Fault(f"query/{key}", "This parameter has a NUL in it.") for key, value in given if "\0" in value]
    if faults:
        raise InvalidCall.of(faults)
    return accept(table, dict(given), "query", "parameter")
