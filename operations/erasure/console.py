"""`sidb erase` at the console: what is asked for, the question before it, and how the certificate is shown."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from alembic_online.errors import UsageError
from sqlalchemy import URL

from operations import output
from operations.database import address
from operations.erasure import certificate, preview, stopped, users
from operations.erasure.erase import RESUME, Asked, erase
from operations.settings import Settings, reading_share
from operations.status import amiss

KEEP_IT = (
    "write a certificate, by the same ids with --certificate FILE: after a recovery of a backup these users' rows are"
    " back, and the certificate repeats the erasure."
)


@dataclass(frozen=True)
class Options:
    """What stands on the command line beside the ids."""

    listed: str | None
    certificate: str | None
    again: bool
    resume: bool
    dry_run: bool
    yes: bool
    fast: bool
    as_json: bool


def run(arguments: Sequence[str], given: Options) -> None:
    """Erase, and show the certificate; exits with its code. Raises OnlineError.

    `arguments` are ids, or certificates.
    """
    settings = Settings.from_environment()
    asked = _asked(arguments, given)
    if given.as_json and not (given.yes or given.dry_run):
        raise UsageError("--json does not ask.", "add --yes.")
    url = address(settings)
    (amiss.tell if given.dry_run else amiss.refuse)(url, "erase")
    console = output.console(stderr=given.as_json)
    if given.dry_run or not (given.yes or given.resume):  # an erasure that is resumed was confirmed before
        _preview(url, asked, given)
        if given.dry_run:
            return
        click.confirm("\nErase them now, for good?", abort=True)
    file = None if given.certificate is None else Path(given.certificate)
    with stopped.told(url, file):
        made = erase(url, asked, console, settings.options, reading_share(given.fast), file)
    if given.as_json:
        click.echo(output.to_json(made))
    else:
        certificate.show(made, console)
        output.say(console, f"\nNext: {_next(made, file)}")
    raise SystemExit(made.exit_code)


def _asked(arguments: Sequence[str], given: Options) -> Asked:
    if given.certificate == "":
        raise UsageError("--certificate names no file.", "give its name: only the certificate repeats the erasure.")
    if (given.resume and (arguments or given.listed or given.again)) or (given.again and given.listed):
        raise UsageError("Ids, --again and --resume exclude one another.", "give one of them.")
    if given.again:
        if not arguments:
            raise UsageError("Which certificate?", "sidb erase --again CERTIFICATE…")
        found = [each for path in arguments for each in certificate.read(Path(path))]
        return Asked(again=tuple(dict.fromkeys(found)))
    if given.resume:
        return Asked()
    return Asked(user_ids=tuple(users.read([*arguments, *_lines(given.listed)])))


def _lines(name: str | None) -> list[str]:
    """Those of a file, or of standard input, whatever the locale. Raises OSError, or UsageError."""
    if name is None:
        return []
    content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{name} is not UTF-8.", "write the ids in UTF-8, one a line.") from None
    return [line.rstrip("\r") for line in text.split("\n")]


def _preview(url: URL, asked: Asked, given: Options) -> None:
    """What would go; of hashes alone, how many they are."""
    if asked.user_ids:
        found = preview.preview(url, list(asked.user_ids))
        if given.as_json:
            click.echo(output.to_json(found))
        else:
            preview.show(found, output.console())
    elif given.dry_run:
        raise UsageError("--dry-run needs the ids.", "give the ids, or leave it out.")
    elif asked.again:
        click.echo(f"{len(asked.again):,} user{'s' if len(asked.again) > 1 else ''} of the certificates")


def _next(made: certificate.Certificate, file: Path | None) -> str:
    if made.left:
        return f"end the sessions that have rows of theirs locked, or write more of them; then `{RESUME}`"
    if made.uncommitted:
        return f"see that these transactions end; then `{RESUME}`"
    if made.niches_left:
        return f"see to that; then `{RESUME}`"
    return f"keep {file} where backups are not: it repeats the erasure." if file else KEEP_IT
