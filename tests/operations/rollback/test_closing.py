"""Closing tables: who finishes in time is not ended, and what could not be closed or opened again is not begun."""

from contextlib import closing, nullcontext

import psycopg
import pytest
from alembic_online.errors import OnlineError

from operations.phase1 import Shape
from operations.rollback import access
from operations.rollback.records import alone, reading
from operations.rollback.way import way
from tests.engine.conftest import current
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.fixtures.ended import counted
from tests.fixtures.lived_in import administrator
from tests.fixtures.revisions import HEAD
from tests.operations.rollback.conftest import Fill, Role, execute, privileges, roll_back

READ = "SELECT count(*) FROM analytics.trend_cache"
BUSY = "FROM pg_locks AS l"


def test_a_session_that_ends_within_the_grace_is_let_go(fill: Fill) -> None:
    url = fill(Shape.TABLE).url
    with (
        closing(psycopg.connect(conninfo(url))) as reader,
        psycopg.connect(conninfo(url), autocommit=True) as ours,
    ):
        reader.execute(READ)
        looks = 0

        def commit(_: int, statement: str) -> None:
            nonlocal looks
            looks += BUSY in statement
            if looks == 2:
                looks += 1
                reader.commit()

        said: list[str] = []
        counted(lambda: said.append(access.end_sessions(ours, ["analytics.trend_cache"]).detail), commit)
        assert said == ["there were none"]
        assert reader.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("leaves", [True, False])
def test_a_session_that_this_role_may_not_end(clone: Clone, leaves: bool) -> None:
    """It is waited for, and named, unless it has gone by then."""
    url = clone("lived_in_table")
    Alembic(url).upgrade()
    with (
        closing(psycopg.connect(conninfo(administrator(url)))) as reader,
        psycopg.connect(conninfo(url), autocommit=True) as ours,
    ):
        reader.execute(READ)
        asked = False

        def commit(_: int, statement: str) -> None:
            nonlocal asked
            if leaves and asked and BUSY in statement:
                reader.commit()
            asked = asked or "pg_terminate_backend" in statement

        said: list[tuple[str, str]] = []

        def end() -> None:
            found = access.end_sessions(ours, ["analytics.trend_cache"])
            said.append((found.verdict, found.detail))

        counted(end, commit)
        named = f"this role may not end pid {reader.info.backend_pid} (postgres, unnamed): the rollback waits for them"
        assert said == [("ok", "there were none")] if leaves else said == [("warning", named)]


def test_privileges_that_cannot_be_revoked(fill: Fill, role: Role) -> None:
    """Whoever granted it owns nothing there by now: REVOKE by the owner does not touch it."""
    url = fill(Shape.TABLE).url
    app, chief = role("app"), role("chief")
    superuser = administrator(url)
    planted = f"""
        UPDATE pg_class SET relacl = relacl || '{app}=r/{chief}'::aclitem
        WHERE oid = 'analytics.trend_cache'::regclass
    """  # noqa: S608
    execute(superuser, planted)
    before = privileges(superuser)
    with pytest.raises(OnlineError, match="These privileges could not be revoked; nothing was changed") as refused:
        roll_back(superuser, "2.0.1")
    assert f"  SELECT on analytics.trend_cache to {app} by {chief}" in refused.value.what
    assert refused.value.next_step == "revoke them as the role that granted them."
    assert (privileges(superuser), current(url)) == (before, HEAD)
    unplanted = f"""
        UPDATE pg_class SET relacl = array_remove(relacl, '{app}=r/{chief}'::aclitem)
        WHERE oid = 'analytics.trend_cache'::regclass
    """  # noqa: S608
    execute(superuser, unplanted)
    assert roll_back(superuser, None).exit_code == 0


