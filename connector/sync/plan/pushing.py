"""A plan for a few assets, which tells the MDM what they say; everything else is left to a whole run."""

from dataclasses import replace

from connector.sync.entities import Change
from connector.sync.mapping.mapping import Mapping
from connector.sync.plan.plan import Plan, numbered


def only_about(mapping: Mapping) -> Mapping:
    """The mapping where few records are no sign of half a world; and nothing is created for what was not read."""
    safety = mapping.safety.model_copy(update={"empty_source": "go"})
    create = mapping.create.model_copy(update={"assets": "no", "people": "no"})
    return mapping.model_copy(update={"safety": safety, "create": create})


def pushed(plan: Plan) -> Plan:
    """What of a plan goes to the MDM, with the links to users that it needs."""
    lines = [line for line in plan.lines if line.side == "mdm" or _is_of_user(line)]
    return replace(plan, lines=numbered(lines), counted=(), warnings=(), brakes=(), stopped=None)


def _is_of_user(line: Change) -> bool:
    return line.op == "link" and line.link is not None and line.link.kind == "user"
