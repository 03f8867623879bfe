"""`sidb verify`."""

import click


@click.command()
@click.option(
    "--sample",
    type=click.FloatRange(min=0.01, max=100),
    metavar="PERCENT",
    default=100.0,
    help="Look at so much of the rows only (default all).",
)
@click.option("--readers", is_flag=True, help="Measure the application's queries against their budgets, too.")
@click.option("--accept-rights", is_flag=True, help="First write down the rights on Phase 1's tables as they are now.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def verify(sample: float, readers: bool, accept_rights: bool, as_json: bool) -> None:
    """Verify the schema and its rows: is the database what it should be?

    The catalog against the models; owners, group roles and the application's
    rights; keys, foreign keys, CHECKs and NOT NULL counted on the rows; each
    index beside its table; activity and materialized views against their
    sources; the backfill's work against what it was made from; Phase 1's rows
    against the fingerprint taken before the upgrade. Changes nothing, and holds up nobody: it reads,
    each check in a transaction of its own; the models, to compare with, are
    built in a scratch database, or under other names in what is rolled back. A sample is of rows, niches or
    ranges, whichever is cheapest to take; the schema and Phase 1's rows are
    always looked at whole.

    Rights on Phase 1's tables are compared with what was written down before
    the upgrade. Where somebody changed them on purpose, or an earlier version
    of this project upgraded, --accept-rights writes them down anew.

    What is `unknown` could not be looked at, mostly for lack of a privilege.
    Exit code 1 if something failed, 3 if something is unknown.

    \b
    Examples:
      sidb verify
      sidb verify --sample 5 --readers
      sidb verify --json | jq '.findings[] | select(.verdict == "failed")'
    """
    from dataclasses import replace

    from operations import findings, report
    from operations import verify as verification
    from operations.database import address
    from operations.settings import Settings
    from operations.status import amiss

    url = address(Settings.from_environment())
    if accept_rights:
        amiss.refuse(url)
    first = amiss.tell(url)
    console = report.console(stderr=as_json)
    if accept_rights:
        console.print(f"{verification.accept_rights(url)} rights are written down as they are now.")
    found = verification.verify(url, sample, console, with_readers=readers)
    found = replace(found, next_step=first or found.next_step)
    if as_json:
        click.echo(report.to_json(found))
    else:
        findings.show(found, console)
    raise SystemExit(found.exit_code)
