"""The commands of `upcard sync` and their options. What they do is imported when they are called, as in app.py."""

from pathlib import Path
from typing import Annotated

import typer

from connector.cli.sync_map_app import AsJson, Name, mapping

sync = typer.Typer(help="Keep an MDM and an asset system the same: plan, look, apply.", no_args_is_help=True)
sync.add_typer(mapping, name="map")


def not_blank(run: str | None) -> str | None:
    """A usage error for a variable of a script that was empty: it is no word for whatever there is."""
    if run is not None and not run.strip():
        raise typer.BadParameter("It is blank: name a run, or leave it out.")
    return run


Run = Annotated[str, typer.Argument(metavar="RUN", help="As `upcard sync history` shows it.")]
Asset = Annotated[str, typer.Argument(metavar="ASSET", help="Its ID in the asset system, or its serial number.")]
Link = Annotated[str, typer.Argument(metavar="ASSET", help="Its serial number or ID; or a link: device/ID or user/ID.")]
Column = Annotated[str, typer.Argument(metavar="FIELD", help="Column of the asset system, or assignee.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask first.")]
Forced = Annotated[bool, typer.Option("--force-limits", help="Carry out more than the limits of the mapping.")]


@sync.command("list")
def list_syncs(as_json: AsJson = False) -> None:
    """List the syncs: whether they run by themselves, and how the last run ended."""
    from connector.cli.sync import print_syncs

    raise typer.Exit(print_syncs(as_json=as_json))


