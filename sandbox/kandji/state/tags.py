"""The tags of the tenant, by id."""

from sandbox.kandji.facts.ids import Uuids
from sandbox.kandji.facts.words import TAGS


class Tags:
    """Names are unique; a device keeps ids, so a renamed tag shows on every device at once."""

    def __init__(self, seed: int) -> None:
        self._ids = Uuids(seed, "tag")
        self.names: dict[str, str] = {self._ids.of(number): name for number, name in enumerate(TAGS)}
        self._made = len(TAGS)
        self.revision = 0

    def id_of(self, name: str) -> str | None:
        return next((each for each, known in self.names.items() if known == name), None)

    def create(self, name: str) -> str:
        tag_id = self._ids.of(self._made)
        self._made += 1
        self.rename(tag_id, name)
        return tag_id

    def rename(self, tag_id: str, name: str) -> None:
        self.names[tag_id] = name
        self.revision += 1

    def delete(self, tag_id: str) -> None:
        del self.names[tag_id]
        self.revision += 1
