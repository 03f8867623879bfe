"""`sidb verify`."""

import click

from operations.commands import shared_options


@click.command()
@shared_options.sample
@click.option("--readers", is_flag=True, help="Measure the application's queries, too.")
@shared_options.fast
@click.option("--accept-rights", is_flag=True, help="First record the rights on Phase 1's tables.")
@shared_options.replicas
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def verify(
    sample: float, readers: bool, fast: bool, accept_rights: bool, replicas: tuple[str, ...], as_json: bool
) -> None:
    """Verify the schema and its rows: is the database what it should be?

    Compares catalog, rights, constraints, indexes, derived data, the
    backfill's rows and Phase 1's with what they must be (docs/checks.md).
    Changes nothing. --accept-rights records the rights on Phase 1's tables
    anew, where somebody changed them on purpose. With --readers and --replica
    the queries are measured there, too.

    Exit codes: 1 something failed, 3 something could not be looked at.

    \b
    Examples:
      sidb verify
      sidb verify --sample 5 --readers
      sidb verify --json | jq '.findings[] | select(.verdict == "failed")'
    """
    from alembic_online.errors import UsageError

    from operations import findings, output
    from operations import verify as verification
    from operations.database import address
    from operations.settings import Settings, reading_share
    from operations.status import amiss

    settings = Settings.from_environment()
    if replicas and not readers:
        raise UsageError("--replica is where readers are measured.", "add --readers.")
    named = settings.given({"replicas": replicas}).replicas if readers else ()
    url = address(settings)
    if accept_rights:
        amiss.refuse(url)
    first = amiss.tell(url)
    console = output.console(stderr=as_json)
    if accept_rights:
        console.print(f"{verification.accept_rights(url)} rights are written down as they are now.")
    share = reading_share(fast)
    found = verification.verify(url, sample, console, with_readers=readers, replicas=named, share=share)
    found = found.after(first)
    output.end(found, as_json, lambda: findings.show(found, console))
