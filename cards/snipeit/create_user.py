"""Create a user, to whom assets can be checked out; one who is not activated cannot log in."""

from cards.snipeit._client import SnipeIT
from cards.snipeit._shapes import ID, ChangedUser
from connector import Boolean, CardInputs, Text, card, field


class Inputs(CardInputs):
    first_name: str = field("First name", max_length=255)
    last_name: Text = field("Last name", max_length=255)
    username: str = field("User name, which nobody else has", max_length=255, target=True)
    password: str = field("Password; how long it must be, a setting of the server says", secret=True, max_length=255)
    email: Text = field("Email address", max_length=150)
    employee_number: Text = field("Employee number", max_length=191, at="employee_num")
    job_title: Text = field("Job title", max_length=191, at="jobtitle")
    department_id: Text = field("ID of the department", pattern=ID)
    location_id: Text = field("ID of the location", pattern=ID)
    activated: Boolean = field("Whether the user may log in; empty for no")


@card("Create User", effect="write", keywords=("add", "people", "employee"))
async def create_user(inputs: Inputs, snipeit: SnipeIT) -> ChangedUser:
    given = {**inputs.given(), "password_confirmation": inputs.password}
    return ChangedUser.of(await snipeit.create("users", given))
