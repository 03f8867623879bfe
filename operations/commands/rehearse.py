"""`sidb rehearse`."""

import click

from operations.commands import shared_options


@click.command()
@click.option("--niches", type=click.IntRange(min=1), default=20_000, show_default=True, help="Niches of Phase 1.")
@click.option("--events", type=click.IntRange(min=0), default=100_000, show_default=True, help="Events of history.")
@click.option("--rate", type=click.FloatRange(min=2), default=200, show_default=True, help="Statements a second.")
@click.option(
    "--share",
    type=click.IntRange(1, 100),
    metavar="PERCENT",
    help="Part of the time taken from the application.  [default: production's, 5]",
)
@click.option("--shape", type=click.Choice(["table", "matview"]), default="table", help="What hot_niches_today is.")
@click.option("--gate", "gates", multiple=True, metavar="NAME=LIMIT", help="Another limit for a gate; repeatable.")
@click.option("--report", "directory", default="build/rehearsal", show_default=True, help="Where the report goes.")
@shared_options.replicas
@click.option("--keep", is_flag=True, help="Do not drop the embedded database afterwards.")
@click.option("--yes", is_flag=True, help="Do not ask before a database of yours is changed.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON too.")
def rehearse(
    niches: int,
    events: int,
    rate: float,
    share: int | None,
    shape: str,
    gates: tuple[str, ...],
    directory: str,
    replicas: tuple[str, ...],
    keep: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Rehearse the whole rollout on a production-like database, under traffic.

    In the embedded PostgreSQL, with a replica, or in the staging database of
    DATABASE_URL, which is changed. Writes one HTML page that a team can sign,
    and the same as JSON. Exit code 1: a gate failed.

    \b
    Examples:
      sidb rehearse                                     about ten minutes
      sidb rehearse --niches 200000 --events 10000000   the plan's first month
      sidb rehearse --share 50 --gate p99-ratio=10      in a tenth of the time
    """
    from pathlib import Path

    from alembic_online.errors import UsageError

    from operations import output
    from operations.findings import Findings, show
    from operations.phase1 import Shape
    from operations.rehearsal import place
    from operations.rehearsal.context import Parameters
    from operations.rehearsal.gates import limits
    from operations.rehearsal.rehearse import rehearse
    from operations.reporting.page import write
    from operations.settings import BackfillSettings, Settings

    settings = Settings.from_environment()
    console = output.console(stderr=as_json)
    taken = BackfillSettings.from_environment().share if share is None else share / 100
    parameters, kept = Parameters(niches, events, rate, Shape(shape), taken), limits(gates)
    if (url := settings.database_url) is not None:
        place.refuse_production(url)
        if not yes:
            click.confirm(f"Rehearse on {url.database}, and leave it migrated and filled?", abort=True, err=True)
    elif replicas:
        raise UsageError("--replica names replicas of a staging database.", "set DATABASE_URL to that, too.")
    with place.chosen(settings, parameters.shape, replicas, keep=keep) as (there, reading):
        done = rehearse(there, parameters, console.print, kept, replicas=reading)
    page = write(done, Path(directory), "rehearsal")
    console.print()
    show(Findings(done.findings, f"look at {page}"), console)
    if as_json:
        click.echo(output.to_json(done))
    if not done.passed:
        raise SystemExit(1)
