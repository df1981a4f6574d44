"""Change what is given of a user, or empty what is named."""

from cards.snipeit._client import SnipeIT
from cards.snipeit._shapes import ID, ChangedUser
from connector import Boolean, CardInputs, List, Text, card, field


class Inputs(
    CardInputs,
    any_of=(
        *("first_name", "last_name", "username", "email", "employee_number"),
        *("job_title", "department_id", "location_id", "activated", "empty"),
    ),
):
    user_id: str = field("Snipe-IT's ID of the user", pattern=ID, target=True)
    first_name: Text = field("First name", max_length=255)
    last_name: Text = field("Last name", max_length=255)
    username: Text = field("User name, which nobody else has", max_length=255)
    email: Text = field("Email address", max_length=150)
    employee_number: Text = field("Employee number", max_length=191, at="employee_num")
    job_title: Text = field("Job title", max_length=191, at="jobtitle")
    department_id: Text = field("ID of the department", pattern=ID)
    location_id: Text = field("ID of the location", pattern=ID)
    activated: Boolean = field("Whether the user may log in")
    empty: List = field("Which of last_name, email, employee_number and job_title to empty")


@card("Update User", effect="write", keywords=("edit", "rename", "people"))
async def update_user(inputs: Inputs, snipeit: SnipeIT) -> ChangedUser:
    return ChangedUser.of(await snipeit.update("users", inputs.user_id, inputs.given(but="user_id")))
