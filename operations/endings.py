"""How a command that failed ends: with a sentence, what to do next and an exit code, and never more."""

import json
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb

import click
from alembic.util import CommandError
from alembic_online.errors import AddressError, OnlineError, Stopped
from alembic_online.held import AGAIN, is_missed, reason
from alembic_online.interrupts import is_interrupt
from alembic_online.messages import server_error
from psycopg import Error as PostgresError
from sqlalchemy.exc import DBAPIError

from backfill.errors import BackfillError
from operations.settings import EXAMPLE, Settings

FAILED = 1

ADDRESS = (
    f"The database URL is the environment variable DATABASE_URL, written {EXAMPLE}. Set it for this program, not"
    " for your service, and run the same command again, which is safe."
)
READ_ONLY = "nothing was changed; run it again when you like."
AFTER_CTRL_C = {
    "upgrade": "no step was at work, so that nothing is half done (`sidb status` shows the revision); run"
    " `sidb upgrade` again, which is safe.",
    "rollback": "`sidb status` says where it stands; `sidb rollback` continues where it was, which is safe.",
    "restore": "`sidb status` says where it stands; the same `sidb restore` continues where it was, which is safe.",
    "backfill": "finished batches stay, the one at work was undone; run the same command again, it continues there.",
    "maintain": "parts that are done stay, the one at work was undone; run `sidb maintain` again.",
    "retention": "the setting is one statement: it is as before, or as you gave it; `sidb retention` shows which.",
    "erase": "`sidb status` says whether one is half-way; `sidb erase --resume` finishes that, which is safe.",
    "demo": "what is built stays; run `sidb demo` again, it continues there, or `sidb server remove` to begin anew.",
    "rehearse": "a staging database stays as it is now: restore its snapshot before the next rehearsal.",
    "preflight": "nothing of yours was changed; what --prepare had raised is put back by `sidb preflight --finish`.",
    "export-sql": "files that are written stay; run it again with --replace.",
    "server": "run `sidb server status` to see how it is.",
}
"""By command: what is done, whether it is safe to go on, and what to type."""


@dataclass(frozen=True)
class Ending:
    """What is wrong, what to do next, and the exit code."""

    error: str
    next_step: str
    exit_code: int

    def __str__(self) -> str:
        return f"{self.error}\nNext: {self.next_step}"

    def to_json(self) -> str:
        """For programs; on standard output, where they read."""
        return json.dumps(self.__dict__, ensure_ascii=False, indent=2)


def ending(error: BaseException, command: str | None) -> Ending:
    """How a command ends for whatever reason."""
    match error:
        case Stopped():
            return Ending(error.what, error.next_step, error.exit_code)
        case _ if is_interrupt(error):
            return Ending("Interrupted.", AFTER_CTRL_C.get(command or "", READ_ONLY), Stopped.exit_code)
        case AddressError() if Settings.from_environment().database_url:
            return Ending(error.what, f"{error.next_step}\n{ADDRESS}", error.exit_code)
        case OnlineError():
            return Ending(error.what, error.next_step, error.exit_code)
        case BackfillError():
            return Ending(error.what, error.next_step, FAILED)
        case click.exceptions.Abort():
            return Ending("Not confirmed; nothing was changed.", "answer y, or add --yes where nobody can.", FAILED)
        case click.ClickException():
            helped = f"sidb {command} --help" if command else "sidb --help"
            return Ending(error.format_message(), f"see `{helped}`.", error.exit_code)
        case DBAPIError() | PostgresError() if is_missed(error) and (url := Settings.from_environment().database_url):
            return Ending(f"It could not be done: {reason(error, url)}.", f"{AGAIN}.", FAILED)
        case DBAPIError() if isinstance(error.orig, PostgresError):
            return ending(server_error(error.orig), command)
        case PostgresError():
            return ending(server_error(error), command)
        case CommandError():
            return Ending(str(error), "see `alembic history` for the revisions.", FAILED)
        case OSError() if error.strerror:
            where = f"{error.filename}: " if error.filename else ""
            return Ending(f"{where}{error.strerror}.", "see that it is there, may be used, and has space.", FAILED)
        case _:
            return Ending(_fault(error), "run it again; if it ends the same way, report this line as a fault.", FAILED)


def _fault(error: BaseException) -> str:
    """A fault of our own, in one line: which it is, and where. Its text may quote values, and is left out."""
    frames = extract_tb(error.__traceback__)
    where = f" at {Path(*Path(frames[-1].filename).parts[-2:])}:{frames[-1].lineno}" if frames else ""
    return f"A fault of this program: {type(error).__name__}{where}."
