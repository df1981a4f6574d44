"""Tables that several Assetbots cards share, and the records of its lists as the service sends them."""

from connector import (
    Boolean,
    CardInputs,
    CardOutputs,
    Date,
    Explanation,
    List,
    Object,
    Record,
    StatusCode,
    Text,
    field,
)

ID = r"^[0-9A-Za-z_-]{1,64}$"
STATUS = "HTTP status of Assetbots' answer: 2xx when it took the request, 4xx when it refused"
REFUSED = "Why Assetbots refused"
FIELDS = "Custom fields by their key, such as serialNumber"


class AssetTarget(CardInputs):
    """The asset a card is about."""

    asset_id: str = field("Assetbots' ID of the asset", pattern=ID, target=True)


class AssetDetails(CardOutputs):
    """An asset, and who has it."""

    asset_id: Text = field("Assetbots' ID of the asset", at="id")
    tag: Text = field("Asset tag")
    description: Text = field("Description")
    category_id: Text = field("ID of the category", at="category.id")
    category: Text = field("Name of the category", at="category.value")
    checkout_id: Text = field("ID of the current checkout; empty when it is checked in", at="checkout.id")
    checkout_status: Text = field("Status of the current checkout", at="checkout.value.status")
    checked_out: Date = field("When it was checked out", at="checkout.value.date")
    due: Date = field("When it is due back", at="checkout.value.dueDate")
    person_id: Text = field("ID of the person who has it", at="checkout.value.person.id")
    person_name: Text = field("Name of the person who has it", at="checkout.value.person.value.name")
    person_email: Text = field("Email address of the person who has it", at="checkout.value.person.value.email")
    location_id: Text = field("ID of the location where it is", at="checkout.value.location.id")
    location_name: Text = field("Name of the location where it is", at="checkout.value.location.value.name")
    reservation_id: Text = field("ID of the reservation that holds it", at="reservation.id")
    repair_id: Text = field("ID of the repair that holds it", at="repair.id")
    labels: List = field("Its labels")
    archived: Boolean = field("Whether it is archived")
    deleted: Boolean = field("Whether it is deleted")
    created: Date = field("When it was created", at="createDate")
    updated: Date = field("When it was last changed", at="updateDate")
    fields: Object = field("Its custom fields by their key")


class ChangedAsset(AssetDetails):
    """An asset after a change."""

    status_code: StatusCode = field(STATUS)
    message: Explanation = field(REFUSED)


class PersonTarget(CardInputs):
    """The person a card is about."""

    person_id: str = field("Assetbots' ID of the person", pattern=ID, target=True)


class PersonDetails(CardOutputs):
    """A person."""

    person_id: Text = field("Assetbots' ID of the person", at="id")
    name: Text = field("Name")
    email: Text = field("Email address")
    title: Text = field("Job title")
    archived: Boolean = field("Whether the person is archived")
    deleted: Boolean = field("Whether the person is deleted")
    created: Date = field("When the person was created", at="createDate")
    updated: Date = field("When the person was last changed", at="updateDate")
    fields: Object = field("Custom fields by their key; Assetbots counts email and title among them")


class ChangedPerson(PersonDetails):
    """A person after a change."""

    status_code: StatusCode = field(STATUS)
    message: Explanation = field(REFUSED)


class Asset(Record, identity="id"):
    """An asset in Assetbots' list. Its custom fields stand beside these, bare."""

    id: Text = field("ID of the asset")
    tag: Text = field("Asset tag")
    description: Text = field("Description")
    category: Object = field("Its category: ID, and the name as value")
    checkout: Object = field("The current checkout, with person and location; empty when it is checked in")
    repair: Object = field("The repair that holds it")
    reservation: Object = field("The reservation that holds it")
    labels: List = field("Its labels")
    archived: Boolean = field("Whether it is archived")
    deleted: Boolean = field("Whether it is deleted")
    createDate: Text = field("When it was created", label="Create Date")
    updateDate: Text = field("When it was last changed", label="Update Date")


class Person(Record, identity="id"):
    """A person in Assetbots' list. Custom fields stand beside these, bare."""

    id: Text = field("ID of the person")
    name: Text = field("Name")
    email: Text = field("Email address")
    title: Text = field("Job title")
    labels: List = field("Labels")
    archived: Boolean = field("Whether the person is archived")
    deleted: Boolean = field("Whether the person is deleted")
    createDate: Text = field("When the person was created", label="Create Date")
    updateDate: Text = field("When the person was last changed", label="Update Date")
