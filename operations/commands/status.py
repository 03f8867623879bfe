"""`sidb status`."""

import click


@click.command()
@click.option(
    "--watch",
    metavar="[SECONDS]",
    type=click.IntRange(min=1),
    is_flag=False,
    flag_value=2,
    help="Follow a rollout: look again every so many seconds (2 if none are given), until Ctrl-C.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def status(watch: int | None, as_json: bool) -> None:
    """Say where the rollout stands, what is amiss, and the one next command.

    Revision; a step, rollback or restore half-way; the backfill's jobs and
    deadline; rights that are missing; settings raised and not put back;
    archives kept; what was found that is not ours. It reads only, waits for
    nobody, and works on a standby, too. What is amiss is the first line of
    every other command as well.

    --watch is for a second person in a second terminal during the rollout: the
    step at work, who is blocked by whom, load, connections, lag, deadlocks.

    \b
    Exit codes: 1 something is amiss, 3 not everything could be looked at.

    \b
    Examples:
      sidb status
      sidb status --json | jq '.amiss[].what'
      sidb status --watch
    """
    from alembic_online.errors import UsageError

    from operations import report
    from operations.database import address
    from operations.settings import Settings
    from operations.status.look import look
    from operations.status.screen import show

    if watch and as_json:
        raise UsageError("--watch shows a screen, --json prints once.", "give one of the two.")
    url = address(Settings.from_environment())
    console = report.console(stderr=as_json)
    if watch:
        from operations.status.watching import watch as follow

        follow(url, watch, console)
        return
    seen = look(url)
    if as_json:
        click.echo(report.to_json(seen))
    else:
        show(seen, console)
    raise SystemExit(seen.exit_code)
