"""The `sidb` command: arguments and exit codes. What a command does stands in its own module, imported when used."""

from typing import TYPE_CHECKING, Any

import click

from operations.backfill_cli import backfill
from operations.errors import SidbError, UsageError

if TYPE_CHECKING:
    from operations.embedded import Server

NOT_RUNNING = 3  # as pg_ctl status
INTERRUPTED = 130  # as a shell reports Ctrl-C


class Console(click.Group):
    """A group of commands whose errors end as text and an exit code, never as a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SidbError as error:
            click.secho(str(error), fg="red", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.secho("Interrupted.", fg="red", err=True)
            ctx.exit(INTERRUPTED)


@click.group(cls=Console, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="social-intelligence-db", prog_name="sidb")
def main() -> None:
    """The Social Intelligence database: its server, its rollout, its upkeep.

    DATABASE_URL says which PostgreSQL (15 or newer) is meant:
    postgresql://user:password@host:5432/database. Without it, an embedded
    PostgreSQL of this clone is started and used.

    \b
    Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted.
    """


@main.command()
@click.option("--shape", type=click.Choice(["table", "matview"]), default="table", help="What hot_niches_today is.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def demo(shape: str, as_json: bool) -> None:
    """Migrate a sample Phase 1 database of 20,000 niches in the embedded PostgreSQL.

    Run again, it says that there is nothing to do; after an interruption, it
    goes on. Each shape of hot_niches_today has a database of its own.

    \b
    Examples:
      sidb demo                   hot_niches_today is a table
      sidb demo --shape matview   it is a materialized view
    """
    from operations import report
    from operations.demo import run, show
    from operations.embedded import project_server
    from operations.phase1 import Shape
    from operations.settings import Settings

    settings = Settings.from_environment()
    if settings.database_url is not None:
        raise UsageError(
            "DATABASE_URL is set, but a demo runs in the embedded PostgreSQL only.", "unset DATABASE_URL for it."
        )
    console = report.console(stderr=as_json)
    result = run(project_server(settings.data_home), Shape(shape), say=console.print)
    if as_json:
        click.echo(report.to_json(result))
    else:
        show(result, console)


@main.command()
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

    url = address(Settings.from_environment())
    console = report.console(stderr=as_json)
    with console.status("Maintaining"):
        result = run(url, batch)
    if as_json:
        click.echo(report.to_json(result))
    else:
        show(result, console)


@main.command()
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
    from operations import report, upgrade
    from operations.database import address
    from operations.settings import Settings

    url = address(Settings.from_environment())
    console = report.console(stderr=as_json)
    if plan:
        planned = upgrade.plan(url, revision)
        if as_json:
            click.echo(report.to_json(planned))
        else:
            upgrade.show_plan(planned, console)
        return
    given = {name.replace("_", "-"): value for name, value in options.items() if value is not None}
    done = upgrade.run(url, revision, given | ({"now": "yes"} if now else {}), console)
    if as_json:
        click.echo(report.to_json(done))
    elif not done.steps:
        console.print("There is nothing to do.")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print everything that was kept, as JSON.")
def history(as_json: bool) -> None:
    """Show the ledger: every attempt at a migration step, and what it cost whom.

    \b
    Examples:
      sidb history
      sidb history --json | jq '.steps[] | select(.victims > 0)'
    """
    from operations import report, upgrade
    from operations.database import address
    from operations.settings import Settings

    found = upgrade.history(address(Settings.from_environment()))
    if as_json:
        click.echo(report.to_json(found))
    else:
        upgrade.show_history(found, report.console())


main.add_command(backfill)


@main.group()
def server() -> None:
    """The embedded PostgreSQL that is used when DATABASE_URL is not set.

    \b
    Examples:
      sidb server start      start it and show how to reach it
      sidb server status     see whether it runs (exit code 3: it does not)
      sidb server stop       stop it; its data stay
      sidb server remove     stop it and delete its data
    """


@server.command()
def start() -> None:
    """Start the embedded server, unless it runs already.

    \b
    Example:
      sidb server start
    """
    from operations.database import EMBEDDED_DATABASE, embedded_address, shown

    embedded = _server()
    click.echo(f"Running: {shown(embedded_address(embedded))}")
    click.echo(embedded.psql_command(EMBEDDED_DATABASE))


@server.command()
def status() -> None:
    """Say whether the embedded server runs; exit code 3 when it does not.

    \b
    Example:
      sidb server status && echo yes
    """
    from operations.database import EMBEDDED_DATABASE

    embedded = _server()
    running = embedded.is_running()
    click.echo(f"{'Running' if running else 'Not running'}; data directory: {embedded.data}")
    if not running:
        raise SystemExit(NOT_RUNNING)
    click.echo(embedded.psql_command(EMBEDDED_DATABASE))


@server.command()
def stop() -> None:
    """Stop the embedded server, ending its sessions. Its data stay.

    \b
    Example:
      sidb server stop
    """
    click.echo("Stopped." if _server().stop() else "It was not running.")


@server.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(yes: bool) -> None:
    """Stop the embedded server and delete all its data.

    \b
    Example:
      sidb server remove --yes
    """
    embedded = _server()
    if not embedded.home.exists():
        click.echo("There is nothing to remove.")
        return
    if not yes:
        click.confirm(f"Delete the embedded database in {embedded.home}?", abort=True)
    embedded.remove()
    click.echo(f"Removed {embedded.home}.")


def _server() -> "Server":
    from operations.embedded import project_server
    from operations.settings import Settings

    return project_server(Settings.from_environment().data_home)
