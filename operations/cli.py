"""The `sidb` command: what its commands have in common. Each has a file in `operations/commands`."""

import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click
from alembic_online.errors import Stopped
from alembic_online.interrupts import noting

from operations import output
from operations.commands import (
    backfill,
    demo,
    erase,
    export_sql,
    history,
    maintain,
    monitor,
    preflight,
    rehearse,
    report,
    restore,
    retention,
    rollback,
    server,
    status,
    upgrade,
    verify,
)
from operations.endings import Ending, ending


class Console(click.Group):
    """A group of commands each of which ends as text and an exit code, with --json as JSON; never as a traceback."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        given = sys.argv[1:] if args is None else list(args)
        with noting():
            try:
                code = super().main(given, *rest, **{**extra, "standalone_mode": False})
            except click.exceptions.NoArgsIsHelpError as error:
                click.echo(error.format_message(), err=True)
                code = error.exit_code
            except Exception as error:  # Ctrl-C while a question was asked comes as an Abort
                command = next((word for word in given if word in self.commands), None)
                _end(ending(error, command), as_json="--json" in given)
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:  # which click would make an Abort of, as of an answer that is no
            how = ending(error, ctx.invoked_subcommand)
            raise Stopped(how.error, how.next_step) from None


def _end(how: Ending, *, as_json: bool) -> NoReturn:
    output.say(output.console(stderr=True), str(how), "red")
    if as_json:
        click.echo(how.to_json())
    sys.exit(how.exit_code)


@click.group(cls=Console, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="social-intelligence-db", prog_name="sidb")
def main() -> None:
    """The Social Intelligence database: its server, its rollout, its upkeep.

    DATABASE_URL says which PostgreSQL (15 or newer) is meant:
    postgresql://user:password@host:5432/database. Without it, an embedded
    PostgreSQL of this clone is started and used.

    \b
    Exit codes: 0 done, 1 failed, 2 wrong use, 3 not everything could be
    looked at, 130 interrupted.
    """


main.add_command(demo.demo)
main.add_command(status.status)
main.add_command(preflight.preflight)
main.add_command(upgrade.upgrade)
main.add_command(rollback.rollback)
main.add_command(restore.restore)
main.add_command(history.history)
main.add_command(backfill.backfill)
main.add_command(verify.verify)
main.add_command(maintain.maintain)
main.add_command(retention.retention)
main.add_command(erase.erase)
main.add_command(export_sql.export_sql)
main.add_command(monitor.monitor)
main.add_command(report.report)
main.add_command(rehearse.rehearse)
main.add_command(server.server)
