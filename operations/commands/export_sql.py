"""`sidb export-sql`."""

from pathlib import Path

import click


@click.command(name="export-sql")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Replace files that are there and differ.")
def export_sql(directory: Path, replace: bool) -> None:
    """Write the plan's SQL files into DIRECTORY, for Flyway or psql.

    V2.0.0__analytics_schema.sql and so on, U2.0.0__rollback_… for the way
    back, from the revisions that `alembic upgrade` runs. A .conf beside a
    script says that it must not run in one transaction. Run so, nothing
    acquires locks with care, observes or validates: prefer `sidb upgrade`.

    \b
    Examples:
      sidb export-sql migrations
      sidb export-sql migrations --replace

    \b
    Then, for instance:
      psql -v ON_ERROR_STOP=1 -1 -f migrations/V2.0.0__analytics_schema.sql
      flyway -locations=filesystem:migrations -baselineOnMigrate=true migrate
    """
    from operations.export import export

    for each in export(directory, replace=replace):
        click.echo(f"{each.outcome:<9}  {directory / each.file}")
