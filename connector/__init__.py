"""The words a card is written in. Everything else about Upcard lives in the folders beside this file."""

from connector.sdk.card import card, list_card
from connector.sdk.client import Client, Connection, Limits, record_of, rows_of
from connector.sdk.errors import InvalidCall, OutcomeUnknown, Refused, Unexpected, UpcardError
from connector.sdk.http import Reply
from connector.sdk.inventory import NOBODY, Asset, Assignee, Capabilities, Device, Kind, Named, Person, User
from connector.sdk.kinds import (
    AnyJson,
    Boolean,
    Date,
    Explanation,
    Integer,
    Json,
    List,
    Number,
    Object,
    Origin,
    StatusCode,
    Text,
    is_blank,
)
from connector.sdk.pages import pages
from connector.sdk.results import Cursor, Page, ResultSet
from connector.sdk.systems import AssetSystem, Cards, Mdm, Values
from connector.sdk.tables import CardInputs, CardOptions, CardOutputs, Record, field, group

__all__ = [
    "NOBODY",
    "AnyJson",
    "Asset",
    "AssetSystem",
    "Assignee",
    "Boolean",
    "Capabilities",
    "CardInputs",
    "CardOptions",
    "CardOutputs",
    "Cards",
    "Client",
    "Connection",
    "Cursor",
    "Date",
    "Device",
    "Explanation",
    "Integer",
    "InvalidCall",
    "Json",
    "Kind",
    "Limits",
    "List",
    "Mdm",
    "Named",
    "Number",
    "Object",
    "Origin",
    "OutcomeUnknown",
    "Page",
    "Person",
    "Record",
    "Refused",
    "Reply",
    "ResultSet",
    "StatusCode",
    "Text",
    "Unexpected",
    "UpcardError",
    "User",
    "Values",
    "card",
    "field",
    "group",
    "is_blank",
    "list_card",
    "pages",
    "record_of",
    "rows_of",
]
