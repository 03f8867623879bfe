"""`sidb rehearse`."""

import click


@click.command()
@click.option("--niches", type=click.IntRange(min=1), default=200_000, show_default=True, help="Niches of Phase 1.")
@click.option("--events", type=click.IntRange(min=0), default=2_000_000, show_default=True, help="Events of history.")
@click.option("--rate", type=click.FloatRange(min=2), default=200, show_default=True, help="Statements a second.")
@click.option(
    "--share",
    type=click.IntRange(1, 100),
    default=50,
    show_default=True,
    metavar="PERCENT",
    help="Part of the time that the backfill takes.",
)
@click.option("--shape", type=click.Choice(["table", "matview"]), default="table", help="What hot_niches_today is.")
@click.option("--gate", "gates", multiple=True, metavar="NAME=LIMIT", help="Another limit for a gate; repeatable.")
@click.option("--report", "directory", default="build/rehearsal", show_default=True, help="Where the report goes.")
@click.option("--keep", is_flag=True, help="Do not drop the embedded database afterwards.")
@click.option("--yes", is_flag=True, help="Do not ask before a database of yours is changed.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON too.")
def rehearse(
    niches: int,
    events: int,
    rate: float,
    share: int,
    shape: str,
    gates: tuple[str, ...],
    directory: str,
    keep: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Play the whole rollout on a production-like database, under traffic.

    In the embedded PostgreSQL, or, with DATABASE_URL, in a staging database:
    a restored snapshot is taken as it is, and is changed. Writes one HTML page
    that a team can sign, and the same as JSON. Exit code 1 when a gate fails.

    \b
    Examples:
      sidb rehearse                                   about ten minutes
      sidb rehearse --events 10000000 --shape matview the plan's first month
      sidb rehearse --gate longest-wait=100 --gate p99-ratio=5
    """
    from pathlib import Path

    from operations import report
    from operations.embedded import project_server
    from operations.findings import Findings, show
    from operations.phase1 import Shape
    from operations.rehearsal import place
    from operations.rehearsal.gates import limits
    from operations.rehearsal.page import write
    from operations.rehearsal.run import rehearse
    from operations.rehearsal.stage import Script
    from operations.settings import Settings

    settings = Settings.from_environment()
    console = report.console(stderr=as_json)
    script, kept = Script(niches, events, rate, Shape(shape), share / 100), limits(gates)
    url = settings.database_url
    if url is None:
        with place.embedded(project_server(settings.data_home), script.shape, keep=keep) as own:
            done = rehearse(own, script, console.print, kept)
    else:
        place.refuse_production(url)
        if not yes:
            click.confirm(f"Rehearse on {url.database}, and leave it migrated and filled?", abort=True, err=True)
        done = rehearse(url, script, console.print, kept)
    page = write(done, Path(directory))
    console.print()
    show(Findings(done.findings, f"look at {page}"), console)
    if as_json:
        click.echo(report.to_json(done))
    if not done.passed:
        raise SystemExit(1)
