"""Every path of the API that the sandbox answers, with its methods."""

from starlette.routing import Route

from sandbox.kandji.api import actions, ade, blueprints, devices, inventory, notes, secrets, settings, tags, users
from sandbox.kandji.api.resource import Handler, Resource

PREFIX = "/api/v1"

TABLE: dict[str, dict[str, Handler]] = {
    "/devices": {"GET": devices.list_devices},
    "/devices/{device_id}": {
        "GET": devices.get_device,
        "PATCH": devices.update_device,
        "DELETE": devices.delete_device,
    },
    "/devices/{device_id}/details": {"GET": devices.get_details},
    "/devices/{device_id}/details/lostmode": {"GET": devices.get_lost_mode, "DELETE": devices.cancel_lost_mode},
    "/devices/{device_id}/apps": {"GET": inventory.apps},
    "/devices/{device_id}/library-items": {"GET": inventory.library_items},
    "/devices/{device_id}/parameters": {"GET": inventory.parameters},
    "/devices/{device_id}/status": {"GET": inventory.status},
    "/devices/{device_id}/commands": {"GET": inventory.commands},
    "/devices/{device_id}/activity": {"GET": inventory.activity},
    "/devices/{device_id}/action/{action}": {"POST": actions.act},
    "/devices/{device_id}/notes": {"GET": notes.list_notes, "POST": notes.create_note},
    "/devices/{device_id}/notes/{note_id}": {
        "GET": notes.get_note,
        "PATCH": notes.edit_note,
        "DELETE": notes.delete_note,
    },
    "/devices/{device_id}/secrets/bypasscode": {"GET": secrets.bypass_code},
    "/devices/{device_id}/secrets/filevaultkey": {"GET": secrets.filevault},
    "/devices/{device_id}/secrets/unlockpin": {"GET": secrets.unlock_pin},
    "/devices/{device_id}/secrets/recoverypassword": {"GET": secrets.recovery},
    "/blueprints": {"GET": blueprints.list_blueprints, "POST": blueprints.create_blueprint},
    "/blueprints/templates": {"GET": blueprints.list_templates},
    "/blueprints/{blueprint_id}": {
        "GET": blueprints.get_blueprint,
        "PATCH": blueprints.update_blueprint,
        "DELETE": blueprints.delete_blueprint,
    },
    "/blueprints/{blueprint_id}/list-library-items": {"GET": blueprints.library_items},
    "/integrations/apple/ade": {"GET": ade.list_integrations},
    "/integrations/apple/ade/devices": {"GET": ade.all_devices},
    "/integrations/apple/ade/devices/{ade_device_id}": {"GET": ade.get_ade_device, "PATCH": ade.update_ade_device},
    "/integrations/apple/ade/public_key": {"GET": ade.public_key},
    "/integrations/apple/ade/{ade_token_id}": {"GET": ade.get_integration},
    "/integrations/apple/ade/{ade_token_id}/devices": {"GET": ade.integration_devices},
    "/users": {"GET": users.list_users},
    "/users/{user_id}": {"GET": users.get_user, "DELETE": users.delete_user},
    "/tags": {"GET": tags.list_tags, "POST": tags.create_tag},
    "/tags/{tag_id}": {"PATCH": tags.rename_tag, "DELETE": tags.delete_tag},
    "/settings/licensing": {"GET": settings.licensing},
}

ROUTES = [Route(PREFIX + path, Resource(path, methods)) for path, methods in TABLE.items()]
