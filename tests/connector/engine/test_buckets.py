"""Token buckets: a burst passes, the rate holds, one name does not starve another."""

import pytest

from connector.engine.buckets import Buckets


def taken(buckets: Buckets, name: str, now: float, times: int) -> int:
    """How many of so many were let through."""
    return sum(buckets.take(name, now) == 0 for _ in range(times))


def test_a_burst_passes_and_no_more() -> None:
    """AU-7: exactly as many as the bucket holds."""
    assert taken(Buckets(2, burst=10), "k1", 0.0, 20) == 10


def test_a_bucket_fills_at_its_rate() -> None:
    """AU-7: two a second; in a long pause no more than the burst."""
    buckets = Buckets(2, burst=10)
    taken(buckets, "k1", 0.0, 20)

    assert [taken(buckets, "k1", at, 20) for at in (1.0, 1.4, 1.5, 3600.0)] == [2, 0, 1, 10]


def test_the_wait_is_told() -> None:
    """AU-7: after it there is one, and before it is not."""
    buckets = Buckets(2, burst=1)
    buckets.take("k1", 0.0)

    wait = buckets.take("k1", 0.1)

    assert wait == pytest.approx(0.4)
    assert buckets.take("k1", 0.1 + wait - 0.01) > 0
    assert buckets.take("k1", 0.1 + wait + 0.01) == 0


def test_one_name_does_not_starve_another() -> None:
    """AU-7: each has a bucket of its own."""
    buckets = Buckets(2, burst=10)
    taken(buckets, "k1", 0.0, 20)

    assert taken(buckets, "k2", 0.0, 20) == 10


def test_memory_is_bounded() -> None:
    """AU-7: the name that came longest ago is forgotten, and the others are not."""
    buckets = Buckets(1, burst=1, most=2)
    assert [buckets.take(name, 0.0) for name in ("k1", "k2", "k1", "k3")] == [0, 0, 1, 0]

    assert [buckets.take(name, 0.0) for name in ("k2", "k3")] == [1, 1]
    assert buckets.take("k1", 0.0) == 0
