"""`sidb server …`."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from operations.embedded import Server

NOT_RUNNING = 3  # as pg_ctl status


@click.group()
def server() -> None:
    """The embedded PostgreSQL that is used when DATABASE_URL is not set.

    \b
    Examples:
      sidb server start      start it and show how to reach it
      sidb server status     see whether it runs (exit code 3: it does not)
      sidb server stop       stop it; its data stay
      sidb server remove     stop it and delete its data
    """


@server.command()
def start() -> None:
    """Start the embedded server, unless it runs already.

    \b
    Example:
      sidb server start
    """
    from alembic_online.database import shown

    from operations.database import EMBEDDED_DATABASE, embedded_address

    embedded = _server()
    click.echo(f"Running: {shown(embedded_address(embedded))}")
    click.echo(embedded.psql_command(EMBEDDED_DATABASE))


@server.command()
def status() -> None:
    """Say whether the embedded server runs; exit code 3 when it does not.

    \b
    Example:
      sidb server status && echo yes
    """
    from operations.database import EMBEDDED_DATABASE

    embedded = _server()
    running = embedded.is_running()
    click.echo(f"{'Running' if running else 'Not running'}; data directory: {embedded.data}")
    if not running:
        raise SystemExit(NOT_RUNNING)
    click.echo(embedded.psql_command(EMBEDDED_DATABASE))


@server.command()
def stop() -> None:
    """Stop the embedded server, ending its sessions. Its data stay.

    \b
    Example:
      sidb server stop
    """
    click.echo("Stopped." if _server().stop() else "It was not running.")


@server.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(yes: bool) -> None:
    """Stop the embedded server and delete all its data.

    \b
    Example:
      sidb server remove --yes
    """
    embedded = _server()
    if not embedded.home.exists():
        click.echo("There is nothing to remove.")
        return
    if not yes:
        click.confirm(f"Delete the embedded database in {embedded.home}?", abort=True)
    embedded.remove()
    click.echo(f"Removed {embedded.home}.")


def _server() -> "Server":
    from operations.embedded import project_server
    from operations.settings import Settings

    return project_server(Settings.from_environment().data_home)
