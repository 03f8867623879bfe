"""`sidb export-sql`."""

from pathlib import Path

import click


@click.command(name="export-sql")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Replace files that are there and differ.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def export_sql(directory: Path, replace: bool, as_json: bool) -> None:
    """Write the plan's SQL files into DIRECTORY, for Flyway or psql.

    V2.0.0__analytics_schema.sql to V2.0.6__create_analytics_views.sql, and
    U2.0.0__rollback_analytics_schema.sql and so on for the way back, from the
    same revisions that `alembic upgrade` runs; V1.0.0 checks that Phase 1 is
    as Phase 2 needs it, or makes it. A .conf beside a script says that it must
    not run in one transaction. No database is needed.

    Each script ends with saying in alembic_version where the database is, so
    that sidb and alembic know it afterwards, and can go on or back.

    Run so, nothing asks for locks with care, observes or validates: prefer
    `sidb upgrade` where you can, or set lock_timeout for the session.

    \b
    Examples:
      sidb export-sql migrations
      psql -v ON_ERROR_STOP=1 --single-transaction -f migrations/V2.0.0__analytics_schema.sql
      psql -v ON_ERROR_STOP=1 -f migrations/V2.0.5__create_analytics_indices.sql    # it has a .conf
      flyway -locations=filesystem:migrations -baselineOnMigrate=true -baselineVersion=0 migrate
    """
    from operations import report
    from operations.export import export

    done = export(directory, replace=replace)
    if as_json:
        click.echo(report.to_json(done))
        return
    for each in done.files:
        click.echo(f"{each.outcome:<9}  {directory / each.file}")
