"""`sidb history`."""

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print everything that was kept, as JSON.")
def history(as_json: bool) -> None:
    """Show the ledger: every attempt at a migration step, and what it cost whom.

    \b
    Examples:
      sidb history
      sidb history --json | jq '.steps[] | select(.blocked_sessions > 0)'
    """
    from operations import output, upgrade
    from operations.database import address
    from operations.settings import Settings
    from operations.status import amiss

    url = address(Settings.from_environment())
    amiss.tell(url)
    found = upgrade.history(url)
    if as_json:
        click.echo(output.to_json(found))
    else:
        upgrade.show_history(found, output.console())
