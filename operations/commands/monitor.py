"""`sidb monitor`."""

from pathlib import Path

import click

from operations.commands import shared_options


@click.command()
@click.option(
    "--watch",
    metavar="[SECONDS]",
    type=click.IntRange(min=1),
    is_flag=False,
    flag_value=10,
    help="Look again every so many seconds (default 10).",
)
@click.option(
    "--prometheus",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the figures for the node exporter, too.",
)
@shared_options.replicas
@click.option("--json", "as_json", is_flag=True, help="Print everything that was read, as JSON.")
def monitor(watch: int | None, prometheus: Path | None, replicas: tuple[str, ...], as_json: bool) -> None:
    """Look at the new tables after the migration, and suggest what to do.

    Statements, indexes, sizes and growth beside the plan's forecast, bloat,
    autovacuum, materialized views, replicas, cache hits: a verdict each.
    Changes nothing but its own record of sizes, a sample a day. The role
    should be a member of pg_monitor and analytics_reader.

    \b
    Examples:
      sidb monitor --watch 30
      sidb monitor --prometheus /var/lib/node_exporter/sidb.prom
      sidb monitor --json | jq '.figures[] | select(.statement != "")'
    """
    from alembic_online.errors import UsageError

    from operations import output
    from operations.database import address
    from operations.monitor import look, screen
    from operations.settings import Settings
    from operations.status import amiss
    from operations.watching import watching

    if watch and as_json:
        raise UsageError("--watch shows a screen, --json prints once.", "give one of the two.")
    settings = Settings.from_environment()
    named = settings.given({"replicas": replicas}).replicas
    url = address(settings)
    amiss.tell(url)
    console = output.console(stderr=as_json)
    if watch:
        watching(lambda: screen(look(url, prometheus, thorough=False, replicas=named), console), watch, console)
        return
    with console.status("Looking"):
        seen = look(url, prometheus, replicas=named)
    output.end(seen, as_json, lambda: console.print(screen(seen, console)))
