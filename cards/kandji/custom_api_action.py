"""Send any request to Kandji's API, for what no other card does. It can do all that the other cards can."""

from typing import Literal

from cards.kandji._client import Kandji
from connector import AnyJson, CardInputs, CardOptions, CardOutputs, Object, StatusCode, card, field


class Options(CardOptions):
    request_type: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = field("HTTP method of the request")


class Inputs(CardInputs):
    relative_url: str = field(
        "What follows /v1 in the address, such as /devices; may end in ?key=value", label="Relative URL"
    )
    query: Object = field("More query parameters; a list repeats its key")
    headers: Object = field("More headers; authorization and content type are set already")
    body: AnyJson = field("Body of a POST, PUT or PATCH request")


class Outputs(CardOutputs):
    status_code: StatusCode = field("HTTP status of Kandji's answer")
    headers: Object = field("Headers of the answer")
    body: AnyJson = field("Body of the answer")


@card("Custom API Action", effect="destroy", by_name=True)
async def custom_api_action(options: Options, inputs: Inputs, kandji: Kandji) -> Outputs:
    reply = await kandji.custom(options.request_type, inputs.relative_url, inputs.query, inputs.headers, inputs.body)
    return Outputs(status_code=reply.status, headers=dict(reply.headers), body=reply.body)
