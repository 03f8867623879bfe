"""`sidb report`."""

import click

from operations.commands import shared_options


@click.command()
@shared_options.sample
@shared_options.fast
@click.option("--directory", default="build/report", show_default=True, help="Where the page goes.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON too.")
def report(sample: float, fast: bool, directory: str, as_json: bool) -> None:
    """Write the report of the rollout, for the team to sign: one HTML page.

    What was run, by whom, and what it cost the application; backups, retention,
    Phase 1's rows, backfill, sizes, and what verify, the application's queries
    and monitor show now. At any time, also half-way or after a rollback: it
    says what is missing. Changes nothing; works on a standby.

    \b
    Exit codes: 1 something failed or is amiss, 3 something is missing.

    \b
    Examples:
      sidb report
      sidb report --sample 5 --json | jq '.findings[]'
    """
    from pathlib import Path

    from operations import output
    from operations.database import address
    from operations.findings import Findings, show
    from operations.reporting import checks, collecting, page
    from operations.settings import Settings, reading_share

    url = address(Settings.from_environment())
    console = output.console(stderr=as_json)
    made = checks.report(collecting.collect(url, collecting.check(url, sample, console, reading_share(fast))))
    written = page.write(made, Path(directory), "rollout")
    found = Findings(made.findings, made.next_step)
    show(found, console)
    console.print(f"{made.verdict}: {written}", soft_wrap=True)
    if as_json:
        click.echo(output.to_json(made))
    raise SystemExit(found.exit_code)
