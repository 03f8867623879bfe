"""`sidb upgrade`."""

import click


@click.command()
@click.argument("revision", default="head")
@click.option("--plan", is_flag=True, help="Show the pending steps with their locks and SQL; change nothing.")
@click.option("--now", is_flag=True, help="Run outside the maintenance window too.")
@click.option("--deadline", metavar="TIME", help="How long a step may try to get its locks (default 10min).")
@click.option("--step-alert", metavar="TIME", help="Alert when a step runs for longer (default 5min).")
@click.option("--on-alert", type=click.Choice(["tell", "stop"]), help="What an alert does (default tell).")
@click.option("--end-idle-after", metavar="TIME", help="End sessions in the way that idle in a transaction for longer.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def upgrade(revision: str, plan: bool, now: bool, as_json: bool, **options: str | None) -> None:
    """Migrate the database to REVISION, by default the newest; safe under live traffic.

    The same as `alembic upgrade head` with these as options: locks are asked
    for without standing in front of the application, every step is observed,
    validated and recorded. The environment can set them for every run:
    SIDB_DEADLINE, SIDB_STEP_ALERT, SIDB_ON_ALERT, SIDB_END_IDLE_AFTER, and
    SIDB_WINDOW ("Sat 22:00-Sun 06:00 Europe/Berlin"), SIDB_ALERT_ADDRESSES
    (Apprise addresses), SIDB_METRICS_FILE (Prometheus text file).

    \b
    Examples:
      sidb upgrade --plan            what would be done
      sidb upgrade                   do it
      sidb upgrade 2.0.3 --deadline 1h --on-alert stop
    """
    from alembic_online.sessions import driver

    from operations import grants, report, upgrade
    from operations.database import address
    from operations.settings import Settings
    from operations.status import amiss

    settings = Settings.from_environment()
    chosen = settings.given({**options, "now": "yes" if now else None})
    url = address(settings)
    (amiss.tell if plan else amiss.refuse)(url)
    console = report.console(stderr=as_json)
    if plan:
        planned = upgrade.plan(url, revision)
        if as_json:
            click.echo(report.to_json(planned))
        else:
            upgrade.show_plan(planned, console)
        return
    with amiss.session(url) as connection:
        late = grants.late(driver(connection))
    done = upgrade.run(url, revision, chosen, console)
    if as_json:
        click.echo(report.to_json(done))
    elif not (done.steps or late):
        console.print("There is nothing to do.")
