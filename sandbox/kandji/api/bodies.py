"""Reading what a request brings: JSON or a form, as Django REST framework does, with its words for what is wrong."""

import json
import re
from typing import Any

from starlette.requests import Request

from sandbox.kandji.api.errors import Refused

UUID_FORM = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
REQUIRED = "This field is required."
BLANK = "This field may not be blank."
NULL = "This field may not be null."
NOT_TEXT = "Not a valid string."
NOT_BOOLEAN = "Must be a valid boolean."
NOT_UUID = "Must be a valid UUID."

Fields = dict[str, Any]


async def fields(request: Request) -> Fields:
    """The body as an object; no body at all is an empty one."""
    raw = await request.body()
    if not raw:
        return {}
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type in FORMS:
        return dict(await request.form())
    if media_type not in ("", "application/json"):
        raise Refused(415, {"detail": f'Unsupported media type "{media_type}" in request.'})
    return _parsed(raw)


def text(given: Fields, key: str, problems: dict[str, Any], *, may_be_null: bool = False) -> str | None:
    """A string that may not be blank; what is wrong with it goes to the problems."""
    value = given[key]
    if value is None:
        problems.update({} if may_be_null else {key: [NULL]})
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        problems[key] = [NOT_TEXT]
    elif not str(value).strip():
        problems[key] = [BLANK]
    return str(value)


def boolean(value: Any) -> bool | None:
    """The spellings Django takes for yes and no; nothing for any other."""
    spelled = str(value).lower() if isinstance(value, str | bool | int) else ""
    return True if spelled in ("true", "1", "yes", "on") else False if spelled in ("false", "0", "no", "off") else None


def is_uuid(value: Any) -> bool:
    return isinstance(value, str) and UUID_FORM.fullmatch(value) is not None


def unknown(value: Any) -> str:
    """What is said about a well-formed id of nothing."""
    return f'Invalid pk "{value}" - object does not exist.'


def _parsed(raw: bytes) -> Fields:
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise Refused(400, {"detail": f"JSON parse error - {error}"}) from error
    if not isinstance(body, dict):
        problem = f"Invalid data. Expected a dictionary, but got {type(body).__name__}."
        raise Refused(400, {"non_field_errors": [problem]})
    return body
