"""Snapshot and diff: what PostgreSQL stores, told completely and in an order in which it could be created."""

from collections.abc import Callable

from alembic_online.catalog import Identity, Snapshot, diff, snapshot
from sqlalchemy import Engine, text

from operations.scope import SCOPE
from tests.fixtures.databases import Clone


def of(engine: Engine) -> Snapshot:
    with engine.connect() as connection:
        return snapshot(connection, SCOPE)


def test_create_all_and_upgrade_head_give_the_same_snapshot(clone: Clone, connect: Callable[..., Engine]) -> None:
    created, migrated = of(connect(clone("created"))), of(connect(clone("migrated_table")))
    assert len(created) > 350
    assert [f"{change}: {change.before} → {change.after}" for change in diff(created, migrated)] == []
    assert created == migrated


def test_it_reads_and_changes_nothing(migrated: Engine) -> None:
    with migrated.connect() as connection:
        connection.execute(text("SET search_path = analytics, public"))
        first = snapshot(connection, SCOPE)
        assert connection.scalar(text("SHOW search_path")) == "analytics, public"
        assert snapshot(connection, SCOPE) == first
        assert first[Identity("view", "analytics", "current_trends")].startswith("CREATE VIEW analytics.current_trends")


def test_other_peoples_objects_are_not_in_it(migrated: Engine) -> None:
    before = of(migrated)
    with migrated.begin() as connection:
        connection.execute(text("CREATE TABLE theirs (id bigint PRIMARY KEY REFERENCES features (niche_id))"))
        connection.execute(text("CREATE VIEW their_view AS SELECT niche_id FROM analytics.current_trends"))
        connection.execute(text("CREATE FUNCTION their_function() RETURNS int LANGUAGE sql AS 'SELECT 1'"))
    after = of(migrated)
    assert after == before
    # but who of them uses ours is known
    assert [str(user) for user in after.users(Identity("view", "analytics", "current_trends"))] == [
        "view public.their_view"
    ]


def test_its_order_is_one_in_which_everything_can_be_created(migrated: Engine) -> None:
    found = of(migrated)
    place = {identity: number for number, identity in enumerate(found)}
    assert len(found.uses) > 100
    for user, used in found.uses.items():
        assert user.kind == "sequence" or all(place[what] < place[user] for what in used), user
    for identity in found:
        parent = found.parent(identity) if identity.kind != "sequence" else None  # its owner comes to be after it
        assert parent is None or place[parent] < place[identity], identity


def test_its_removals_drop_everything(migrated: Engine) -> None:
    with migrated.begin() as connection:
        there = snapshot(connection, SCOPE)
        for identity in reversed(there):
            if identity.schema == "analytics" or identity.kind in ("trigger", "comment"):
                owned = identity.kind == "sequence" and "OWNED BY" in there[identity]
                of_key = identity.kind == "column" and "PARTITION BY" in there.get(there.parent(identity), "")
                if not owned and not of_key:  # it went with its column, it goes with its table
                    connection.exec_driver_sql(there.removals[identity])
        assert not [identity for identity in snapshot(connection, SCOPE) if identity.schema == "analytics"]
