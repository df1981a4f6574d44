"""Tables that several Snipe-IT cards share, and the records of its lists as the service sends them."""

from connector import (
    Boolean,
    CardInputs,
    CardOutputs,
    Explanation,
    Integer,
    List,
    Object,
    Record,
    StatusCode,
    Text,
    field,
)

ID = r"^[1-9][0-9]{0,9}$"
DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}:[0-9]{2})?$"
STATUS = "HTTP status of Snipe-IT's answer; 422 or 404 where it refused with status 200"
REFUSED = "Why Snipe-IT refused"
FIELDS = "Custom fields by their column, such as _snipeit_os_version_3, as List Fields has them"
NOTE = "Note in the history of the asset; a setting of the server may require it"
MODELS, LABELS, CATEGORIES = (f"snipeit.list_{kind}:id,name" for kind in ("models", "status_labels", "categories"))


class AssetTarget(CardInputs):
    """The asset a card is about."""

    asset_id: str = field("Snipe-IT's ID of the asset", pattern=ID, target=True)


class AssetChange(CardInputs):
    """What can be said of an asset, new or not."""

    asset_tag: Text = field("Asset tag", max_length=255)
    name: Text = field("Name of the asset", max_length=255)
    serial: Text = field("Serial number", max_length=255)
    notes: Text = field("Notes on the asset")
    location_id: Text = field("ID of the default location", pattern=ID, at="rtd_location_id")
    order_number: Text = field("Number of the order", max_length=191)
    purchase_date: Text = field("Day of the purchase, as 2026-02-03", pattern=DAY)
    fields: Object = field(FIELDS + "; the model's fieldset must have each")


class AssetDetails(CardOutputs):
    """An asset, and who has it. Times are in the time zone of the server."""

    asset_id: Text = field("Snipe-IT's ID of the asset", at="id")
    asset_tag: Text = field("Asset tag")
    name: Text = field("Name of the asset")
    serial: Text = field("Serial number")
    model_id: Text = field("ID of the model", at="model.id")
    model: Text = field("Name of the model", at="model.name")
    model_number: Text = field("Number of the model")
    category_id: Text = field("ID of the category", at="category.id")
    category: Text = field("Name of the category", at="category.name")
    status_id: Text = field("ID of the status label", at="status_label.id")
    status: Text = field("Name of the status label", at="status_label.name")
    status_type: Text = field("Deployable, pending, undeployable or archived", at="status_label.status_type")
    status_meta: Text = field("Deployed when somebody has it, else the type", at="status_label.status_meta")
    assigned_type: Text = field("What has it: user, location or asset; empty when nobody has", at="assigned_to.type")
    assigned_id: Text = field("ID of who or what has it", at="assigned_to.id")
    assigned_name: Text = field("Name of who or what has it", at="assigned_to.name")
    assigned_username: Text = field("User name of who has it", at="assigned_to.username")
    assigned_email: Text = field("Email address of who has it", at="assigned_to.email")
    assigned_employee_number: Text = field("Employee number of who has it", at="assigned_to.employee_number")
    location_id: Text = field("ID of the location where it is", at="location.id")
    location: Text = field("Name of the location where it is", at="location.name")
    notes: Text = field("Notes on the asset")
    order_number: Text = field("Number of the order")
    purchase_date: Text = field("Day of the purchase", at="purchase_date.date")
    can_be_checked_out: Boolean = field("Whether it is free, and its status deployable", at="user_can_checkout")
    last_checkout: Text = field("When it was last checked out", at="last_checkout.datetime")
    expected_checkin: Text = field("Day when it is due back", at="expected_checkin.date")
    created: Text = field("When it was created", at="created_at.datetime")
    updated: Text = field("When it was last changed", at="updated_at.datetime")
    deleted: Text = field("When it was deleted; empty when it is not", at="deleted_at.datetime")
    fields: Object = field("Its custom fields by their column")


class ChangedAsset(CardOutputs):
    """An asset after a change: its row alone, which has no names of others."""

    asset_id: Text = field("Snipe-IT's ID of the asset", at="id")
    asset_tag: Text = field("Asset tag")
    name: Text = field("Name of the asset")
    serial: Text = field("Serial number")
    model_id: Text = field("ID of the model", at="model.id")
    status_id: Text = field("ID of the status label", at="status_label.id")
    notes: Text = field("Notes on the asset")
    fields: Object = field("Its custom fields by their column")
    status_code: StatusCode = field(STATUS)
    message: Explanation = field(REFUSED)


class Moved(CardOutputs):
    """What a card answers that has no more to tell than whether it was done."""

    status_code: StatusCode = field(STATUS)
    message: Explanation = field(REFUSED)


