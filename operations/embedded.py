"""The PostgreSQL that starts when no address is given: one server for each clone and user, reached through a socket."""

import fcntl
import hashlib
import os
import pwd
import re
import shlex
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from alembic_online.errors import OnlineError
from psycopg import pq
from sqlalchemy import URL

from operations.binaries import copy_wheel, make_directory, run, wheel_binaries
from operations.settings import DRIVER

SUPERUSER = "postgres"
PORT = "5432"  # only a part of the socket's name; given everywhere because PGPORT would change it
CLONE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Server:
    """A PostgreSQL of our own: its binaries, data directory and socket directory, and the system user that runs it.

    `user` is None for whoever calls, or a name when root calls. The directory that holds `data` is the server's home:
    it also keeps the locks and is deleted with it. All failures are OnlineError.
    """

    binaries: Path
    data: Path
    sockets: Path
    user: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.data.parent

    @property
    def log(self) -> Path:
        return self.data / "server.log"

    def url(self, database: str) -> URL:
        """The address of one of its databases, for the superuser."""
        return URL.create(DRIVER, SUPERUSER, database=database, query={"host": str(self.sockets), "port": PORT})

    def psql_command(self, database: str) -> str:
        """A shell command that opens psql; works for the caller and, where root started the server, for root."""
        psql = self.binaries / "psql"
        return shlex.join([str(psql), "-h", str(self.sockets), "-p", PORT, "-U", SUPERUSER, "-d", database])

    def is_running(self) -> bool:
        """Whether it accepts connections now."""
        return self._sockets_are_ours() and self._ping() == pq.Ping.OK

    def start(self) -> bool:
        """Start it, with a new data directory at first; False if it ran already. Several processes may call at once."""
        if self.is_running():
            return False
        with self._locked():
            if self.is_running():
                return False
            self.provide_binaries()
            self._make_sockets()
            if not self.data.exists():
                self._initialise()
            self._refuse_another_major_version()
            with self._alive_file() as alive:
                if self._wait_until_dead(alive):
                    self._launch(alive)
        return True

    def provide_binaries(self) -> None:
        """Make the copy of the programs, where they belong into the server's home."""
        if self.binaries.is_relative_to(self.home):
            copy_wheel(self.binaries, self.user)

    def stop(self) -> bool:
        """Stop it, ending its sessions; False when it did not run."""
        if not self.home.exists():
            return False
        with self._locked():
            return self._stop()

    def remove(self) -> None:
        """Stop it and delete all its data."""
        if not self.home.exists():
            return
        with self._locked():
            self._stop()
            for directory in (self.sockets, self.home):
                if directory.exists():
                    shutil.rmtree(directory)

    def _stop(self) -> bool:
        with self._alive_file() as alive:
            if _try_lock(alive):
                return False
            result = self._run("pg_ctl", "stop", "-D", self.data, "-m", "fast", "-w", "-t", "60")
            if result.returncode != 0 or not self._wait_until_dead(alive):
                raise self._failure("could not be stopped", result.stderr)
            return True

    def _launch(self, alive: IO[str]) -> None:
        # No process of this server lives (we hold `alive`): what an earlier life left is stale, whatever pid it names.
        for leftover in (self.data / "postmaster.pid", *self.sockets.glob(".s.PGSQL.*")):
            leftover.unlink(missing_ok=True)
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "port": PORT,
            **self.options,
        }
        arguments = shlex.join(part for name, value in options.items() for part in ("-c", f"{name}={value}"))
        before = self.log.stat().st_size if self.log.exists() else 0
        where = ("-D", self.data, "-l", self.log)
        result = self._run("pg_ctl", "start", *where, "-w", "-t", "120", "-o", arguments, pass_fds=[alive.fileno()])
        if result.returncode != 0:
            raise self._failure("did not start", self._log_since(before))

    def _initialise(self) -> None:
        # Under another name until it is complete, so that a killed initdb leaves nothing that looks like a database.
        for leftover in self.home.glob("data.new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        staging = Path(tempfile.mkdtemp(prefix="data.new-", dir=self.home))
        try:
            if self.user:
                shutil.chown(staging, self.user)
            # Trust is enough: only who may enter the closed socket directory can connect at all.
            choices = ["--auth=trust", "--encoding=UTF8", "--no-locale", f"--username={SUPERUSER}"]
            result = self._run("initdb", "-D", staging, *choices)
            if result.returncode != 0:
                raise self._failure("could not be initialised", result.stderr or result.stdout)
            staging.rename(self.data)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _refuse_another_major_version(self) -> None:
        ours = self._run("postgres", "--version").stdout
        have = (self.data / "PG_VERSION").read_text().strip()
        if f" {have}." not in ours and not re.search(rf" {have}(\D|$)", ours):
            raise OnlineError(
                f"The data directory {self.data} was made by PostgreSQL {have}; installed is {ours.strip()}.",
                "delete the embedded database with `sidb server remove`, or reinstall the version that made it.",
            )

    def _run(
        self, program: str, *arguments: str | Path, pass_fds: Sequence[int] = ()
    ) -> subprocess.CompletedProcess[str]:
        return run([self.binaries / program, *arguments], self.user, pass_fds)

    def _ping(self) -> pq.Ping:
        conninfo = f"host='{self.sockets}' port={PORT} user={SUPERUSER} dbname={SUPERUSER}"
        return pq.Ping(pq.PGconn.ping(conninfo.encode()))

    # The postmaster and all its children inherit the open file `alive` with its lock. Being able to lock it proves that
    # none of them lives: no process id is trusted, which a reboot or a container's restart may have given to another.

    def _alive_file(self) -> IO[str]:
        return _open_lock(self.home / "alive")

    def _wait_until_dead(self, alive: IO[str]) -> bool:
        """True once `alive` is locked by us, False when the server turns out to accept connections."""
        deadline = time.monotonic() + 30
        while not _try_lock(alive):
            if self.is_running():
                return False
            if time.monotonic() > deadline:
                raise self._failure("has running processes but accepts no connection", self._log_since(0))
            time.sleep(0.05)
        return True

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Exclude every other process that starts, stops or removes this server."""
        path = self.home / "lock"
        while True:
            self._make_home()
            with _open_lock(path) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if path.exists() and os.path.samestat(os.fstat(lock.fileno()), path.stat()):
                    yield
                    return
                # `remove` deleted the file that we were waiting for: begin again with its successor.

    def _make_home(self) -> None:
        with _reported(f"The directory {self.home} cannot be created"):
            make_directory(self.home, 0o755 if self.user else 0o700)  # that user must pass; `data` itself is closed

    def _owner(self) -> int:
        return pwd.getpwnam(self.user).pw_uid if self.user else os.geteuid()

    def _sockets_are_ours(self) -> bool:
        """False if the directory is missing. Raises if somebody else put it there: they would see every statement."""
        try:
            found = self.sockets.lstat()
        except FileNotFoundError:
            return False
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != self._owner() or found.st_mode & 0o077:
            raise OnlineError(
                f"{self.sockets} should be a closed directory of our own, but it belongs or is open to somebody else.",
                f"find out who made it (ls -ld {shlex.quote(str(self.sockets))}) and delete it.",
            )
        return True

    def _make_sockets(self) -> None:
        if self._sockets_are_ours():
            return
        with _reported(f"The socket directory {self.sockets} cannot be created"):
            self.sockets.mkdir(mode=0o700)
            if self.user:
                shutil.chown(self.sockets, self.user)

    def _log_since(self, position: int) -> str:
        return self.log.read_bytes()[position:].decode(errors="replace") if self.log.exists() else ""

    def _failure(self, what: str, output: str) -> OnlineError:
        lines = [f"  {line}" for line in output.strip().splitlines()[-8:]]
        return OnlineError(
            "\n".join([f"The embedded PostgreSQL in {self.data} {what}.", *lines]),
            f"see {self.log}, or set DATABASE_URL to use another PostgreSQL.",
        )


def project_server(data_home: Path) -> Server:
    """This clone's server for the calling user; not started. Root's is run by `nobody`, as PostgreSQL refuses root."""
    user = service_user()
    home = (Path("/var/lib") if user else data_home) / "sidb" / _short_name(CLONE)
    return Server(
        binaries=wheel_binaries(user, home),
        data=home / "data",
        sockets=Path(f"/tmp/sidb-{os.getuid()}-{_short_name(home)}"),  # noqa: S108 - a socket's path may have 107 bytes; owner checked
        user=user,
        options={"shared_preload_libraries": "pg_stat_statements", "timezone": "UTC", "log_timezone": "UTC"},
    )


def _short_name(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:8]


def service_user() -> str | None:
    """Who runs a server of ours: `nobody` when root calls, else the caller (None)."""
    return "nobody" if os.geteuid() == 0 else None


def _open_lock(path: Path) -> IO[str]:
    return open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600))  # closed: reading is enough to lock


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _reported(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OnlineError(
            f"{what}: {error.strerror}.",
            "make that place writable, choose another with XDG_DATA_HOME, or set DATABASE_URL.",
        ) from error
