"""Create a Blueprint. Its name, and its enrollment code if one is given, must never have been used before."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import STATUS
from connector import CardInputs, CardOutputs, Object, StatusCode, Text, card, field


class Inputs(CardInputs):
    name: str = field("Name of the Blueprint", max_length=255)
    enrollment_code_is_active: bool = field(
        "Whether devices may be enrolled by hand with the code", at="enrollment_code.is_active"
    )
    enrollment_code: Text = field("Code for manual enrollment; Kandji makes one up if empty", at="enrollment_code.code")
    color: Text = field("Code of the icon's color, such as aqua-800")
    description: Text = field("Description of the Blueprint")
    icon: Text = field("Code of the icon, such as ss-files")


class Outputs(CardOutputs):
    blueprint: Object = field("The Blueprint as Kandji keeps it")
    status_code: StatusCode = field(STATUS)


@card("Create Blueprint", effect="write")
async def create_blueprint(inputs: Inputs, kandji: Kandji) -> Outputs:
    reply = await kandji.post("blueprints", json=inputs.given())
    return Outputs(blueprint=reply.record(), status_code=reply.status)
