"""What is not mended: each fails, and says what would be right."""

import pytest

from connector.rest.sync_runs import Application
from connector.sdk.errors import InvalidCall
from connector.sdk.reading import accept


def test_a_plan_without_an_id_is_no_request_to_apply_whatever_there_is() -> None:
    """A script whose variable is empty has all of both sides carried out, unseen."""
    with pytest.raises(InvalidCall):
        accept(Application, {"plan": ""})
