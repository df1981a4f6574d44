"""The words a card is written in. Everything else about Upcard lives in the folders beside this file."""

from connector.sdk.card import card, list_card
from connector.sdk.client import Client, Connection, Limits, record_of, rows_of
from connector.sdk.errors import InvalidCall, OutcomeUnknown, Refused, Unexpected, UpcardError
from connector.sdk.http import Reply
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
)
from connector.sdk.pages import pages
from connector.sdk.results import Cursor, Page, ResultSet
from connector.sdk.tables import CardInputs, CardOptions, CardOutputs, Record, field, group

__all__ = [
    "AnyJson",
    "Boolean",
    "CardInputs",
    "CardOptions",
    "CardOutputs",
    "Client",
    "Connection",
    "Cursor",
    "Date",
    "Explanation",
    "Integer",
    "InvalidCall",
    "Json",
    "Limits",
    "List",
    "Number",
    "Object",
    "Origin",
    "OutcomeUnknown",
    "Page",
    "Record",
    "Refused",
    "Reply",
    "ResultSet",
    "StatusCode",
    "Text",
    "Unexpected",
    "UpcardError",
    "card",
    "field",
    "group",
    "list_card",
    "pages",
    "record_of",
    "rows_of",
]
