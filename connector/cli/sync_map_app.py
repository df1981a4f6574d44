"""The commands of `upcard sync map` and their options."""

from pathlib import Path
from typing import Annotated

import typer

mapping = typer.Typer(help="Say what goes where between the two systems.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the sync, as `upcard sync list` shows it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@mapping.command("show")
def show_mapping(name: Name, as_json: AsJson = False) -> None:
    """Print the mapping file."""
    from connector.cli.sync_map import print_mapping

    raise typer.Exit(print_mapping(name, as_json=as_json))


@mapping.command("propose")
def propose(
    name: Name,
    file: Annotated[Path | None, typer.Option("-o", help="Write there; a file that exists is extended.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add a line for everything that is new on either side. Lines that are there stay, and nothing is saved."""
    from connector.cli.sync_map import propose_mapping

    raise typer.Exit(propose_mapping(name, file, as_json=as_json))


@mapping.command("check")
def check(name: Name, as_json: AsJson = False) -> None:
    """Say what is new on either side, of which the saved mapping says nothing; exit 2 if anything is."""
    from connector.cli.sync_map import print_strangers

    raise typer.Exit(print_strangers(name, as_json=as_json))


@mapping.command("save")
def save(
    name: Name, file: Annotated[Path, typer.Argument(metavar="FILE", help="YAML.")], as_json: AsJson = False
) -> None:
    """Save a mapping file, or name everything that is wrong with it, with its line."""
    from connector.cli.sync_map import save_mapping

    raise typer.Exit(save_mapping(name, file, as_json=as_json))
