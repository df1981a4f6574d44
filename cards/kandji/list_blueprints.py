"""List all Blueprints."""

from cards.kandji._client import PAGE, Kandji
from cards.kandji._shapes import Blueprint
from connector import Cursor, Page, ResultSet, list_card


@list_card("List Blueprints", ResultSet(first=200, into="results"))
async def list_blueprints(page: Cursor, kandji: Kandji) -> Page[Blueprint]:
    return await kandji.follow(Blueprint, "blueprints", after=page, limit=page.size(PAGE))
