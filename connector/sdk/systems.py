"""What a connector can be to the asset sync: the MDM, or the asset system. Adapters reach services by their cards.

An adapter stands beside the cards: `cards/kandji/_mdm.py` holds an `Mdm`, `cards/snipeit/_assets.py` an `AssetSystem`.
Every method may raise UpcardError: Refused where the service said 4xx, OutcomeUnknown where nobody knows.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any, ClassVar, Protocol

from connector.sdk.inventory import Asset, Capabilities, Device, Named, Person, User, Value
from connector.sdk.kinds import Json

Values = Mapping[str, Value]


class Cards(Protocol):
    """The cards of one connection, called for the sync: under their policy, caps and audit."""

    async def call(self, card: str, options: Json | None = None, **inputs: Any) -> Json:
        """A card's outputs. Raises Refused where its Status Code is 400 or more."""
        ...

    def records(self, card: str, **inputs: Any) -> AsyncIterator[Json]:
        """All records of a list card, with the service's own keys."""
        ...


class Mdm(ABC):
    """A device management service as one side of a sync."""

    can: ClassVar[Capabilities]
    properties: ClassVar[tuple[Named, ...]]
    """What a mapping may take from it: paths into `Device.fields`, and below `details.` into what `details` gives."""
    actions: ClassVar[Mapping[str, str]] = {}
    """Which card does a quick action: `{"lock": "lock_device"}`."""
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """The cards that each part of a sync calls: `{"read": ("list_devices",), "two_way": ("update_device",)}`."""

    def __init__(self, cards: Cards) -> None:
        self.cards = cards

    @abstractmethod
    async def devices(self, fields: Collection[str] | None = None) -> list[Device]:
        """All devices, also those that were removed; without details. `fields`: the ones to keep, or None for all."""

    @abstractmethod
    async def users(self) -> list[User] | None:
        """The directory; None where the token may not read it."""

    @abstractmethod
    async def device(self, mdm_id: str) -> Device | None:
        """One device as it is now, without details."""

    @abstractmethod
    async def user(self, email: str) -> User | None:
        """The one user with exactly this email, case apart; None where there is none, or none to be seen."""

    @abstractmethod
    async def details(self, mdm_id: str) -> Json:
        """What `details.` of a mapping leads into."""

    @abstractmethod
    async def update(self, mdm_id: str, changes: Values) -> Device:
        """Write properties that are `can.writable`, None to empty one; the device afterwards."""

    @abstractmethod
    async def assign(self, mdm_id: str, user: str | None) -> Device:
        """Give a device to a user, or to nobody; the device afterwards."""

    @abstractmethod
    def page(self, origin: str, mdm_id: str) -> str:
        """Where people look at the device, by the address of the service's API."""


class AssetSystem(ABC):
    """An asset system as the other side of a sync. Columns go by their labels, as people see them."""

    can: ClassVar[Capabilities]
    announces: ClassVar[Mapping[str, str]] = {}
    """Cards that change an asset, and the input with its ID or IDs: `{"check_in_assets": "asset_ids"}`."""

    def __init__(self, cards: Cards) -> None:
        self.cards = cards

    @abstractmethod
    async def columns(self) -> tuple[Named, ...] | None:
        """The columns of an asset, `tag`, `serial`, `category`, `status` among them; None where it cannot be known."""

    @abstractmethod
    async def assets(self) -> list[Asset]:
        """All assets but deleted ones."""

    @abstractmethod
    async def people(self) -> list[Person]:
        """All people but deleted ones."""

    @abstractmethod
    async def asset(self, sys_id: str) -> Asset | None:
        """One asset as it is now."""

    @abstractmethod
    async def person(self, sys_id: str) -> Person | None:
        """One person as they are now."""

    @abstractmethod
    async def find_assets(self, serial: str, *, anew: bool = False) -> list[Asset]:
        """Assets with this serial number; what was read in the last minute will do, unless it is to be read anew."""

    @abstractmethod
    async def find_people(self, email: str | None, name: str | None, *, anew: bool = False) -> list[Person]:
        """People with this email, or where none is given with this name; as `find_assets`."""

    @abstractmethod
    async def create_asset(self, values: Values) -> Asset:
        """A new asset with these columns."""

    @abstractmethod
    async def update_asset(self, sys_id: str, changes: Values) -> Asset:
        """Write columns, None to empty one; the asset afterwards."""

    @abstractmethod
    async def create_person(self, values: Values) -> Person:
        """A new person with these columns, `name` and `email` or what the mapping calls them."""

    @abstractmethod
    async def update_person(self, sys_id: str, changes: Values) -> Person:
        """Write columns of a person; the person afterwards."""

    @abstractmethod
    async def check_out(self, sys_id: str, person: str, note: str) -> Asset:
        """Hand an asset that nobody has to a person; the asset afterwards."""

    @abstractmethod
    async def check_in(self, sys_id: str, note: str) -> Asset:
        """Take an asset back; the asset afterwards."""

    @abstractmethod
    async def note(self, sys_id: str, text: str) -> None:
        """Write a note that people see with the asset; where there are no notes, nothing."""

    async def archive(self, sys_id: str) -> None:
        """Put an asset away, where `can.archive`."""
        raise NotImplementedError

    async def restore(self, sys_id: str) -> None:
        """Bring an archived asset back, where `can.archive`."""
        raise NotImplementedError

    async def create_column(self, label: str) -> None:
        """A new column, where `can.create_fields`."""
        raise NotImplementedError
