"""What a step changed is compared with what its revision says, line by line: nothing missing, nothing besides."""

from types import ModuleType

import psycopg
import pytest
from alembic.script import Script
from alembic_online.errors import OnlineError
from alembic_online.validation import refuse_invalid

from operations.embedded import Server
from operations.scope import SCOPE
from tests.fixtures.databases import conninfo

TABLE = ["added index shop.orders.at", "removed privileges of shop_reader on table shop.old", "removed table shop.old"]


def refused(server: Server, changed: list[str], **said: object) -> list[str]:
    """What is found about a step that says TABLE of its upgrade; none: it passes."""
    module = ModuleType("revision")
    module.__dict__.update(revision="1", down_revision=None, changes={"upgrade": [TABLE]}, **said)
    with psycopg.connect(conninfo(server.url("postgres"))) as observer:
        try:
            refuse_invalid(observer, SCOPE, Script(module, "1", "1.py"), "upgrade", [changed], [])
        except OnlineError as error:
            return [line.strip() for line in error.what.splitlines()[1:]]
    return []


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        (TABLE, []),
        (TABLE[1:], ["missing: added index shop.orders.at"]),
        ([TABLE[0], TABLE[2]], []),
        ([*TABLE, "removed index shop.old.theirs"], []),
        ([*TABLE, "removed sequence shop.old_id_seq"], []),
        ([*TABLE, "removed table shop.theirs"], ["not expected: removed table shop.theirs"]),
        (
            [*TABLE, "removed index shop.theirs.at", "removed table shop.theirs"],
            ["not expected: removed index shop.theirs.at", "not expected: removed table shop.theirs"],
        ),
        (TABLE[:2], ["missing: removed table shop.old"]),
    ],
    ids=[
        "all",
        "one less",
        "revoked before",
        "its index",
        "its sequence",
        "a table",
        "a table's index",
        "a table less",
    ],
)
def test_a_step_is_what_its_revision_says(server: Server, changed: list[str], found: list[str]) -> None:
    assert refused(server, changed) == found


@pytest.mark.parametrize(
    ("line", "passes"),
    [
        ("added index shop.orders.theirs", True),
        ("added index shop.others.theirs", False),
        ("added privileges of shop_reader on table shop.orders", False),
        ("removed setting shop.orders.storage fillfactor", True),
        ("removed setting shop.orders.owner", False),
        ("removed index shop.orders.theirs", False),
    ],
)
def test_what_others_have_on_a_replaced_table_comes_with_it(server: Server, line: str, passes: bool) -> None:
    found = refused(server, [*TABLE, line], replaces={"upgrade": ["shop.orders"]})
    assert found == ([] if passes else [f"not expected: {line}"])
