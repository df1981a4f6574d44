"""The commands and their options. What they do is imported when they are called, so that `--help` is quick."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from connector.cli.sync_app import sync

ADDRESS = "UPCARD_HOST and UPCARD_PORT, or host and port in upcard.toml; 127.0.0.1:8700 if unset"

app = typer.Typer(
    help=f"Cards for workflow automation. The host's address: {ADDRESS}.", no_args_is_help=True, add_completion=False
)
cards = typer.Typer(help="Look at the cards there are.", no_args_is_help=True)
keys = typer.Typer(help="Say who may call, with the key in UPCARD_DATA_DIR.", no_args_is_help=True)
new = typer.Typer(help="Start something new.", no_args_is_help=True)
audit = typer.Typer(help="Check the audit.", no_args_is_help=True)
secrets = typer.Typer(help="Look after the keys that seal secrets.", no_args_is_help=True)
approvals = typer.Typer(help="Decide what waits for a second person.", no_args_is_help=True)
app.add_typer(approvals, name="approvals")
app.add_typer(cards, name="cards")
app.add_typer(audit, name="audit")
app.add_typer(keys, name="keys")
app.add_typer(new, name="new")
app.add_typer(secrets, name="secrets")
app.add_typer(sync, name="sync")

Key = Annotated[str, typer.Argument(metavar="KEY", help="Connector and card, such as kandji.lock_device.")]
Approval = Annotated[str, typer.Argument(metavar="ID", help="As `upcard approvals list` shows it.")]
Reason = Annotated[str, typer.Option(help="Why; it is in the audit.")]
Position = Literal["on", "off"]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def up(
    once: Annotated[bool, typer.Option("--once", help="Run the demonstration, print its figures and stop.")] = False,
    devices: Annotated[int, typer.Option(help="Devices of the simulated tenant.", min=1, max=1_000_000)] = 640,
    port: Annotated[
        int | None,
        typer.Option(help="Port of the host, else UPCARD_PORT; the simulated systems take the next two.", max=65_533),
    ] = None,
) -> None:
    """Run the host with a simulated Kandji tenant and Assetbots workspace beside it, ready to call."""
    from connector.cli.up import run_up

    raise typer.Exit(run_up(port, devices, once=once))


@app.command()
def serve() -> None:
    """Run the host alone, with the settings of the environment and upcard.toml."""
    from connector.cli.serve import run_host

    run_host()


@cards.command("list")
def list_cards(
    words: Annotated[str, typer.Argument(help="Words to look for.")] = "",
    connector: Annotated[str, typer.Option(help="Only this connector's cards.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the cards, or those that speak of some words."""
    from connector.cli.show import print_cards

    print_cards(words, connector, as_json=as_json)


@cards.command("show")
def show_card(key: Key, as_json: AsJson = False) -> None:
    """Show a card's options, inputs and outputs, and how to call it."""
    from connector.cli.show import print_card

    print_card(key, as_json=as_json)


@app.command()
def run(
    key: Key,
    values: Annotated[list[str] | None, typer.Argument(metavar="NAME=VALUE", help="Options and inputs.")] = None,
    connection: Annotated[str, typer.Option(help="Name of the connection, where there are several.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and show what would be sent.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before a card that destroys something.")] = False,
    confirm: Annotated[str, typer.Option(help="Serial number of the device, where the policy asks for it.")] = "",
    reason: Annotated[str, typer.Option(help="Why, for the second person who has to approve it.")] = "",
    once: Annotated[str, typer.Option(metavar="KEY", help="Idempotency-Key: the call is carried out once.")] = "",
) -> None:
    """Run a card on the host at UPCARD_HOST and UPCARD_PORT, with the key in UPCARD_DATA_DIR."""
    from connector.cli.run import run_card

    more = {"connection": connection, "confirm": confirm, "reason": reason}
    said = {name: value for name, value in more.items() if value}
    raise typer.Exit(run_card(key, values or [], {**said, "dry_run": dry_run}, once=once, yes=yes))


