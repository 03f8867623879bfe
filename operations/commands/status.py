"""`sidb status`."""

import click

from operations.commands import shared_options


@click.command()
@click.option(
    "--watch",
    metavar="[SECONDS]",
    type=click.IntRange(min=1),
    is_flag=False,
    flag_value=2,
    help="Look again every so many seconds (default 2).",
)
@shared_options.replicas
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def status(watch: int | None, replicas: tuple[str, ...], as_json: bool) -> None:
    """Say where the rollout stands, what is amiss, and the one next command.

    Revision; what is half-way; the backfill's jobs and deadline; rights that
    are missing; settings raised; archives; objects of others. Reads only,
    waits for nobody, and works on a standby. --watch follows a rollout from a
    second terminal: the step at work, who is blocked by whom, load, lag.

    \b
    Exit codes: 1 something is amiss, 3 not everything could be looked at.

    \b
    Examples:
      sidb status
      sidb status --watch
      sidb status --json | jq '.amiss[].what'
    """
    from alembic_online.errors import UsageError

    from operations import output
    from operations.database import address
    from operations.settings import Settings
    from operations.status.look import look
    from operations.status.screen import show

    if watch and as_json:
        raise UsageError("--watch shows a screen, --json prints once.", "give one of the two.")
    settings = Settings.from_environment()
    named = settings.given({"replicas": replicas}).replicas
    url = address(settings)
    console = output.console(stderr=as_json)
    if watch:
        from operations.status.watching import watch as follow

        follow(url, watch, console, named)
        return
    seen = look(url, named)
    output.end(seen, as_json, lambda: show(seen, console))
