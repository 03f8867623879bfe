"""`sidb demo`."""

import click


@click.command()
@click.option("--shape", type=click.Choice(["table", "matview"]), default="table", help="What hot_niches_today is.")
def demo(shape: str) -> None:
    """Migrate a sample Phase 1 database of 20,000 niches in the embedded PostgreSQL.

    Run again, it says that there is nothing to do; after an interruption, it
    goes on. Each shape of hot_niches_today has a database of its own.

    \b
    Examples:
      sidb demo                   hot_niches_today is a table
      sidb demo --shape matview   it is a materialized view
    """
    from alembic_online.errors import UsageError

    from operations import output
    from operations.demo.demo import run, show
    from operations.embedded import project_server
    from operations.phase1 import Shape
    from operations.settings import Settings

    settings = Settings.from_environment()
    if settings.database_url is not None:
        raise UsageError(
            "DATABASE_URL is set, but a demo runs in the embedded PostgreSQL only.", "unset DATABASE_URL for it."
        )
    console = output.console()
    result = run(project_server(settings.data_home), Shape(shape), say=console.print)
    show(result, console)
