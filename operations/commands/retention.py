"""`sidb retention`."""

import click


@click.command()
@click.option(
    "--keep", metavar="TABLE=PERIOD", multiple=True, help="Keep rows for so long, then let them go; repeatable."
)
@click.option("--off", metavar="TABLE", multiple=True, help="Keep the rows of a table for ever; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def retention(keep: tuple[str, ...], off: tuple[str, ...], as_json: bool) -> None:
    """How long rows are kept; without an option, how it stands.

    No row goes before this says so, table by table; until then it names the
    contract's periods. Then sidb maintain lets go of what is older, by whole
    calendar months (UTC): of 24 months, rows stay for 24 and go before they
    are 25.

    What has gone does not come back: look at it first, by
    sidb maintain --dry-run, and see sidb maintain --archive.

    \b
    Examples:
      sidb retention
      sidb retention --keep 'analytics_events=24 months'
      sidb retention --off analytics_events
    """
    from alembic_online.database import engine, shown
    from alembic_online.sessions import driver
    from sqlalchemy import NullPool

    from operations import output
    from operations.database import address
    from operations.retention import due, tables
    from operations.settings import Settings
    from operations.status import amiss
    from operations.upgrade import said

    wanted = tables.wanted(keep, off)
    url = address(Settings.from_environment())
    console = output.console(stderr=as_json)
    (amiss.refuse if wanted else amiss.tell)(url)
    with (
        said(console),
        engine(url, poolclass=NullPool, changing=bool(wanted), isolation_level="AUTOCOMMIT").connect() as opened,
    ):
        connection = driver(opened)
        if wanted:
            tables.keep(connection, wanted)
        with connection.transaction():
            found = due.due(connection)
    if as_json:
        click.echo(output.to_json(due.Standing(shown(url), found)))
        return
    for each in found:
        console.print(f"{each.table}: {each}", soft_wrap=True, markup=False, highlight=False)
