"""The `sidb` command: what its commands have in common. Each has a file in `operations/commands`."""

from typing import Any

import click
from alembic_online.errors import OnlineError

from operations.commands import (
    backfill,
    demo,
    export_sql,
    history,
    maintain,
    monitor,
    preflight,
    rehearse,
    restore,
    rollback,
    server,
    upgrade,
    verify,
)

INTERRUPTED = 130  # as a shell reports Ctrl-C


class Console(click.Group):
    """A group of commands whose errors end as text and an exit code, never as a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OnlineError as error:
            click.secho(str(error), fg="red", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.secho("Interrupted.", fg="red", err=True)
            ctx.exit(INTERRUPTED)


@click.group(cls=Console, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="social-intelligence-db", prog_name="sidb")
def main() -> None:
    """The Social Intelligence database: its server, its rollout, its upkeep.

    DATABASE_URL says which PostgreSQL (15 or newer) is meant:
    postgresql://user:password@host:5432/database. Without it, an embedded
    PostgreSQL of this clone is started and used.

    \b
    Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted.
    """


main.add_command(demo.demo)
main.add_command(preflight.preflight)
main.add_command(upgrade.upgrade)
main.add_command(rollback.rollback)
main.add_command(restore.restore)
main.add_command(history.history)
main.add_command(backfill.backfill)
main.add_command(verify.verify)
main.add_command(maintain.maintain)
main.add_command(export_sql.export_sql)
main.add_command(monitor.monitor)
main.add_command(rehearse.rehearse)
main.add_command(server.server)
