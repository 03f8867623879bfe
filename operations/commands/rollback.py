"""`sidb rollback`."""

import click


@click.command()
@click.argument("target", required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--abort", "give_up", is_flag=True, help="Give up an interrupted rollback: open access again.")
@click.option("--take-along", is_flag=True, help="Put aside what others built on what goes; restore gives it back.")
@click.option("--deadline", metavar="TIME", help="How long a step may try to get its locks (default 10min).")
@click.option("--end-idle-after", metavar="TIME", help="End sessions in the way that idle in a transaction for longer.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON; with --yes.")
def rollback(
    target: str | None, yes: bool, give_up: bool, take_along: bool, as_json: bool, **options: str | None
) -> None:
    """Go back to revision TARGET and keep what Phase 2 collected.

    Shows what goes and asks; then stops the backfill, closes the tables that
    go to applications, moves them into an archive (at once, whatever their
    size), verifies that everything is as before the upgrade, and opens access
    again. `features` and `hot_niches_today` stay in use throughout.

    Interrupted, it goes on where it was when it is run again, with or without
    TARGET; --abort opens access again instead. `sidb restore` brings the
    archive back after a later upgrade.

    What others have built on what goes (views, indexes, generated columns, policies and the like) is in the way, and
    named. With --take-along it is put aside with definition, owner, comments and grants, and `sidb restore` or --abort
    gives it back; what could not be given back exactly is refused.

    \b
    Examples:
      sidb rollback 1.0.0            back to Phase 1
      sidb rollback                  go on with an interrupted one
      sidb rollback --abort          or give it up
    """
    from alembic_online.errors import UsageError

    from operations import findings, report
    from operations.database import address
    from operations.rollback import run, stopped
    from operations.rollback.plan import show_plan
    from operations.settings import Settings

    settings = Settings.from_environment()
    chosen = settings.given(options)
    url = address(settings)
    console = report.console(stderr=as_json)
    if as_json and not (yes or give_up):
        raise UsageError("--json does not ask.", "add --yes.")
    if give_up and target is not None:
        raise UsageError("--abort takes no TARGET.", "sidb rollback --abort")
    with stopped.told(url, "sidb rollback --abort" if give_up else f"sidb rollback {target or ''}".rstrip()):
        if give_up:
            found = run.abort(url, console)
        else:
            prepared = run.prepare(url, target, take_along=take_along)
            if prepared.interrupted:
                begun = prepared.interrupted
                console.print(f"Going on with the rollback to {begun.target}; its last whole phase is '{begun.phase}'.")
            else:
                show_plan(run.planned(url, prepared), console)
                if not yes:
                    click.confirm("\nRoll back now?", abort=True)
            found = run.run(url, prepared, chosen, console)
    if as_json:
        click.echo(report.to_json(found))
    else:
        findings.show(found, console)
    raise SystemExit(found.exit_code)