@keys.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List the keys: what they allow, when they end, when they were used last."""
    from connector.cli.keys import print_keys

    raise typer.Exit(print_keys(as_json=as_json))


@keys.command("create")
def create_key(
    label: Annotated[str, typer.Argument(help="What the key is for.")],
    scopes: Annotated[list[str] | None, typer.Option("--scope", help="What it allows, such as cards:read.")] = None,
    cards: Annotated[list[str] | None, typer.Option("--card", help="Only for this card, or kandji.*.")] = None,
    connections: Annotated[list[str] | None, typer.Option("--connection", help="Only for this connection.")] = None,
    expires: Annotated[str | None, typer.Option(help="When it ends, such as 2027-01-01T00:00:00Z.")] = None,
    as_json: AsJson = False,
) -> None:
    """Create a key and print it, this once. --scope, --card and --connection may be given several times."""
    from connector.cli.keys import create_key as create

    narrowed = {"cards": cards or None, "connections": connections or None, "expires": expires}
    raise typer.Exit(create({"label": label, "scopes": scopes or [], **narrowed}, as_json=as_json))


@keys.command("revoke")
def revoke_key(
    id_: Annotated[str, typer.Argument(metavar="ID", help="As `upcard keys list` shows it.")],
    cancel_runs: Annotated[
        bool, typer.Option("--cancel-runs", help="Also cancel the streams that it started.")
    ] = False,
) -> None:
    """Take a key back; it calls nothing any more within a second."""
    from connector.cli.keys import revoke_key as revoke

    raise typer.Exit(revoke(id_, cancel_runs=cancel_runs))


@new.command("card")
def new_card(
    key: Key,
    list_of_records: Annotated[bool, typer.Option("--list", help="A card that lists records.")] = False,
) -> None:
    """Write a new card and its first case, ready to be filled in."""
    from connector.catalog.scaffold import scaffold
    from connector.sdk.card import BadCard

    try:
        written = scaffold(Path.cwd(), key, list_of_records=list_of_records)
    except BadCard as error:
        raise typer.BadParameter(str(error)) from error
    for path in written:
        typer.echo(f"wrote {path}")


@approvals.command("list")
def list_approvals(
    state: Annotated[str, typer.Option(help="waiting, approved, refused or expired.")] = "waiting",
    as_json: AsJson = False,
) -> None:
    """List what you asked for, and what you may decide."""
    from connector.cli.approvals import print_approvals

    raise typer.Exit(print_approvals(state, as_json=as_json))


@approvals.command("approve")
def approve(id_: Approval, reason: Reason = "") -> None:
    """Let a call be made, as a second person."""
    from connector.cli.approvals import decide

    raise typer.Exit(decide(id_, "approve", reason))


@approvals.command("refuse")
def refuse(id_: Approval, reason: Reason = "") -> None:
    """Do not let a call be made, or take your own back."""
    from connector.cli.approvals import decide

    raise typer.Exit(decide(id_, "refuse", reason))


@app.command("kill-switch")
def kill_switch(
    position: Annotated[Position | None, typer.Argument(help="on or off; where it is, if left out.")] = None,
    reason: Reason = "",
) -> None:
    """Stop every disruptive card on all hosts, or let them through again."""
    from connector.cli.approvals import turn

    raise typer.Exit(turn(position and position == "on", reason))


@audit.command("verify")
def verify_audit(
    head: Annotated[str, typer.Option(metavar="SEQ:HASH", help="A head that the log named, to check against.")] = "",
) -> None:
    """Check the chain of the audit: an edit, a removal, an insertion, a reordering or a cut shows."""
    from connector.cli.audit import verify

    raise typer.Exit(verify(head))


@secrets.command("rotate")
def rotate_secrets() -> None:
    """Seal everything with the first key, while hosts are at work; exits with 0 when nothing is left to do."""
    from connector.cli.secrets import rotate_secrets as rotate

    raise typer.Exit(rotate())


@secrets.command("status")
def show_secrets() -> None:
    """Show how many values each key seals: one that seals none can be dropped."""
    from connector.cli.secrets import print_status

    print_status()


@app.command()
def publish(
    check: Annotated[bool, typer.Option("--check", help="Only say what is stale; exit 1 if anything is.")] = False,
) -> None:
    """Write schemas/, openapi.json and the README's table of cards."""
    from connector.catalog.publish import publish as write
    from connector.catalog.publish import stale_files
    from connector.rest.openapi import openapi
    from connector.sync.mapping.mapping import published

    found = (stale_files if check else write)(Path.cwd(), openapi(), published())
    for path in found:
        typer.echo(f"{'stale' if check else 'wrote' if Path(path).exists() else 'removed'} {path}")
    raise typer.Exit(1 if check and found else 0)
