"""A list on the service's side, of any length, paged the way a card's case shows."""

from typing import Any

import httpx
import respx

from connector.sdk.card import Card
from tests.cases import Case

UNDER = ("results", "data", "rows")  # where an envelope has its records


def records_like(card: Card, case: Case, count: int) -> list[dict[str, Any]]:
    """Records like the first one of the case, each with an identity of its own."""
    assert card.record
    answer = case.upstream[0]["answer"]
    template = (answer if isinstance(answer, list) else answer[_under(answer)])[0]
    return [{**template, card.record.identity or "id": f"record-{position}"} for position in range(count)]


class Paged:
    """Answers like the case, by limit and offset: a list, bare, under `data`, or under `rows` with the `total` of all;
    or an envelope with a `next` link."""

    def __init__(self, records: list[dict[str, Any]], case: Case, fails_after: int | None = None) -> None:
        self._records = records
        self._service = case.service
        self._under = _under(case.upstream[0]["answer"])
        self._left = fails_after

    def serve(self, router: respx.MockRouter) -> None:
        router.route(host="127.0.0.1").pass_through()
        router.route(host=self._service.host).mock(side_effect=self._answer)

    def heal(self) -> None:
        """Answer well from now on."""
        self._left = None

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self._left == 0:
            return httpx.Response(500)
        self._left = None if self._left is None else self._left - 1
        size = int(request.url.params.get("limit", self._service.page))
        offset = int(request.url.params.get("offset", 0))
        some = self._records[offset : offset + size]
        if self._under == "rows":
            return httpx.Response(200, json={"total": len(self._records), "rows": some})
        if self._under != "results":
            return httpx.Response(200, json={self._under: some} if self._under else some)
        more = offset + size < len(self._records)
        link = str(request.url.copy_merge_params({"limit": size, "offset": offset + size})) if more else None
        return httpx.Response(200, json={"count": len(self._records), "next": link, "previous": None, "results": some})


def _under(answer: Any) -> str:
    """The key of the envelope that has the records; blank where the answer is the list."""
    return "" if isinstance(answer, list) else next(key for key in UNDER if key in answer)
