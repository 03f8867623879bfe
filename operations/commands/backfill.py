"""`sidb backfill …`: arguments and exit codes. What a command does stands in operations/backfilling.py."""

import time
from typing import Any

import click

from operations.commands import shared_options
from operations.commands.backfill_load import load

NOW = click.option("--now", "ignore_window", is_flag=True, help="Do not wait for the off-peak window.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
AS_OF = click.option(
    "--as-of", metavar="TIME", help='What "now" is, for historical data: 2017-10-22 (its end), or an ISO 8601 time.'
)


@click.group()
def backfill() -> None:
    """Move history into the new tables: every row, exactly once.

    \b
    In this order:
      sidb backfill load events.csv.gz   stage exported events
      sidb backfill run                  move the last 90 days, and score niches
      sidb backfill daily                the older history, a share each day
      sidb backfill verify               prove that all is there
      sidb backfill finish               drop the staging table

    \b
    It works off-peak, within a week, and each worker uses at most this share
    of wall-clock time beside the application:
      SIDB_BACKFILL_WINDOW=00:00-06:00 SIDB_BACKFILL_TIME_ZONE=UTC
      SIDB_BACKFILL_DAYS=7 SIDB_BACKFILL_SHARE=5
    """


backfill.add_command(load)


@backfill.command()
@AS_OF
@click.option("--all", "everything", is_flag=True, help="Everything, not only the last 90 days.")
@NOW
def run(as_of: str | None, everything: bool, ignore_window: bool) -> None:
    """Do the last 90 days of all jobs, newest first.

    Start it as often as you like, on any machine: the workers share the work.
    Ctrl-C finishes the present batch; the next run goes on from there.

    \b
    Examples:
      sidb backfill run                    within the off-peak window
      sidb backfill run --all --now        all history, at once
    """
    from backfill.progress import Scope
    from operations import backfilling, output

    console = output.console()
    now = _instant(as_of)
    with backfilling.database() as opened, backfilling.stopping() as stop:
        control = backfilling.begin(opened, now, stop)
        scope = Scope(control.as_of, recent=None if everything else True)
        _end(opened, backfilling.work(opened, stop, console, scope, ignore_window), console)


@backfill.command()
@AS_OF
@NOW
def daily(as_of: str | None, ignore_window: bool) -> None:
    """Do the day's share of the older history; made for cron.

    The share follows from the rows left, the days left and the rate measured.
    Where the deadline cannot be met, that is an alert: on standard error, and
    to SIDB_ALERT_ADDRESSES.

    \b
    Examples:
      sidb backfill daily
      sidb backfill daily --now
    """
    from backfill.progress import Scope
    from operations import backfilling, output

    console = output.console()
    now = _instant(as_of)
    with backfilling.database() as opened, backfilling.stopping() as stop:
        control = backfilling.begin(opened, now, stop)
        share = backfilling.daily_share(opened, control)
        if share.late is not None:
            days = share.late.total_seconds() / 86400
            missed = f"The backfill will miss its deadline, {control.deadline:%Y-%m-%d %H:%M} UTC, by {days:.1f} days."
            click.secho(f"{missed}\nNext: widen SIDB_BACKFILL_WINDOW, or start further workers.", fg="red", err=True)
            backfilling.alert(missed)
        console.print(
            f"{share.left:,} rows of older history left, {share.days_left} days; today's share: {share.rows:,}"
        )
        scope = Scope(control.as_of, recent=False)
        _end(opened, backfilling.work(opened, stop, console, scope, ignore_window, share.rows), console)


@backfill.command()
def pause() -> None:
    """Make all workers hold back, wherever they run, until `resume`.

    \b
    Examples:
      sidb backfill pause
      sidb backfill resume
    """
    from operations import backfilling

    with backfilling.database() as opened:
        backfilling.pause(opened, True)
    click.echo("Paused. Next: sidb backfill resume")


@backfill.command()
def resume() -> None:
    """Let the workers continue after `pause`.

    \b
    Examples:
      sidb backfill resume
      sidb backfill status
    """
    from operations import backfilling

    with backfilling.database() as opened:
        backfilling.pause(opened, False)
    click.echo("Resumed.")


@backfill.command()
@click.option("--watch", is_flag=True, help="Show it anew every two seconds, until Ctrl-C.")
@JSON
def status(watch: bool, as_json: bool) -> None:
    """Say what is done and left, how fast it goes, and what it waited for.

    \b
    Examples:
      sidb backfill status --watch
      sidb backfill status --json | jq '.jobs[] | {job, left}'
    """
    from operations import backfill_screen, backfilling, output

    console = output.console()
    with backfilling.database(reading=True) as opened:
        while True:
            found = backfilling.status(opened)
            if as_json:
                click.echo(output.to_json(found))
            else:
                if watch:
                    console.clear()
                backfill_screen.show_status(found, console)
            if not watch:
                return
            time.sleep(2)


@backfill.command()
@shared_options.fast
@JSON
def verify(fast: bool, as_json: bool) -> None:
    """Prove on the data itself that every row is there, once; exit code 1 where not.

    All is read in one snapshot. Ranges that differ are walked again by the
    next run or daily.

    \b
    Examples:
      sidb backfill verify && sidb backfill finish
      sidb backfill verify --json
    """
    import json
    from dataclasses import asdict

    from operations import backfill_screen, backfilling, output
    from operations.settings import reading_share

    console = output.console(stderr=as_json)
    with backfilling.database() as opened:
        proofs = backfilling.verify(opened, console, reading_share(fast))
    if as_json:
        click.echo(json.dumps([asdict(proof) for proof in proofs], indent=2))
    else:
        backfill_screen.show_proofs(proofs, console)
    if next_step := backfill_screen.after_proofs(proofs):
        click.secho(f"Next: {next_step}", err=True)
        raise SystemExit(1)
    if not as_json:
        console.print("Next: sidb backfill finish")


@backfill.command()
@click.option(
    "--accept-deleted",
    type=click.IntRange(min=1),
    metavar="ROWS",
    help="Drop it though exactly so many of its events were deleted since.",
)
def finish(accept_deleted: int | None) -> None:
    """Drop the staging table, once the history is verified.

    Refused while more than 1 % of its events were deleted since they were
    moved: it may be their last copy.

    \b
    Examples:
      sidb backfill verify && sidb backfill finish
      sidb backfill finish
    """
    from operations import backfilling

    with backfilling.database() as opened:
        rows, deleted = backfilling.finish(opened, accept_deleted)
    told = f"; {deleted:,} were deleted from it since they were moved" if deleted else ""
    click.echo(
        f"Dropped the staging table with {rows:,} rows; {rows - deleted:,} of them are in"
        f" analytics.analytics_events{told}."
    )


@backfill.command()
def retry() -> None:
    """Give rows that were set aside another try, and let stopped jobs continue.

    \b
    Examples:
      sidb backfill retry
      sidb backfill retry && sidb backfill run --all
    """
    from operations import backfilling

    with backfilling.database() as opened:
        rows = backfilling.retry(opened)
    click.echo(f"{rows:,} rows will be tried again. Next: sidb backfill run --all")


def _instant(value: str | None) -> Any:
    from operations.backfilling import instant

    try:
        return None if value is None else instant(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a time such as 2017-10-22", param_hint="--as-of") from None


def _end(opened: Any, summary: Any, console: Any) -> None:
    """Say what a worker did, and what is left; exit code 1 where rows were set aside."""
    from operations import backfill_screen, backfilling

    left = sum(each.left for each in backfilling.status(opened).jobs)
    backfill_screen.show_end(summary, left, console)
    if summary.refused:
        raise SystemExit(1)
