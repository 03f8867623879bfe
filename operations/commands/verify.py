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
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def verify(sample: float, readers: bool, as_json: bool) -> None:
    """Verify the schema and its rows: is the database what it should be?

    The catalog against the models; each foreign key and CHECK counted on the
    rows; activity and materialized views against their sources; the backfill's
    work against what it was made from; Phase 1's rows against the fingerprint
    taken before the upgrade. Changes nothing, and holds up nobody: it reads,
    each check in a transaction of its own; the models, to compare with, are
    built in a scratch database or in what is rolled back. A sample is of rows, niches or
    ranges, whichever is cheapest to take; the schema and Phase 1's rows are
    always looked at whole.

    What is `unknown` could not be looked at, mostly for lack of a privilege.
    Exit code 1 if something failed, 3 if something is unknown.

    \b
    Examples:
      sidb verify
      sidb verify --sample 5 --readers
      sidb verify --json | jq '.findings[] | select(.verdict == "failed")'
    """
    from operations import findings, report
    from operations import verify as verification
    from operations.database import address
    from operations.settings import Settings

    url = address(Settings.from_environment())
    console = report.console(stderr=as_json)
    found = verification.verify(url, sample, console, with_readers=readers)
    if as_json:
        click.echo(report.to_json(found))
    else:
        findings.show(found, console)
    raise SystemExit(found.exit_code)
