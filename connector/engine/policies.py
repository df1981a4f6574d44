"""Policies: what a connection lets through of cards that destroy or disrupt, and how often (DA-1, DA-4, DA-7)."""

import json
import time
from typing import Literal
from urllib.parse import urlsplit

import sqlalchemy as sa

from connector.engine.tables import commands
from connector.sdk.client import Connection
from connector.sdk.deeds import Deed
from connector.sdk.errors import SafetyCap
from connector.sdk.kinds import Integer, Json
from connector.sdk.tables import CardInputs, field

SHORT, DAY = 600.0, 86_400.0  # seconds for which caps count


class Policy(CardInputs):
    """What an admin can set for a connection; a cap that is null does not count."""

    destroy: Literal["off", "on", "confirm", "approve"] = field(
        "Cards that destroy: off; on; confirm: the call repeats the serial number; approve: a second person agrees",
        labels={"off": "Off", "on": "On", "confirm": "Confirm", "approve": "Approve"},
        default="off",
    )
    destroys_per_10_minutes: Integer = field("Most cards that destroy in 10 minutes", ge=0, default=3)
    destroys_per_day: Integer = field("Most cards that destroy in 24 hours", ge=0, default=10)
    destroys_percent_of_fleet: Integer = field("The same as a part of all devices", ge=1, le=100, default=2)
    disruptions_per_10_minutes: Integer = field("Most disruptive cards in 10 minutes", ge=0, default=100)
    disruptions_per_day: Integer = field("Most disruptive cards in 24 hours", ge=0, default=1000)
    hold_seconds: int = field("Time in which a disruptive card can be canceled", ge=0, le=3600, default=0)
    approval_hours: int = field("Time for the second person to agree", ge=1, le=720, default=24)

    @classmethod
    def of(cls, kept: str) -> "Policy":
        return cls.model_validate(json.loads(kept))

    def kept(self) -> str:
        """What differs from the default."""
        return self.model_dump_json(exclude_defaults=True)

    def shown(self) -> Json:
        return self.model_dump()

    def least_fleet(self, destroyed: int) -> int:
        """How many devices there must be for one more to be destroyed today; the first one always may."""
        percent = self.destroys_percent_of_fleet
        if percent is None or destroyed == 0:
            return 0
        return -(-(destroyed + 1) * 100 // percent)


def first_policy(connection: Connection) -> Policy:
    """Of a new connection: nothing is destroyed, unless it leads to a simulator on this machine, without encryption."""
    where = urlsplit(connection.origin())
    simulated = where.scheme == "http" and where.hostname in ("127.0.0.1", "::1", "localhost")
    return Policy(destroy="on") if simulated else Policy()


def destroyed_today(db: sa.Connection, connection: str) -> int:
    """How many cards that destroy were sent in 24 hours."""
    return _sent(db, connection, DAY, destroys=True)


def refuse_over(db: sa.Connection, connection: str, deed: Deed, policy: Policy, fleet_allows: int | None) -> None:
    """Raises SafetyCap where one more disruptive card would be too many.

    fleet_allows: most cards that destroy in 24 hours, by the size of the fleet (None: any number).
    """
    caps = [("disruptive", policy.disruptions_per_10_minutes, SHORT), ("disruptive", policy.disruptions_per_day, DAY)]
    if deed.effect == "destroy":
        caps += [("destructive", policy.destroys_per_10_minutes, SHORT), ("destructive", policy.destroys_per_day, DAY)]
        caps += [("destructive", fleet_allows, DAY)]
    for kind, most, seconds in caps:
        if most is not None and _sent(db, connection, seconds, destroys=kind == "destructive") >= most:
            within = "10 minutes" if seconds == SHORT else "24 hours"
            raise SafetyCap(f"This connection takes {most} {kind} cards in {within}. Nothing was sent.")


def count(db: sa.Connection, run: str, connection: str, deed: Deed) -> None:
    """Count one more disruptive card, in the same transaction, which is alone."""
    row = {"run": run, "connection": connection, "destroys": deed.effect == "destroy", "at": time.time()}
    db.execute(sa.insert(commands).values(row))


def _sent(db: sa.Connection, connection: str, seconds: float, *, destroys: bool) -> int:
    since = (commands.c.connection == connection, commands.c.at > time.time() - seconds)
    wanted = sa.select(sa.func.count()).select_from(commands).where(*since)
    wanted = wanted.where(commands.c.destroys) if destroys else wanted
    return int(db.execute(wanted).scalar_one())
