"""`sidb upgrade`."""

import click

from operations.commands import shared_options


@click.command()
@click.argument("revision", default="head")
@click.option("--plan", is_flag=True, help="Show the pending steps, their locks and SQL.")
@click.option("--now", is_flag=True, help="Run outside the maintenance window too.")
@shared_options.deadline
@click.option("--step-alert", metavar="TIME", help="Alert when a step runs for longer (default 5min).")
@click.option("--on-alert", type=click.Choice(["tell", "stop"]), help="What an alert does (default tell).")
@shared_options.end_idle_after
@shared_options.replicas
@shared_options.replica_wait
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def upgrade(revision: str, plan: bool, now: bool, as_json: bool, **options: str | tuple[str, ...] | None) -> None:
    """Migrate the database to REVISION, by default the newest, under live traffic.

    Locks are acquired without queueing in front of the application; each step
    is observed, validated and recorded; replicas that are named are waited
    for. `alembic upgrade` does the same: docs/commands.md lists the options
    that both have, and their variables. Exit code 3: a replica went away, 1:
    one was promoted, or is too far behind.

    \b
    Examples:
      sidb upgrade --plan            what would be done
      sidb upgrade                   do it
      sidb upgrade 2.0.3 --deadline 1h --on-alert stop
    """
    from alembic_online.sessions import driver

    from operations import findings, grants, output, upgrade
    from operations.database import address
    from operations.settings import Settings
    from operations.status import amiss

    settings = Settings.from_environment()
    chosen = settings.given({**options, "now": "yes" if now else None})
    url = address(settings)
    (amiss.tell if plan else amiss.refuse)(url, "upgrade")
    console = output.console(stderr=as_json)
    if plan:
        planned = upgrade.plan(url, revision)
        if as_json:
            click.echo(output.to_json(planned))
        else:
            upgrade.show_plan(planned, console)
        return
    with amiss.session(url) as connection:
        late = grants.late(driver(connection))
    done = upgrade.run(url, revision, chosen, console)
    if as_json:
        click.echo(output.to_json(done))
    else:
        if done.steps:
            console.print(f"The database is at {done.steps[-1].revision}, and applications can use it.")
        elif not late:
            console.print("There is nothing to do.")
        findings.show(findings.Findings(done.replicas, "sidb verify"), console)
    raise SystemExit(findings.exit_code(done.replicas))
