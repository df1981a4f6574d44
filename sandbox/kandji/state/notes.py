"""Notes on devices. Some devices have one from the start, written in the web app and therefore HTML."""

from dataclasses import dataclass

from sandbox.clock import Clock
from sandbox.kandji.facts.fleet import Fleet
from sandbox.kandji.facts.ids import Uuids

WRITTEN = 1_790_000_000.0  # when the notes that are there from the start were written
WORDS = ("Spare charger issued", "Screen replaced", "Keyboard is sticky, <b>ask</b> at the desk")


@dataclass
class Note:
    note_id: str
    author: str
    content: str
    created_at: float
    updated_at: float


class Notes:
    """By device index; a device's notes are kept from the first change on."""

    def __init__(self, fleet: Fleet, clock: Clock) -> None:
        self._fleet = fleet
        self._clock = clock
        self._ids = Uuids(fleet.seed, "note")
        self._made = 1 << 32  # ids of notes made later start where those of device indexes end
        self._changed: dict[int, list[Note]] = {}

    def of(self, index: int) -> list[Note]:
        return self._changed[index] if index in self._changed else self._from_the_start(index)

    def find(self, index: int, note_id: str) -> Note | None:
        return next((note for note in self._kept(index) if note.note_id == note_id), None)

    def write(self, index: int, author: str, content: str) -> Note:
        now = self._clock.now()
        note = Note(self._ids.of(self._made), author, content, now, now)
        self._made += 1
        self._kept(index).append(note)
        return note

    def edit(self, note: Note, content: str) -> None:
        note.content, note.updated_at = content, self._clock.now()

    def delete(self, index: int, note: Note) -> None:
        self._kept(index).remove(note)

    def _kept(self, index: int) -> list[Note]:
        return self._changed.setdefault(index, self.of(index))

    def _from_the_start(self, index: int) -> list[Note]:
        dice = self._fleet.dice(index)
        if dice[24] > 20:
            return []
        at = WRITTEN + index % 1_000_000
        text = f"<p>{WORDS[dice[25] % len(WORDS)]}</p>"
        return [Note(self._ids.of(index), "Sandbox Admin", text, at, at)]
