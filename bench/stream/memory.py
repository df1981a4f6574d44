"""Memory does not grow with the length of a stream."""

from bench.stream.course import course
from bench.stream.figure import at_most

FEW = 10_000  # records


async def memory(records: int) -> None:
    """Peak memory of a new host at 10,000 records and at many more."""
    few, many = await peak(FEW), await peak(records)
    at_most(f"memory at {records:,} records beyond that at {FEW:,}", many - few, 10, " MiB", digits=1)
    at_most(f"peak memory of the host at {records:,} records", many, 150, " MiB", digits=1)


async def peak(records: int) -> float:
    async with course(records) as by:
        await by.stream()
        return by.host.program.peak()
