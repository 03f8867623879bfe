"""`sidb rollback`."""

from typing import TYPE_CHECKING

import click

from operations.commands import shared_options

if TYPE_CHECKING:
    from rich.console import Console
    from sqlalchemy import URL

    from operations.rollback.rollback import Prepared


@click.command()
@click.argument("target", required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--abort", "give_up", is_flag=True, help="Give up an interrupted rollback.")
@click.option("--take-along", is_flag=True, help="Put aside what others built on what goes.")
@shared_options.deadline
@shared_options.end_idle_after
@shared_options.replicas
@shared_options.replica_wait
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON; with --yes.")
def rollback(
    target: str | None,
    yes: bool,
    give_up: bool,
    take_along: bool,
    as_json: bool,
    **options: str | tuple[str, ...] | None,
) -> None:
    """Go back to revision TARGET and keep what Phase 2 collected.

    Shows what goes and asks; then closes the tables that go, moves them into
    an archive, whatever their size, verifies that everything is as before the
    upgrade, and opens access again. `sidb restore` brings the archive back.
    What others built on these tables stops it, and is named; --take-along
    puts it aside with its owner, comments and grants.

    \b
    Examples:
      sidb rollback 1.0.0            back to Phase 1
      sidb rollback                  continue an interrupted one
      sidb rollback --abort          give it up, and open access again
    """
    from dataclasses import replace

    from alembic_online.errors import UsageError

    from operations import findings, output, replicas, upgrade
    from operations.database import address
    from operations.rollback import abort, rollback, stopped
    from operations.settings import Settings

    settings = Settings.from_environment()
    chosen = settings.given(options)
    url = address(settings)
    console = output.console(stderr=as_json)
    if as_json and not (yes or give_up):
        raise UsageError("--json does not ask.", "add --yes.")
    if give_up and target is not None:
        raise UsageError("--abort takes no TARGET.", "sidb rollback --abort")
    with stopped.told(url, "sidb rollback --abort" if give_up else f"sidb rollback {target or ''}".rstrip()):
        if give_up:
            found = abort.abort(url, console, chosen)
        else:
            with upgrade.said(console):  # whom it waits for
                prepared = rollback.prepare(url, target, take_along=take_along, options=chosen)
            _tell(url, prepared, console)
            if not (yes or prepared.interrupted):
                click.confirm("\nRoll back now?", abort=True)
            found = rollback.run(url, prepared, chosen, console)
    found = replace(found, findings=[*found.findings, *replicas.findings(url, chosen.replicas)])
    output.end(found, as_json, lambda: findings.show(found, console))


def _tell(url: "URL", prepared: "Prepared", console: "Console") -> None:
    """What will be done."""
    from operations.rollback.plan import show_plan
    from operations.rollback.rollback import planned
    from operations.status.half_way import AT

    if begun := prepared.interrupted:
        console.print(f"Continuing the rollback to {begun.target} ({AT[begun.phase]}).")
    else:
        show_plan(planned(url, prepared), console)
