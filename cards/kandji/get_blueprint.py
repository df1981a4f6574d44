"""Get a Blueprint by its ID, by its exact name, or by both, which must then belong together."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import ID, STATUS
from connector import Boolean, CardInputs, CardOutputs, List, Number, StatusCode, Text, card, field, record_of


class Inputs(CardInputs, any_of=("blueprint_id", "blueprint_name")):
    blueprint_id: Text = field("ID of the Blueprint", pattern=ID, choices="kandji.list_blueprints:id,name")
    blueprint_name: Text = field("Name of the Blueprint, in full")


class Outputs(CardOutputs):
    status_code: StatusCode = field(STATUS + "; 404 when no Blueprint has this ID and name")
    id: Text = field("ID of the Blueprint")
    name: Text = field("Name of the Blueprint")
    icon: Text = field("Code of its icon")
    color: Text = field("Code of its color")
    description: Text = field("Description")
    parameters: List = field("Its parameters, each with its ID")
    count: Number = field("Number of assigned devices", at="computers_count")
    missing: Number = field("Number of assigned devices that are missing", at="missing_computers_count")
    enrollment_code: Text = field("Code for manual enrollment", at="enrollment_code.code", secret=True)
    enrollment_code_is_active: Boolean = field("Whether that code is active", at="enrollment_code.is_active")
    alerts_count: Text = field("Number of alerts; empty, since Kandji does not tell")


@card("Get Blueprint")
async def get_blueprint(inputs: Inputs, kandji: Kandji) -> Outputs:
    found = await kandji.blueprint(inputs.blueprint_id, inputs.blueprint_name)
    parameters = [{"id": key, **record_of(value)} for key, value in record_of(found.get("params") or {}).items()]
    return Outputs.of(found, status_code=200, parameters=parameters)
