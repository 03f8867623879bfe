"""`sidb restore`."""

from typing import TYPE_CHECKING

import click

from operations.commands import shared_options

if TYPE_CHECKING:
    from rich.console import Console
    from sqlalchemy import URL


@click.command()
@click.argument("archive", type=int, required=False)
@click.option("--skip", is_flag=True, help="Leave rows that conflict in the archive.")
@click.option("--renumber", is_flag=True, help="Give rows whose id is taken the next free one.")
@shared_options.fast
@click.option("--drop", "delete", is_flag=True, help="Delete the archive instead, for good.")
@click.option("--yes", is_flag=True, help="Do not ask before --drop.")
@shared_options.deadline
@shared_options.end_idle_after
@shared_options.replicas
@shared_options.replica_wait
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def restore(
    archive: int | None,
    skip: bool,
    renumber: bool,
    fast: bool,
    delete: bool,
    yes: bool,
    as_json: bool,
    **options: str | tuple[str, ...] | None,
) -> None:
    """Bring back what a rollback put aside, after a later upgrade.

    An empty table is exchanged for the archived one at once; into one with
    rows, the archive's go in batches, and newer ones stay. Where rows conflict,
    nothing changes until an option settles it. Run again after an interrupt.

    \b
    Examples:
      sidb restore            list the archives
      sidb restore 1 --skip   bring one back
      sidb restore --drop 1   delete one
    """
    from dataclasses import replace

    from alembic_online.errors import UsageError

    from operations import findings, output, replicas
    from operations.database import address
    from operations.rollback import archives, stopped
    from operations.rollback import restore as restoring
    from operations.settings import Settings, reading_share

    settings = Settings.from_environment()
    chosen = settings.given(options)
    url = address(settings)
    console = output.console(stderr=as_json)
    if archive is None:
        if delete or skip or renumber:
            raise UsageError("Which archive?", "sidb restore lists them.")
        _list(url, console, as_json)
        return
    if delete:
        if skip or renumber:
            raise UsageError("--drop takes neither --skip nor --renumber.", f"sidb restore --drop {archive}")
        if not yes:
            click.confirm(f"Delete archive {archive} for good?", abort=True, err=as_json)
        archives.drop(url, archive, chosen)
        console.print(f"Archive {archive} is deleted.")
        return
    choice = restoring.Choice(skip, renumber, reading_share(fast))
    with stopped.told(url, f"sidb restore {archive}"):
        found = restoring.restore(url, archive, choice, console, chosen)
    found = replace(found, findings=[*found.findings, *replicas.findings(url, chosen.replicas)])
    output.end(found, as_json, lambda: findings.show(found, console))


def _list(url: "URL", console: "Console", as_json: bool) -> None:
    from operations import output
    from operations.rollback import archives
    from operations.status import amiss

    first = amiss.tell(url)
    listed = archives.archives(url)
    if as_json:
        click.echo(output.to_json(listed))
    else:
        archives.show_archives(listed, console, first)
