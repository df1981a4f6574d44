"""Assets and people as the sync has them, from what the cards answer and back."""

from cards.assetbots._fields import SERIAL
from connector import NOBODY, Asset, Assignee, InvalidCall, Json, Person, Values, is_blank


def asset_of(found: Json) -> Asset:
    """An asset by the outputs of a card."""
    fields = dict(found["fields"] or {})
    serial = fields.pop(SERIAL, None)
    place = Assignee("location", found["location_id"]) if found["location_id"] else NOBODY
    return Asset(
        sys_id=found["asset_id"],
        tag=found["tag"],
        serial=None if is_blank(serial) else str(serial),
        category=found["category"],
        status=found["checkout_status"],
        fields={"description": found["description"], **fields},
        assignee=Assignee("person", found["person_id"]) if found["person_id"] else place,
        archived=found["archived"] is True,
    )


def person_of(found: Json) -> Person:
    fields = {key: value for key, value in (found["fields"] or {}).items() if key != "email"}
    return Person(found["person_id"], found["name"], found["email"], fields, found["archived"] is True)


def person_inputs(values: Values, *, new: bool = False) -> Json:
    """Columns of a person as the inputs of a card; what is to be empty is a custom field to Assetbots."""
    if is_blank(values.get("name")):
        raise InvalidCall("A person needs a name in Assetbots.")
    given = {key: None if is_blank(value) else value for key, value in values.items()}
    own = {key: given.pop(key) for key in ("name", "email", "title") if given.get(key) is not None}
    fields = {key: value for key, value in given.items() if not (new and value is None)}
    return {**own, "fields": fields} if fields else own


def plain(text: str | None) -> str:
    """As it is compared: case and blanks do not count."""
    return " ".join((text or "").split()).casefold()