@sync.command("create")
def create(
    name: Name,
    mdm: Annotated[str, typer.Option(help="Connection to the MDM.")] = "",
    assets: Annotated[str, typer.Option(help="Connection to the asset system; `file` is the built-in one.")] = "",
    mapping: Annotated[Path | None, typer.Option(help="Mapping file; proposed for the two if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a sync, which does nothing by itself until it is enabled."""
    from connector.cli.sync import create_sync

    raise typer.Exit(create_sync(name, mdm, assets, mapping, as_json=as_json))


@sync.command("show")
def show(name: Name, as_json: AsJson = False) -> None:
    """Show where a sync stands."""
    from connector.cli.sync import print_sync

    raise typer.Exit(print_sync(name, as_json=as_json))


@sync.command("check")
def check(name: Name, as_json: AsJson = False) -> None:
    """Reach both systems, and say which cards the MDM's token permits: to read, to write back, to act."""
    from connector.cli.sync import check_sync

    raise typer.Exit(check_sync(name, as_json=as_json))


@sync.command("enable")
def enable(name: Name, as_json: AsJson = False) -> None:
    """Let a sync run by itself: at once, and then by its schedule."""
    from connector.cli.sync import turn_sync

    raise typer.Exit(turn_sync(name, on=True, as_json=as_json))


@sync.command("disable")
def disable(name: Name, as_json: AsJson = False) -> None:
    """Do not let a sync run by itself any more."""
    from connector.cli.sync import turn_sync

    raise typer.Exit(turn_sync(name, on=False, as_json=as_json))


@sync.command("delete")
def delete(name: Name, yes: Yes = False) -> None:
    """Forget a sync with all that it remembers. Both systems stay as they are."""
    from connector.cli.sync import delete_sync

    raise typer.Exit(delete_sync(name, yes=yes))


@sync.command("plan")
def plan(name: Name, as_json: AsJson = False) -> None:
    """Print what would be done; exit 0 for nothing, 2 for changes, 3 for something held, 1 or 6 if there is no plan."""
    from connector.cli.sync_runs import print_plan

    raise typer.Exit(print_plan(name, as_json=as_json))


@sync.command("apply")
def apply(
    name: Name,
    run: Annotated[
        str | None,
        typer.Argument(metavar="RUN", help="A plan that was printed; else one is made.", callback=not_blank),
    ] = None,
    forced: Forced = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Plan, print, ask, and carry out exactly that plan; exit 1 if a line failed, 3 if a limit stopped all of it."""
    from connector.cli.sync_runs import apply_plan

    raise typer.Exit(apply_plan(name, run, forced=forced, yes=yes, as_json=as_json))


@sync.command("undo")
def undo(name: Name, run: Run, yes: Yes = False, as_json: AsJson = False) -> None:
    """Print what takes a run back, ask, and carry it out."""
    from connector.cli.sync_runs import undo_run

    raise typer.Exit(undo_run(name, run, yes=yes, as_json=as_json))


@sync.command("cancel")
def cancel(
    name: Name,
    run: Annotated[
        str | None, typer.Argument(metavar="RUN", help="Else the one that is at work.", callback=not_blank)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """End a run where it is. What is done stays."""
    from connector.cli.sync_runs import cancel_run

    raise typer.Exit(cancel_run(name, run, as_json=as_json))


@sync.command("history")
def history(
    name: Name,
    run: Annotated[str, typer.Argument(metavar="RUN", help="What became of each line of it.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the runs of a sync, newest first, or the lines of one."""
    from connector.cli.sync_history import print_changes, print_runs

    code = print_changes(name, run, as_json=as_json) if run else print_runs(name, as_json=as_json)
    raise typer.Exit(code)


@sync.command("holds")
def holds(name: Name, as_json: AsJson = False) -> None:
    """List what the last run did not decide, and what would help."""
    from connector.cli.sync_history import print_holds

    raise typer.Exit(print_holds(name, as_json=as_json))


@sync.command("locks")
def locks(name: Name, as_json: AsJson = False) -> None:
    """List the fields that are reported and never written."""
    from connector.cli.sync_history import print_locks

    raise typer.Exit(print_locks(name, as_json=as_json))


@sync.command("lock")
def lock(
    name: Name, link: Link, field: Column, reason: Annotated[str, typer.Option(help="Why; it is in the list.")]
) -> None:
    """Report a field of a linked asset, and never write it."""
    from connector.cli.sync_history import lock_field

    raise typer.Exit(lock_field(name, link, field, reason))


@sync.command("unlock")
def unlock(name: Name, link: Link, field: Column) -> None:
    """Write a field again."""
    from connector.cli.sync_history import unlock_field

    raise typer.Exit(unlock_field(name, link, field))


@sync.command("unlink")
def unlink(name: Name, link: Link) -> None:
    """Remove a link; both records stay as they are."""
    from connector.cli.sync_history import remove_link

    raise typer.Exit(remove_link(name, link))


@sync.command("outbox")
def outbox(name: Name, as_json: AsJson = False) -> None:
    """List what the MDM is still to be told."""
    from connector.cli.sync_history import print_outbox

    raise typer.Exit(print_outbox(name, as_json=as_json))


@sync.command("checkout")
def check_out(
    name: Name,
    asset: Asset,
    person: Annotated[str, typer.Argument(metavar="PERSON", help="Email, or ID in the asset system.")],
    as_json: AsJson = False,
) -> None:
    """Check an asset out to a person, and tell the MDM at once."""
    from connector.cli.sync_assets import change_asset

    raise typer.Exit(change_asset(name, asset, "check_out", {"person": person}, as_json=as_json))


@sync.command("checkin")
def check_in(name: Name, asset: Asset, as_json: AsJson = False) -> None:
    """Check an asset in, and tell the MDM at once."""
    from connector.cli.sync_assets import change_asset

    raise typer.Exit(change_asset(name, asset, "check_in", {}, as_json=as_json))


@sync.command("action")
def action(
    name: Name,
    asset: Asset,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="blankpush, lock, restart or shutdown.")],
    confirm: Annotated[str, typer.Option(help="Serial number of the device; asked for if left out.")] = "",
    yes: Yes = False,
    reason: Annotated[str, typer.Option(help="Why, for the audit and whoever has to approve it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Send a command to the device of an asset. What a lock answers, such as a PIN, is printed this once."""
    from connector.cli.sync_assets import act

    raise typer.Exit(act(name, asset, action, confirm=confirm, reason=reason, yes=yes, as_json=as_json))


@sync.command("open")
def open_device(name: Name, asset: Asset, as_json: AsJson = False) -> None:
    """Print the address of an asset's device in the MDM."""
    from connector.cli.sync_assets import print_page

    raise typer.Exit(print_page(name, asset, as_json=as_json))
