"""A saved mapping that is valid no longer, as after an upgrade that checks more."""

import time
from pathlib import Path

import sqlalchemy as sa

from connector.sync.store.tables import syncs
from tests.connector.sync.office import NAME
from tests.connector.sync.trouble import synced


async def test_a_mapping_that_is_valid_no_longer_is_told_by_its_run(tmp_path: Path) -> None:
    """Other syncs do not wait for it."""
    async with synced(tmp_path) as here:
        sync = await here.syncs.get(NAME)
        invalid = {"mapping": sync.mapping.replace("kandji", "gone"), "enabled": True, "due": 0.0}
        await here.upcard.host.store.run(lambda db: db.execute(sa.update(syncs).values(invalid)))

        runs = await here.look()

        assert [run.state for run in runs] == ["failed"]
        assert ((await here.syncs.get(NAME)).due or 0) > time.time() + 1000
