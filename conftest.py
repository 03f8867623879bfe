"""Wiring: the command-line option and the shared fixtures, which stand in tests/fixtures by subject."""

import os
import signal

import pytest

pytest_plugins = [
    "tests.fixtures.server",
    "tests.fixtures.databases",
    "tests.fixtures.both_databases",
    "tests.fixtures.cluster",
    "tests.fixtures.replicas",
    "tests.fixtures.pooler",
    "tests.fixtures.rows",
    "tests.fixtures.roles",
    "tests.fixtures.readers",
    "tests.fixtures.receiver",
]

# Tests reach only databases that they made: never the one that the developer's shell points at.
for name in [name for name in os.environ if name == "DATABASE_URL" or name.startswith("PG")]:
    del os.environ[name]

# No command rests for the sessions that a test itself has open, unless the test is about that.
os.environ["SIDB_BACKFILL_SHARE"] = "100"

# A shell starts what runs in the background with Ctrl-C ignored, and so would be the programs that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--histories", type=int, default=4, metavar="N", help="how many orders of everything are tried")
    parser.addoption("--steps", type=int, default=14, metavar="N", help="how many steps each of them has")
    parser.addoption("--kills", type=int, default=10, metavar="N", help="how often the backfill is killed")
    parser.addoption("--pg-bin", metavar="DIRECTORY", help="run on the PostgreSQL whose programs are in this directory")
    parser.addoption("--kept-server", metavar="DIRECTORY", help="leave the server running there, for the next run")
    parser.addoption("--every-setting", action="store_true", help="each setting by itself, not only all at once")
    parser.addoption("--both-databases", action="store_true", help="each test of a command on both kinds of database")
    parser.addoption("--every-way", action="store_true", help="roll back from every revision to every earlier one")
    parser.addoption("--every-kill", action="store_true", help="kill wherever something else is committed")


@pytest.fixture
def every_kill(pytestconfig: pytest.Config) -> bool:
    return bool(pytestconfig.getoption("--every-kill"))
