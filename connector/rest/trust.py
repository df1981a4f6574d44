"""What keeps a fleet safe: the audit, approvals by a second person, and the kill switch."""

from sqlalchemy import RowMapping
from starlette.requests import Request
from starlette.responses import Response

from connector.engine.approvals import ApprovalState, shown
from connector.rest.answers import json_answer, listed
from connector.rest.body import read_body
from connector.rest.hosts import host_of
from connector.sdk.kinds import Integer, Text
from connector.sdk.reading import accept
from connector.sdk.tables import CardInputs, field


class EntriesWanted(CardInputs):
    caller: Text = field("ID of the key", max_length=32)
    card: Text = field("Key of the card", max_length=128)
    connection: Text = field("Name of the connection", max_length=64)
    cursor: Integer = field("Where the page starts: `next` of the page before", ge=1)
    limit: int = field("Most entries of a page", ge=1, le=1000, default=100)


class ApprovalsWanted(CardInputs):
    state: ApprovalState | None = field("State of the approval")


class Decision(CardInputs):
    reason: Text = field("Why", max_length=1000)


class Turn(CardInputs):
    on: bool = field("Whether disruptive cards are stopped")
    reason: Text = field("Why", max_length=1000)


async def list_audit(request: Request) -> Response:
    """Who ran what on which device, allowed or refused, and who changed what; newest first, without secrets.

    Each entry has the hash of the one before in `previous`; `upcard audit verify` checks the chain.
    """
    wanted: EntriesWanted = request.state.query
    return listed(*await host_of(request).audit.entries(**dict(wanted)))


async def list_approvals(request: Request) -> Response:
    """What you asked for, and what you may decide; newest first."""
    return listed(await host_of(request).approvals.all(request.state.caller, request.state.query.state))


async def get_approval(request: Request) -> Response:
    return json_answer(shown(await _approval(request)))


async def approve(request: Request) -> Response:
    """Let the call be made, once, exactly as it was asked for. It needs a key that may make the same call itself.

    Neither the key that asked nor one that it made can approve. The answer goes to who asked: by the run, and by the
    same call with the same Idempotency-Key.
    """
    wanted = accept(Decision, await read_body(request))
    row = await _approval(request)
    await host_of(request).runner.approve(row, request.state.caller, wanted.reason)
    return json_answer(shown(await _approval(request)))


async def refuse(request: Request) -> Response:
    """Do not let the call be made. Who asked may take it back like this."""
    wanted = accept(Decision, await read_body(request))
    row = await _approval(request)
    await host_of(request).approvals.refuse(row, request.state.caller, wanted.reason)
    return json_answer(shown(await _approval(request)))


async def get_kill_switch(request: Request) -> Response:
    await host_of(request).switch.look()
    return json_answer(host_of(request).switch.shown())


async def turn_kill_switch(request: Request) -> Response:
    """Stop all disruptive cards on all hosts at once, or let them through again."""
    wanted = accept(Turn, await read_body(request))
    await host_of(request).switch.put(on=wanted.on, by=request.state.caller.id, reason=wanted.reason)
    return json_answer(host_of(request).switch.shown())


async def _approval(request: Request) -> RowMapping:
    return await host_of(request).approvals.get(request.path_params["approval"], request.state.caller)
