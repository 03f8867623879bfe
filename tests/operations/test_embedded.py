"""The embedded server's life: begun twice at once, killed, mistaken, stopped, removed."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import psycopg
import pytest
from alembic_online.errors import OnlineError

from operations.binaries import run, wheel_binaries
from operations.embedded import Server, service_user
from operations.standby import standby
from tests.fixtures.databases import conninfo
from tests.fixtures.server import remove_what_was_left, throwaway_server

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shared(pg_bin: Path) -> Iterator[Server]:
    with throwaway_server(pg_bin) as server:
        yield server


@pytest.fixture
def spare(shared: Server) -> Server:
    """A running server that a test may stop, kill and damage, as long as it can start again."""
    shared.start()
    return shared


@pytest.fixture
def place() -> Iterator[Path]:
    """A new directory that the server's user can pass, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="sidb-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def connect(server: Server) -> "psycopg.Connection[tuple[int]]":
    return psycopg.connect(host=str(server.sockets), port=5432, user="postgres", dbname="postgres", autocommit=True)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 20 seconds"
        time.sleep(0.01)


def launch(script: str, *arguments: object) -> "subprocess.Popen[str]":
    """Start Python on a script whose sys.argv[1:] are the arguments, in a process group of its own."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True)


START = """
import sys
from pathlib import Path
from operations.embedded import Server, service_user
from operations.standby import standby
binaries, home = map(Path, sys.argv[1:])
print(Server(binaries, home / "data", home / "run", service_user()).start())
"""


def test_several_processes_may_start_it_at_once(pg_bin: Path, place: Path) -> None:
    server = Server(pg_bin, place / "home/data", place / "home/run", service_user())
    try:
        processes = [launch(START, pg_bin, place / "home") for _ in range(4)]
        assert sorted(process.communicate(timeout=60)[0].strip() for process in processes) == ["False"] * 3 + ["True"]
        assert server.is_running()
    finally:
        server.remove()
    assert list(place.iterdir()) == []


def test_a_killed_first_start_leaves_nothing_half_done(pg_bin: Path, place: Path) -> None:
    server = Server(pg_bin, place / "home/data", place / "home/run", service_user())
    try:
        process = launch(START, pg_bin, place / "home")
        wait_until(lambda: any(place.glob("home/data.new-*/PG_VERSION")))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert not server.data.exists()
        assert server.start()
        assert not list(place.glob("home/data.new-*"))
    finally:
        server.remove()


def test_it_starts_again_after_kill_9_with_its_data(spare: Server) -> None:
    with connect(spare) as connection:
        connection.execute("SET synchronous_commit = on")  # which the test server switches off
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    with connect(spare):  # a backend that outlives the postmaster for a moment
        os.kill(int((spare.data / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)
        wait_until(lambda: not spare.is_running())
        assert spare.start()
    with connect(spare) as connection:
        assert connection.execute("SELECT number FROM kept").fetchall() == [(7,)]


def test_after_a_reboot_the_process_ids_left_behind_may_belong_to_others(spare: Server) -> None:
    server_pid = spare.data / "postmaster.pid"
    remains = server_pid.read_text().splitlines()
    socket_lock = spare.sockets / ".s.PGSQL.5432.lock"
    assert spare.stop()
    ours = {} if spare.user is None else {"user": spare.user}
    with subprocess.Popen(["/bin/sleep", "60"], **ours) as stranger:  # type: ignore[call-overload]
        for leftover in (server_pid, socket_lock):
            leftover.write_text("\n".join([str(stranger.pid), *remains[1:]]) + "\n")
        assert not spare.is_running()
        assert not spare.stop()
        assert spare.start()
        assert stranger.poll() is None
        stranger.kill()


def test_stop(spare: Server) -> None:
    with connect(spare):  # an open session does not hold it up
        assert spare.stop()
    assert not spare.is_running()
    assert not spare.stop()


def test_psql_command_can_be_pasted_into_a_shell(spare: Server) -> None:
    command = f"{spare.psql_command('postgres')} -Atc 'SELECT 6 * 7'"
    printed = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True)
    assert printed.stdout == "42\n"


def test_a_failed_start_shows_the_servers_own_words(spare: Server) -> None:
    spare.stop()
    with pytest.raises(OnlineError, match=r'(?s)did not start.*shared_buffers.*"plenty".*server\.log'):
        replace(spare, options={"shared_buffers": "plenty"}).start()


def test_data_of_another_major_version_are_refused(spare: Server) -> None:
    spare.stop()
    version = spare.data / "PG_VERSION"
    ours = version.read_text()
    version.write_text("9\n")
    try:
        with pytest.raises(OnlineError, match="made by PostgreSQL 9; installed is"):
            spare.start()
    finally:
        version.write_text(ours)


@pytest.mark.parametrize("trap", ["symlink", "open", "file"])
def test_a_socket_directory_that_somebody_else_prepared_is_refused(spare: Server, place: Path, trap: str) -> None:
    sockets = place / "run"
    if trap == "symlink":
        sockets.symlink_to(spare.sockets)  # leads to a live server: it must not even be asked
    elif trap == "open":
        sockets.mkdir()
        sockets.chmod(0o777)
    else:
        sockets.write_text("")
    for action in (Server.is_running, Server.start):
        with pytest.raises(OnlineError, match="should be a closed directory of our own"):
            action(replace(spare, sockets=sockets))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
def test_the_programs_are_copied_out_of_an_environment_that_the_servers_user_cannot_enter(place: Path) -> None:
    closed, home = place / "closed", place / "home"
    installed = wheel_binaries(None, home).parents[1]
    for name in (installed.name, f"{installed.name}.libs"):
        if installed.with_name(name).exists():
            shutil.copytree(installed.with_name(name), closed / name, symlinks=True)
    closed.chmod(0o700)
    script = f"""
