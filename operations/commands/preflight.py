"""`sidb preflight`."""

from pathlib import Path

import click

from operations.commands import shared_options


@click.command()
@click.option(
    "--backup",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="A base backup; every file of it is verified.",
)
@click.option("--backup-command", metavar="CMD", help="A command that proves a backup by exiting 0.")
@click.option(
    "--application",
    "applications",
    metavar="ROLE",
    multiple=True,
    help="A role by which applications connect; repeatable.",
)
@shared_options.replicas
@click.option(
    "--rows",
    type=click.IntRange(min=1),
    default=10_000_000,
    show_default=True,
    metavar="N",
    help="New rows for which there must be space.",
)
@click.option("--prepare", is_flag=True, help="If nothing fails, raise retention, tell the teams.")
@click.option("--finish", is_flag=True, help="Put back what --prepare raised, tell the teams.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def preflight(
    backup: Path | None,
    backup_command: str | None,
    applications: tuple[str, ...],
    replicas: tuple[str, ...],
    rows: int,
    prepare: bool,
    finish: bool,
    as_json: bool,
) -> None:
    """Look whether the database is fit for the upgrade.

    Needs proof of a backup: WAL archiving that works, --backup, or
    --backup-command. --prepare raises wal_keep_size, max_slot_wal_keep_size,
    log_truncate_on_rotation and log_lock_waits until --finish; where the role
    may not, it prints the statements. Exit code 1: a check failed.

    \b
    Examples:
      sidb preflight --backup /backups/2025-05-30 --application api
      sidb preflight --backup-command "pgbackrest --stanza=main check" --prepare
      sidb preflight --finish
    """
    from dataclasses import replace

    from alembic_online.errors import UsageError

    from operations import findings, output
    from operations.database import address
    from operations.preflight import preflight
    from operations.preflight.context import Request
    from operations.settings import Settings
    from operations.status import amiss

    if prepare and finish:
        raise UsageError("--prepare begins a rollout, --finish ends it.", "give one of the two.")
    settings = Settings.from_environment()
    chosen = settings.given({"replicas": replicas})
    url = address(settings)
    if prepare:
        amiss.refuse(url)
    first = amiss.tell(url)
    console = output.console(stderr=as_json)
    if finish:
        found = preflight.finish(url, addresses=chosen.alert_addresses)
        if first and found.well:
            found = replace(found, next_step=first)
    else:
        request = Request(rows, backup, backup_command, applications, chosen.replicas)
        found = preflight.run(url, request, console, prepare=prepare, addresses=chosen.alert_addresses)
        found = found.after(first)
    output.end(found, as_json, lambda: findings.show(found, console))
