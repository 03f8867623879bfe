"""`sidb restore`."""

import click


@click.command()
@click.argument("archive", type=int, required=False)
@click.option("--skip", is_flag=True, help="Leave rows that do not fit in the archive.")
@click.option("--renumber", is_flag=True, help="Give rows whose id is taken the next free one.")
@click.option("--drop", "delete", is_flag=True, help="Delete the archive instead, for good.")
@click.option("--yes", is_flag=True, help="Do not ask before --drop.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def restore(archive: int | None, skip: bool, renumber: bool, delete: bool, yes: bool, as_json: bool) -> None:
    """Bring back what a rollback put aside, after a later upgrade.

    Without ARCHIVE, lists all there are. A table that is still empty is
    exchanged for the archived one at once, whatever its size; into one that
    has rows, the archive's go in batches. Values and rows written since stay
    as they are. Rows that do not fit (an id is taken, a niche is gone) are
    named first, and nothing is changed until an option says what to do.
    Interrupted, it goes on where it was when it is run again.

    \b
    Examples:
      sidb restore                   list the archives
      sidb restore 1                 bring one back
      sidb restore 1 --renumber --skip
      sidb restore --drop 1          delete one
    """
    from alembic_online.errors import UsageError

    from operations import findings, report
    from operations.database import address
    from operations.rollback import archives, stopped
    from operations.rollback import restore as restoring
    from operations.settings import Settings
    from operations.status import amiss

    url = address(Settings.from_environment())
    console = report.console(stderr=as_json)
    if archive is None:
        if delete or skip or renumber:
            raise UsageError("Which archive?", "sidb restore lists them.")
        first = amiss.tell(url)
        listed = archives.archives(url)
        if as_json:
            click.echo(report.to_json(listed))
        else:
            archives.show_archives(listed, console, first)
        return
    if delete:
        if skip or renumber:
            raise UsageError("--drop takes neither --skip nor --renumber.", f"sidb restore --drop {archive}")
        if not yes:
            click.confirm(f"Delete archive {archive} for good?", abort=True, err=as_json)
        archives.drop(url, archive)
        console.print(f"Archive {archive} is deleted.")
        return
    with stopped.told(url, f"sidb restore {archive}"):
        found = restoring.restore(url, archive, restoring.Choice(skip, renumber), console)
    if as_json:
        click.echo(report.to_json(found))
    else:
        findings.show(found, console)
    raise SystemExit(found.exit_code)