import sys; sys.path.insert(0, {str(closed)!r})
from pathlib import Path
from operations.binaries import copy_wheel, wheel_binaries
binaries = wheel_binaries("nobody", Path({str(home)!r}))
copy_wheel(binaries, "nobody")
print(binaries)
"""
    printed = {process.communicate(timeout=60)[0].strip() for process in [launch(script) for _ in range(3)]}
    [binaries] = map(Path, printed)
    assert home in binaries.parents
    assert [path.name for path in home.iterdir()] == [binaries.parents[2].name]
    assert run([binaries / "initdb", "--version"], "nobody").returncode == 0


SERVED = """
import sys, time
from pathlib import Path
from tests.fixtures.databases import conninfo
from tests.fixtures.server import throwaway_server
with throwaway_server(Path(sys.argv[1])) as server:
    print(server.home, server.sockets, flush=True)
    time.sleep(60)
"""


def test_the_test_server_disappears_when_the_tests_are_killed(pg_bin: Path) -> None:
    process = launch(SERVED, pg_bin)
    assert process.stdout is not None
    home, sockets = map(Path, process.stdout.readline().split())
    with (home / "alive").open() as alive:  # locked as long as any process of the server lives
        assert not lock(alive)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        wait_until(lambda: not home.exists() and not sockets.exists())
        wait_until(lambda: lock(alive))


def test_a_test_server_whose_cleaner_was_killed_too_is_removed_by_the_next(pg_bin: Path) -> None:
    process = launch(SERVED, pg_bin)
    assert process.stdout is not None
    home, sockets = map(Path, process.stdout.readline().split())
    with (home / "alive").open() as alive:
        remove_what_was_left(home.parent)
        assert home.exists()
        assert not lock(alive)
        subprocess.run(["pkill", "-KILL", "-f", f"cleaner {home}"], check=True)  # noqa: S607
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert home.exists()
        remove_what_was_left(home.parent)
        assert not home.exists()
        assert not sockets.exists()
        wait_until(lambda: lock(alive))


def lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def test_a_standby_of_it_is_gone_with_the_block(spare: Server) -> None:
    with standby(spare) as follower:
        with psycopg.connect(conninfo(follower.url("postgres"))) as connection:
            row = connection.execute("SELECT pg_is_in_recovery(), current_setting('max_standby_streaming_delay')")
            assert row.fetchone() == (True, "2s")
        assert follower.home.exists()
    assert not follower.home.exists()
    assert not follower.sockets.exists()
    with pytest.raises(OnlineError, match="can be made"), standby(replace(spare, sockets=spare.home)):
        pass
    assert not follower.home.exists()
