"""What the tests of the preflight share."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import URL, Engine

from operations.embedded import Server
from operations.findings import Finding, Findings
from operations.output import console
from operations.phase1 import Shape
from operations.preflight.context import Request, open_context
from operations.preflight.preflight import QUESTIONS, run
from tests.fixtures.cluster import Cluster
from tests.fixtures.databases import Clone, conninfo
from tests.fixtures.lived_in import administrator
from tests.revisions.conftest import Deployment, deploy


def ask(url: URL, check: str, request: Request | None = None) -> Finding:
    """The answer to one question."""
    with open_context(url, request or Request()) as context:
        answer = next(question for known, question in QUESTIONS.items() if known.name == check)(context)
    assert isinstance(answer, Finding)
    return answer


def look(url: URL, request: Request | None = None, **options: object) -> Findings:
    """A whole preflight, for so few rows that there is space for them everywhere."""
    return run(url, request or Request(rows=1_000), console(stderr=True), **options)  # type: ignore[arg-type]


def execute(url: URL, *statements: str) -> None:
    """Do it as a superuser."""
    with psycopg.connect(conninfo(administrator(url)), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.fixture
def owner(server: Server, clone: Clone, connect: Callable[..., Engine]) -> URL:
    """Phase 1 with a materialized view, as its owner reaches it, who is nothing more."""
    return owner_of(deploy(server, clone("empty"), Shape.MATVIEW, connect, niches=20))


def owner_of(deployment: Deployment) -> URL:
    return deployment.owner.url


@pytest.fixture
def phase1(cluster: Cluster, cluster_clone: Clone) -> Iterator[URL]:
    """Phase 1 on the cluster's primary, whose settings are afterwards as they were."""
    yield cluster_clone("phase1_table")
    execute(cluster.url(), "ALTER SYSTEM RESET ALL", "SELECT pg_reload_conf()")
