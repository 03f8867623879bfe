"""`sidb backfill load`: arguments and exit codes. What it does stands in operations/loading.py."""

from typing import Any, Literal

import click


@click.command()
@click.argument("files", metavar="FILE…", nargs=-1, required=True)
@click.option(
    "--unknown-niches",
    type=click.Choice(["create", "reject"]),
    default="create",
    show_default=True,
    help="What to do with a phrase that no niche has.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="ROWS",
    help="Exit with 1 when more lines than this were rejected.",
)
@click.option("--new", "meant", flag_value="new", help="A file that shares lines with loaded ones is one of its own.")
@click.option("--replace", "meant", flag_value="replace", help="It takes the place of these: what it lacks is deleted.")
@click.option("--forget", is_flag=True, help="Give up files that are half loaded.")
def load(
    files: tuple[str, ...],
    unknown_niches: Literal["create", "reject"],
    limit: int,
    meant: Literal["new", "replace"] | None,
    forget: bool,
) -> None:
    """Stage exported events: CSV, JSON Lines (also gzipped) or Parquet; - is standard input.

    A file is compared line by line with earlier loads. Of one with the same
    name, grown or corrected, what is new is added. One that lacks earlier
    lines, or shares lines with another, is refused until --new or --replace
    says what it is.

    After an interruption the same command goes on where it stopped. Bad lines
    go to sidb.backfill_rejects.

    \b
    Examples:
      sidb backfill load history/*.csv.gz
      zcat events.jsonl.gz | sidb backfill load -
      sidb backfill load --replace corrected.csv
    """
    from backfill.errors import BackfillError
    from operations import backfilling, loading, report

    console = report.console(stderr=True)
    rejected = failed = 0
    with backfilling.database() as opened:
        if forget:
            for name, records in loading.forget(opened, files):
                click.echo(f"{name} is given up: {records:,} records that were read of it")
            return
        for result in loading.load_files(opened, files, unknown_niches, meant, console):
            if isinstance(result, BackfillError):
                failed += 1
                click.secho(str(result), fg="red", err=True)
                continue
            rejected += 0 if result.already else result.rejected
            click.echo(_loaded(result))
    if rejected:
        click.secho("Next: look at sidb.backfill_rejects (file, line, reason, content).", err=True)
    if failed or rejected > limit:
        raise SystemExit(1)


def _loaded(result: Any) -> str:
    """What became of a file, in a line."""
    rows = result.records - result.rejected
    told = f"{result.name} {'is in already' if result.already else 'loaded'}: {rows:,} rows"
    if not result.already and result.added < rows:
        told += f", {result.added:,} of them new"
    if result.removed:
        told += f", {result.removed:,} earlier ones deleted"
    return f"{told}, {result.rejected:,} rejected"
