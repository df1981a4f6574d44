"""Notes on a device."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.kandji.api import pages
from sandbox.kandji.api.bodies import REQUIRED, fields, text
from sandbox.kandji.api.errors import answer, invalid, not_found
from sandbox.kandji.api.resource import device_index
from sandbox.kandji.clock import iso
from sandbox.kandji.state.notes import Note
from sandbox.kandji.state.tenant import Tenant


async def list_notes(tenant: Tenant, request: Request) -> Response:
    notes = [_shown(note) for note in tenant.notes.of(device_index(tenant, request))]
    return answer(notes, headers=pages.whole(request, len(notes)))


async def create_note(tenant: Tenant, request: Request) -> Response:
    index = device_index(tenant, request)
    return answer(_shown(tenant.notes.write(index, request.state.by, await _content(request))), 201)


async def get_note(tenant: Tenant, request: Request) -> Response:
    return answer(_shown(_note(tenant, request)))


async def edit_note(tenant: Tenant, request: Request) -> Response:
    note = _note(tenant, request)
    tenant.notes.edit(note, await _content(request))
    return answer(_shown(note))


async def delete_note(tenant: Tenant, request: Request) -> Response:
    note = _note(tenant, request)
    tenant.notes.delete(device_index(tenant, request), note)
    return answer({"note_id": note.note_id, "deleted_at": iso(tenant.clock.now())})


def _note(tenant: Tenant, request: Request) -> Note:
    note = tenant.notes.find(device_index(tenant, request), request.path_params["note_id"])
    if note is None:
        raise not_found()
    return note


async def _content(request: Request) -> str:
    given = await fields(request)
    problems: dict[str, Any] = {} if "content" in given else {"content": [REQUIRED]}
    content = None if problems else text(given, "content", problems)
    if problems or content is None:
        raise invalid(problems)
    return content


def _shown(note: Note) -> dict[str, str]:
    return {
        "note_id": note.note_id,
        "created_at": iso(note.created_at),
        "updated_at": iso(note.updated_at),
        "author": note.author,
        "content": note.content,
    }
