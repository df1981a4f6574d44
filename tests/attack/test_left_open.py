"""What is not mended: each fails, and says what would be right."""

import pytest

from connector.rest.sync_runs import Application
from connector.sdk.errors import InvalidCall
from connector.sdk.reading import accept
from connector.sync.mapping.mapping_file import load

HEAD = "version: 1\nmdm: { kind: kandji }\nassets: { kind: file }\n"


def test_a_plan_without_an_id_is_no_request_to_apply_whatever_there_is() -> None:
    """A script whose variable is empty has all of both sides carried out, unseen."""
    with pytest.raises(InvalidCall):
        accept(Application, {"plan": ""})


def test_a_label_with_a_nul_is_refused() -> None:
    """PostgreSQL keeps none: the sync is saved, and each of its runs breaks."""
    with pytest.raises(InvalidCall):
        load(HEAD + 'fields:\n  - { to: "a\\0b", from: model }\n')


def test_a_schedule_without_a_pause_is_refused() -> None:
    """One run would follow the other for ever."""
    with pytest.raises(InvalidCall):
        load(HEAD + "fields: []\nschedule: { every: 0s, jitter: 0s }\n")
