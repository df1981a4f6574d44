"""The shapes a list comes in: a slice with headers, an envelope with links, numbered pages."""

import re
from collections.abc import Sequence
from math import ceil
from typing import Any, NamedTuple

from starlette.datastructures import URL
from starlette.requests import Request

from sandbox.kandji.api.errors import Refused

DIGITS = re.compile(r"[0-9]{1,15}")
CAP = 300  # the most Kandji returns at once, and the default


class Slice(NamedTuple):
    """What `limit` and `offset` ask for; nonsense counts as not given, as in Django REST framework."""

    limit: int
    offset: int


def slice_of(request: Request) -> Slice:
    limit = number(request, "limit", default=CAP)
    return Slice(min(limit or CAP, CAP), number(request, "offset", default=0))


def number(request: Request, name: str, *, default: int) -> int:
    given = request.query_params.get(name, "")
    return int(given) if DIGITS.fullmatch(given) else default


def envelope(request: Request, at: Slice, count: int, results: list[Any]) -> dict[str, Any]:
    """`{count, next, previous, results}` with absolute links of the host that was called."""
    following, before = _neighbours(request, at, has_more=at.offset + at.limit < count)
    return {"count": count, "next": following, "previous": before, "results": results}


def sliced(request: Request, everything: Sequence[Any]) -> dict[str, Any]:
    """The envelope of a list that is at hand."""
    at = slice_of(request)
    return envelope(request, at, len(everything), list(everything[at.offset : at.offset + at.limit]))


def headers(request: Request, at: Slice, count: int | None, *, has_more: bool) -> dict[str, str]:
    """What a bare list says about itself; a link that leads nowhere is written `<None>`."""
    following, before = _neighbours(request, at, has_more=has_more)
    totals = {} if count is None else {"X-Total-Count": str(count), "X-Total-Pages": str(ceil(count / at.limit))}
    return {**totals, "Link": f'<{following}>; rel="next", <{before}>; rel="prev"'}


def whole(request: Request, count: int) -> dict[str, str]:
    """The same for a list that comes in one piece."""
    return headers(request, Slice(CAP, 0), count, has_more=False)


def numbered(request: Request, count: int) -> Slice:
    """The slice of `page`, which counts from 1; a page that does not exist is an error."""
    page = number(request, "page", default=1)
    if page < 1 or (page > 1 and (page - 1) * CAP >= count):
        raise Refused(404, {"detail": "Invalid page."})
    return Slice(CAP, (page - 1) * CAP)


def numbered_envelope(request: Request, at: Slice, count: int, results: list[Any]) -> dict[str, Any]:
    """As `envelope`, linked by page number; these links end their path with a slash."""
    page = at.offset // CAP + 1
    here = request.url.replace(path=request.url.path.rstrip("/") + "/")
    following = str(here.include_query_params(page=page + 1)) if at.offset + CAP < count else None
    before = here.include_query_params(page=page - 1) if page > 2 else here.remove_query_params("page")
    return {"count": count, "next": following, "previous": str(before) if page > 1 else None, "results": results}


def _neighbours(request: Request, at: Slice, *, has_more: bool) -> tuple[str | None, str | None]:
    here = request.url.include_query_params(limit=at.limit)
    following = str(here.include_query_params(offset=at.offset + at.limit)) if has_more else None
    return following, _previous(here, at) if at.offset > 0 else None


def _previous(here: URL, at: Slice) -> str:
    back = at.offset - at.limit
    return str(here.include_query_params(offset=back) if back > 0 else here.remove_query_params("offset"))
