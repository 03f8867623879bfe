"""`sidb maintain`."""

import click


@click.command()
@click.option("--batch", type=click.IntRange(min=1), default=10_000, show_default=True, help="Rows to delete at once.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def maintain(batch: int, as_json: bool) -> None:
    """Fold activity, refresh stale views, delete expired cache entries.

    Made for cron: safe at any time, any number of times, also on a standby or
    on a database that is migrated in part. What another session holds is left
    for the next run. The role must be a member of analytics_writer.

    \b
    Examples:
      sidb maintain
      sidb maintain --json | jq '.tasks[] | select(.outcome == "left")'
    """
    from operations import report
    from operations.database import address
    from operations.maintenance import run, show
    from operations.settings import Settings
    from operations.status import amiss

    url = address(Settings.from_environment())
    amiss.refuse(url)
    console = report.console(stderr=as_json)
    with console.status("Maintaining"):
        result = run(url, batch)
    if as_json:
        click.echo(report.to_json(result))
    else:
        show(result, console)