class UserDetails(CardOutputs):
    """A user."""

    user_id: Text = field("Snipe-IT's ID of the user", at="id")
    name: Text = field("First and last name, in the order that a setting says")
    first_name: Text = field("First name")
    last_name: Text = field("Last name")
    username: Text = field("User name")
    email: Text = field("Email address")
    employee_number: Text = field("Employee number", at="employee_num")
    job_title: Text = field("Job title", at="jobtitle")
    department_id: Text = field("ID of the department", at="department.id")
    department: Text = field("Name of the department", at="department.name")
    location_id: Text = field("ID of the location", at="location.id")
    location: Text = field("Name of the location", at="location.name")
    activated: Boolean = field("Whether the user may log in")
    deleted: Text = field("When the user was deleted; empty when not", at="deleted_at.datetime")


class ChangedUser(CardOutputs):
    """A user after a change."""

    user_id: Text = field("Snipe-IT's ID of the user", at="id")
    name: Text = field("First and last name")
    username: Text = field("User name")
    email: Text = field("Email address")
    employee_number: Text = field("Employee number", at="employee_num")
    status_code: StatusCode = field(STATUS)
    message: Explanation = field(REFUSED)


class Asset(Record, identity="id"):
    """An asset in Snipe-IT's list. Times are in the time zone of the server."""

    id: Integer = field("ID of the asset")
    name: Text = field("Name of the asset")
    asset_tag: Text = field("Asset tag")
    serial: Text = field("Serial number")
    model: Object = field("Its model: ID and name")
    model_number: Text = field("Number of the model")
    status_label: Object = field("Its status label: ID, name, status_type, and status_meta: deployed, or the type")
    category: Object = field("The category of its model: ID and name")
    assigned_to: Object = field("Who or what has it, by type; empty when nobody has")
    location: Object = field("Where it is: ID and name")
    notes: Text = field("Notes on the asset")
    order_number: Text = field("Number of the order")
    purchase_date: Object = field("Day of the purchase: date and formatted")
    custom_fields: Object = field("Custom fields by their label: field, the column, and value")
    user_can_checkout: Boolean = field("Whether it is free, and its status deployable")
    created_at: Object = field("When it was created: datetime and formatted")
    updated_at: Object = field("When it was last changed: datetime and formatted")


class User(Record, identity="id"):
    """A user in Snipe-IT's list."""

    id: Integer = field("ID of the user")
    name: Text = field("First and last name")
    first_name: Text = field("First name")
    last_name: Text = field("Last name")
    username: Text = field("User name")
    email: Text = field("Email address")
    employee_num: Text = field("Employee number", label="Employee Number")
    jobtitle: Text = field("Job title", label="Job Title")
    department: Object = field("Department: ID and name")
    location: Object = field("Location: ID and name")
    activated: Boolean = field("Whether the user may log in")
    assets_count: Integer = field("How many assets the user has")


class Model(Record, identity="id"):
    """A model in Snipe-IT's list. Its category is that of all its assets."""

    id: Integer = field("ID of the model")
    name: Text = field("Name of the model")
    model_number: Text = field("Number of the model")
    manufacturer: Object = field("Manufacturer: ID and name")
    category: Object = field("Category: ID and name")
    fieldset: Object = field("Fieldset, which says what custom fields its assets have: ID and name")
    assets_count: Integer = field("How many assets are of this model")


class Category(Record, identity="id"):
    """A category in Snipe-IT's list."""

    id: Integer = field("ID of the category")
    name: Text = field("Name of the category")
    category_type: Text = field("What it is of: asset, accessory, consumable, component or license")
    item_count: Integer = field("How many of these are in it")


class StatusLabel(Record, identity="id"):
    """A status label in Snipe-IT's list."""

    id: Integer = field("ID of the status label")
    name: Text = field("Name of the status label")
    type: Text = field("Deployable, pending, undeployable or archived")
    assets_count: Integer = field("How many assets have it")


class Field(Record, identity="id"):
    """A custom field in Snipe-IT's list."""

    id: Integer = field("ID of the custom field")
    name: Text = field("Its label")
    db_column_name: Text = field("Its column, by which it is written", label="DB Column Name")
    format: Text = field("What it takes, such as ANY, NUMERIC, EMAIL, MAC or regex:…")
    field_values: Text = field("What can be chosen, a line each")
    field_values_array: List = field("What can be chosen")


class Fieldset(Record, identity="id"):
    """A fieldset in Snipe-IT's list: the custom fields that assets of its models have."""

    id: Integer = field("ID of the fieldset")
    name: Text = field("Name of the fieldset")
    fields: Object = field("Its custom fields: total, and rows as in List Fields")
    models: Object = field("The models that have it: total, and rows with ID and name")
