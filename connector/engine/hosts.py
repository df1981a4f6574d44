"""The hosts that share a store: an ID for each, its signs of life, and which of them have died."""

import asyncio
import fcntl
import hashlib
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import sqlalchemy as sa

from connector.engine.duties import again, on_duty
from connector.engine.store import Store
from connector.engine.tables import hosts

BEAT = 1.0  # seconds between signs of life
FRESH = 3.0  # seconds for which one shows that the store takes writes
DEAD = 15.0  # seconds without one


class Presence:
    """This host among those that share its store: how many are alive, and which have died."""

    def __init__(self, store: Store, id_: str) -> None:
        self._store = store
        self.id = id_
        self.alive = 1
        self.dead: list[str] = []
        self._shown = 0.0

    async def beat(self) -> None:
        """Show that this host is alive, and see which others are."""
        self.alive, self.dead = await self._store.run(self._beat)
        self._shown = time.monotonic()

    @property
    def is_shown(self) -> bool:
        """Whether the store took the last sign of life; one that hangs takes none."""
        return time.monotonic() < self._shown + FRESH

    async def bury(self, dead: str) -> None:
        """Forget a host that died, unless it is back."""
        gone = sa.delete(hosts).where(hosts.c.id == dead, hosts.c.seen < time.time() - DEAD)
        await self._store.run(lambda db: db.execute(gone))

    def _beat(self, db: sa.Connection) -> tuple[int, list[str]]:
        now = time.time()
        seen = {row.id: row.seen for row in db.execute(sa.select(hosts))}
        if self.id in seen:
            db.execute(sa.update(hosts).where(hosts.c.id == self.id).values(seen=now))
        else:
            db.execute(sa.insert(hosts).values(id=self.id, seen=now))
        last = seen.pop(self.id, 0.0)
        silent = [other for other, at in seen.items() if at < now - DEAD]
        # Who was away itself judges nobody: when a store comes back, all have been silent for as long.
        return 1 + len(seen) - len(silent), silent if last >= now - DEAD else []


@asynccontextmanager
async def present(store: Store, data_dir: Path, told: Callable[[int], None]) -> AsyncIterator[Presence]:
    """Be alive in the eyes of the others while the block runs, and tell again and again how many are."""
    with _slot(data_dir) as id_:
        presence = Presence(store, id_)
        await presence.beat()
        told(presence.alive)
        async with on_duty(_beats(presence, told)):
            yield presence


async def _beats(presence: Presence, told: Callable[[int], None]) -> None:
    async def beat() -> None:
        await presence.beat()
        told(presence.alive)

    await asyncio.sleep(BEAT)
    await again(beat, BEAT)


@contextmanager
def _slot(folder: Path) -> Iterator[str]:
    """An ID for this process that is free, and the same again after a restart: the first lock file nobody holds."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number in range(1000):
        path = folder / f"slot-{number}.lock"
        path.touch(mode=0o600)
        with path.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            where = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]
            yield f"{socket.gethostname()}-{where}-{number}"
            return
    raise RuntimeError("More than 1000 hosts share this data folder.")
