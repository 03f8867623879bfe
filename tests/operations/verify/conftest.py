"""What the tests of the verification share."""

import io

import psycopg
from rich.console import Console
from sqlalchemy import URL

from operations.findings import Findings
from operations.verify import verify
from tests.fixtures.databases import conninfo
from tests.fixtures.lived_in import administrator


def plant(url: URL, statements: str) -> None:
    """Do it as a superuser."""
    with psycopg.connect(conninfo(administrator(url)), autocommit=True) as connection:
        connection.execute(statements)


def look(url: URL, percent: float = 100, **options: bool) -> Findings:
    return verify(url, percent, Console(file=io.StringIO()), **options)


def verdicts(found: Findings, verdict: str) -> dict[str, str]:
    """The lines with a verdict, by check."""
    return {finding.check: finding.detail for finding in found.findings if finding.verdict == verdict}
