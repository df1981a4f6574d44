"""Stream a list card's records to a helper flow: fetch a page while the one before is handed over, and count."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from connector.engine.delivery import GONE, Failure, Handover
from connector.engine.runs import Progress
from connector.sdk.errors import DeliveryFailed
from connector.sdk.results import Page, Stream


async def stream(found: AsyncIterator[Page[Any]], handover: Handover, wanted: Stream, progress: Progress) -> None:
    """Hand every record over. Raises DeliveryFailed where the flow is gone, or a record fails and the stream stops."""
    coming = asyncio.ensure_future(anext(found, None))
    try:
        while page := await coming:
            progress.fetched += len(page.records)
            coming = asyncio.ensure_future(anext(found, None))
            failures = await handover.page(page.records, progress.sent, wanted.concurrency)
            _count(progress, page, failures)
            _stop_where_told(failures, wanted)
    finally:
        coming.cancel()


def _count(progress: Progress, page: Page[Any], failures: list[Failure]) -> None:
    progress.sent += len(page.records)
    progress.failed += len(failures)
    progress.delivered = progress.sent - progress.failed
    progress.pages += 1
    progress.cursor = page.next


def _stop_where_told(failures: list[Failure], wanted: Stream) -> None:
    if any(failure.status == GONE for failure in failures):
        raise DeliveryFailed("The helper flow answered 410: it is gone, and takes no more records.")
    if failures and wanted.on_failure == "stop":
        raise DeliveryFailed("The helper flow did not take a record, and the stream was told to stop then.")
