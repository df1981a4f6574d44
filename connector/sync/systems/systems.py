"""The two systems that a mapping names, ready to be used."""

from dataclasses import dataclass
from pathlib import Path

from connector.catalog.find import Catalog
from connector.engine.accounts import Account
from connector.engine.callers import Caller
from connector.engine.connections import NAME
from connector.engine.runner import Runner
from connector.sdk.errors import Fault, InvalidCall
from connector.sdk.systems import AssetSystem, Mdm
from connector.sync.mapping.fitting import FILE
from connector.sync.mapping.mapping import Mapping, System
from connector.sync.systems.cards import ConnectionCards, caller_of
from connector.sync.systems.file import FileAssets

FIRST_FILE = "assets"  # where a mapping names none


@dataclass(frozen=True)
class Both:
    """The two systems of a sync."""

    mdm: Mdm
    assets: AssetSystem


@dataclass(frozen=True)
class Systems:
    """Opens them through the connections there are. Files of the built-in asset system are in `folder`."""

    catalog: Catalog
    runner: Runner
    folder: Path

    def open(self, sync: str, mapping: Mapping) -> Both:
        """Raises InvalidCall where the mapping names a system or a connection that is not there."""
        mdm, assets = self.mdm_account(mapping), self.assets_account(mapping)
        caller = caller_of(sync, *self.names(mapping))
        return Both(self.kind_of(mdm)(self._cards(mdm, caller)), self._assets(mapping.assets, assets, caller))

    def kind_of(self, account: Account) -> type[Mdm]:
        """The MDM that an account is of."""
        kind = self.catalog.connector(account.connector).mdm
        if kind is None:
            raise AssertionError("an account of an MDM")
        return kind

    def are_others(self, mapping: Mapping, other: Mapping) -> bool:
        """Whether two mappings are of different systems, as far as the connections that are there tell."""
        if (mapping.mdm.kind, mapping.assets.kind) != (other.mdm.kind, other.assets.kind):
            return True
        if mapping.assets.kind == FILE and _file(mapping.assets) != _file(other.assets):
            return True
        try:
            return self.names(mapping) != self.names(other)
        except InvalidCall:
            return False  # a connection is gone, and another one takes its place

    def names(self, mapping: Mapping) -> list[str]:
        """The connections of a sync; a file of the built-in asset system counts as one by its name."""
        mdm, assets = self.mdm_account(mapping), self.assets_account(mapping)
        return [mdm.name, assets.name if assets else _file(mapping.assets)]

    def mdm_account(self, mapping: Mapping) -> Account:
        return self._account("mdm", mapping.mdm)

    def assets_account(self, mapping: Mapping) -> Account | None:
        """None for the built-in asset system, whose connection is the name of its file."""
        if mapping.assets.kind == FILE:
            _refuse_path(mapping.assets.connection)
            return None
        return self._account("assets", mapping.assets)

    def _account(self, at: str, system: System) -> Account:
        """The one that is meant; that there are such systems was seen when the mapping was read."""
        there = [each for each in self.runner.connections.all() if each.connector == system.kind]
        named = [each for each in there if each.name == system.connection] if system.connection else there
        if len(named) == 1:
            return named[0]
        names = ", ".join(each.name for each in there) or "none"
        why = f"{at}/connection must name a connection to {system.kind}; there are: {names}."
        raise InvalidCall.of([Fault(f"{at}/connection", why)])

    def _assets(self, system: System, account: Account | None, caller: Caller) -> AssetSystem:
        if account is None:
            return FileAssets(self.folder / f"{_file(system)}.sqlite")
        kind = self.catalog.connector(account.connector).assets
        if kind is None:
            raise AssertionError("an account of an asset system")
        return kind(self._cards(account, caller))

    def _cards(self, account: Account, caller: Caller) -> ConnectionCards:
        return ConnectionCards(self.runner, account.connector, account.name, caller)


def _file(system: System) -> str:
    """The name of a built-in asset system's file."""
    return system.connection or FIRST_FILE


def _refuse_path(name: str | None) -> None:
    """A name, and no way out of the folder."""
    if name is not None and not NAME.fullmatch(name):
        why = "assets/connection must be a-z, 0-9, hyphen and underscore, 64 at most: it names the file."
        raise InvalidCall.of([Fault("assets/connection", why)])
