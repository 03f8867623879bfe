"""`sidb maintain`."""

from pathlib import Path

import click

from operations.commands import shared_options


@click.command()
@shared_options.replicas
@shared_options.replica_wait
@click.option(
    "--archive",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, writable=True, path_type=Path),
    help="Export rows whose time is over before they go.",
)
@click.option("--move-all", is_flag=True, help="Make months even where writers wait long for it.")
@click.option("--dry-run", is_flag=True, help="Only say which rows would go.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def maintain(
    archive: Path | None, move_all: bool, dry_run: bool, as_json: bool, **options: str | tuple[str, ...] | None
) -> None:
    """Fold activity, refresh stale views, expire cache entries, make months.

    Made for cron: safe at any time, any number of times, also on a standby or
    on a database that is migrated in part. What another session holds is left
    for the next run. The role must be a member of analytics_writer, and for
    the months of events that come, and for rows that go, of their owner.

    Rows whose time is over go where sidb retention says so. With --archive,
    they are in a CSV file first, without user_id, counted and hashed.

    \b
    Examples:
      sidb maintain
      sidb maintain --dry-run
      sidb maintain --archive /srv/expired
      sidb maintain --json | jq '.tasks[] | select(.outcome == "postponed")'
    """
    from operations import output
    from operations.database import address
    from operations.maintenance import plan, run, show
    from operations.settings import Settings
    from operations.status import amiss
    from operations.upgrade import said

    settings = Settings.from_environment()
    chosen = settings.given(options)
    url = address(settings)
    (amiss.tell if dry_run else amiss.refuse)(url)
    console = output.console(stderr=as_json)
    with said(console), console.status("Maintaining"):
        result = plan(url) if dry_run else run(url, chosen, archive.absolute() if archive else None, move_all=move_all)
    output.end(result, as_json, lambda: show(result, console))
