"""`sidb backfill load`: arguments and exit codes. What it does stands in operations/loading.py."""

from typing import Any, Literal

import click

from operations.commands import shared_options


@click.command()
@click.argument("files", metavar="FILE…", nargs=-1, required=True)
@click.option(
    "--unknown-niches",
    type=click.Choice(["create", "reject"]),
    default="create",
    metavar="WHAT",
    help="create (default) or reject, for a new phrase.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="ROWS",
    help="Rejected lines before exit code 1.",
)
@click.option("--new", "meant", flag_value="new", help="A file of its own, though it shares lines.")
@click.option("--replace", "meant", flag_value="replace", help="It replaces earlier loads of its name.")
@shared_options.fast
@click.option("--forget", is_flag=True, help="Give up files that are half loaded.")
def load(
    files: tuple[str, ...],
    unknown_niches: Literal["create", "reject"],
    limit: int,
    meant: Literal["new", "replace"] | None,
    fast: bool,
    forget: bool,
) -> None:
    """Stage exported events: CSV, JSON Lines (also gzipped), Parquet; - is standard input.

    A file is compared line by line with earlier loads, and what is new is
    added. One that lacks earlier lines, or shares lines with another, is
    refused until --new or --replace says what it is. Run it again after an
    interrupt. Invalid lines go to sidb.backfill_rejects.

    \b
    Examples:
      sidb backfill load history/2025.csv.gz
      zcat events.jsonl.gz | sidb backfill load -
      sidb backfill load --replace corrected.csv
    """
    from backfill.errors import BackfillError
    from operations import backfilling, loading, output
    from operations.settings import reading_share

    console = output.console(stderr=True)
    share, rejected, failed = reading_share(fast), 0, 0
    with backfilling.database() as opened:
        if forget:
            for name, records in loading.forget(opened, files):
                click.echo(f"{name} is given up: {records:,} records that were read of it")
            return
        for result in loading.load_files(opened, files, unknown_niches, meant, share, console):
            if isinstance(result, BackfillError):
                failed += 1
                click.secho(str(result), fg="red", err=True)
                continue
            rejected += 0 if result.already else result.rejected
            click.echo(_loaded(result))
            if result.lost:
                click.secho(_lost(result), err=True)
    if rejected:
        click.secho("Next: look at sidb.backfill_rejects (file, line, reason, content).", err=True)
    if failed or rejected > limit:
        raise SystemExit(1)


def _lost(result: Any) -> str:
    """That events of a file are gone, and how they come back."""
    import shlex

    from backfill.source import STANDARD_INPUT

    name = "-" if result.name == STANDARD_INPUT else shlex.quote(result.name)
    again = f"sidb backfill load --replace {name}, which brings them back, where they were lost."
    lost = f"{result.lost:,} rows of {result.name}, or of earlier loads of it, are not in analytics.analytics_events"
    return f"{lost} any more. Next: {again}"


def _loaded(result: Any) -> str:
    """What became of a file, in a line."""
    rows = result.records - result.rejected - result.erased - result.expired
    told = f"{result.name} {'is in already' if result.already else 'loaded'}: {rows:,} rows"
    if not result.already and result.added < rows:
        told += f", {result.added:,} of them new"
    if result.removed:
        told += f", {result.removed:,} earlier ones deleted"
    if result.shared:
        told += f", {result.shared:,} left out that are in from other files, of which nothing was deleted"
    if result.erased:
        told += f", {result.erased:,} of erased users left out"
    if result.expired:
        told += f", {result.expired:,} from before the horizon left out: their time is over"
    return f"{told}, {result.rejected:,} rejected"
