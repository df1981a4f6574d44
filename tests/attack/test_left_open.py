"""What is not mended: each fails, and says what would be right."""

import pytest

from connector.sdk.errors import InvalidCall
from connector.sync.mapping.mapping_file import load

HEAD = "version: 1\nmdm: { kind: kandji }\nassets: { kind: file }\n"


def test_a_label_with_a_nul_is_refused() -> None:
    """PostgreSQL keeps none: the sync is saved, and each of its runs breaks."""
    with pytest.raises(InvalidCall):
        load(HEAD + 'fields:\n  - { to: "a\\0b", from: model }\n')


def test_a_schedule_without_a_pause_is_refused() -> None:
    """One run would follow the other for ever."""
    with pytest.raises(InvalidCall):
        load(HEAD + "fields: []\nschedule: { every: 0s, jitter: 0s }\n")
