"""`sidb report`."""

import click

from operations.commands import shared_options


@click.command()
@shared_options.sample
@shared_options.fast
@shared_options.replicas
@click.option("--directory", default="build/report", show_default=True, help="Where the page goes.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON too.")
def report(sample: float, fast: bool, replicas: tuple[str, ...], directory: str, as_json: bool) -> None:
    """Write the report of the rollout, for the team to sign: one HTML page.

    What was run, by whom, and what it cost the application; backups, retention,
    Phase 1's rows, backfill, sizes, and what verify, the application's queries,
    monitor and replicas show now. At any time, also half-way or after a rollback: it
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

    settings = Settings.from_environment()
    url, named = address(settings), settings.given({"replicas": replicas}).replicas
    console = output.console(stderr=as_json)
    looked = collecting.check(url, sample, console, reading_share(fast), named)
    made = checks.report(collecting.collect(url, looked))
    written = page.write(made, Path(directory), "rollout")
    found = Findings(made.findings, made.next_step)
    show(found, console)
    console.print(f"{made.verdict}: {written}", soft_wrap=True)
    if as_json:
        click.echo(output.to_json(made))
    raise SystemExit(found.exit_code)