def test_a_function_of_another_role(role: Role, clone: Clone) -> None:
    """What privileges on it are taken away by dropping it, this role could not grant again."""
    url = clone("lived_in_table")
    Alembic(url).upgrade()
    stranger = role("stranger")
    execute(administrator(url), f"ALTER FUNCTION analytics.trend_of(jsonb) OWNER TO {stranger}")
    with psycopg.connect(conninfo(url), autocommit=True) as ours:
        for names, refused in ((["analytics.trend_of(jsonb)"], True), (["analytics.trend_cache"], False)):
            with pytest.raises(OnlineError) if refused else nullcontext() as caught:
                access.refuse_what_cannot_be_opened(ours, names)
            if caught is not None:
                assert f"\n  analytics.trend_of(jsonb) belongs to {stranger}" in caught.value.what
    with pytest.raises(OnlineError, match=rf"analytics\.trend_of\(jsonb\) belongs to {stranger}"):
        roll_back(url, "2.0.3")
    assert current(url) == HEAD


def test_a_member_that_does_not_inherit_owns_nothing(role: Role, clone: Clone) -> None:
    """Without SET ROLE it may neither revoke nor grant."""
    url = clone("migrated_table")
    stranger, member = role("stranger"), role("member")
    of_stranger = f"ALTER FUNCTION analytics.trend_of(jsonb) OWNER TO {stranger}"
    schema = f"GRANT USAGE ON SCHEMA analytics TO {member}"
    execute(administrator(url), f"ALTER ROLE {member} NOINHERIT; GRANT {stranger} TO {member}; {of_stranger}; {schema}")
    with (
        psycopg.connect(conninfo(url.set(username=member)), autocommit=True) as theirs,
        pytest.raises(OnlineError, match=rf"analytics\.trend_of\(jsonb\) belongs to {stranger}"),
    ):
        access.refuse_what_cannot_be_opened(theirs, ["analytics.trend_of(jsonb)"])


def test_a_role_that_reads_everything_is_named(role: Role, clone: Clone) -> None:
    """Also one that is not here; one that may not log in is nobody who could come."""
    url = clone("migrated_table")
    auditor, group = role("auditor"), role("group")
    superuser = administrator(url)
    execute(superuser, f"GRANT pg_read_all_data TO {auditor}, {group}; ALTER ROLE {group} NOLOGIN")
    elsewhere = conninfo(url.set(username=auditor, database="postgres"))
    with psycopg.connect(elsewhere), alone(url) as records:
        back = way(records.session, "2.0.1")
        records.open()
        found = access.close(records, records.begin(back.current, back.target), back)
    assert f"{auditor} (may read or write all data)" in found.detail, "its session is on another database"
    assert group not in found.detail


def test_a_session_on_another_database_is_let_be(fill: Fill, clone: Clone) -> None:
    """Two databases of one template: their relations have the same numbers."""
    url, twin = fill(Shape.TABLE).url, clone("migrated_table")
    with reading(url) as records:
        relations = way(records.session, "1.0.0").applications
    assert "analytics.trend_cache" in relations
    assert not [name for name in relations if "activity_delta" in name or name.endswith("_seq")]
    with (
        closing(psycopg.connect(conninfo(twin))) as reader,
        psycopg.connect(conninfo(url), autocommit=True) as ours,
    ):
        reader.execute(READ)
        assert access.end_sessions(ours, relations).detail == "there were none"
        assert reader.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("part", ["analytics_partitions.analytics_events_first", "public.child"])
def test_a_session_that_holds_what_is_locked_with_its_table(fill: Fill, part: str) -> None:
    """It reads a partition or a child by name, and holds nothing else: the step would wait for it all the same."""
    url = fill(Shape.TABLE).url
    execute(url, "CREATE TABLE public.child () INHERITS (analytics.trend_cache)")
    with reading(url) as records:
        relations = way(records.session, "1.0.0").applications
    with (
        closing(psycopg.connect(conninfo(url))) as reader,
        psycopg.connect(conninfo(url), autocommit=True) as ours,
    ):
        reader.execute(f"TABLE {part}".encode())
        assert f"pid {reader.info.backend_pid} " in access.end_sessions(ours, relations).detail
        with pytest.raises(psycopg.OperationalError):
            reader.execute("SELECT 1")
