"""Commands that a revision must not execute: refused before they run, and found out where they ran all the same."""

import pytest
from alembic_online import OnlineError
from alembic_online.commands import commands

from tests.engine.test_data_loss import HEAD, NEXT, OUTSIDE, ByHand, by_hand, placed, run, sql

__all__ = ["by_hand"]

ATOMIC = """
    CREATE OR REPLACE FUNCTION f(n int) RETURNS int BEGIN ATOMIC
        SELECT CASE n WHEN 1 THEN 2 END; SELECT 2;
    END;
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("COMMIT", ["COMMIT"]),
        ("SELECT 1; /* a /* b */ ; */ end; -- ;\n Start  transaction read only", [None, "END", "START TRANSACTION"]),
        ("prepare transaction 'x'; PREPARE p AS SELECT 1; ABORT", ["PREPARE TRANSACTION", None, "ABORT"]),
        ("SAVEPOINT a; ROLLBACK WORK TO a; RELEASE a; rollback to a; ROLLBACK WORK", [*[None] * 4, "ROLLBACK"]),
        (r"SELECT '; COMMIT', E'\'; COMMIT', U&'; COMMIT', "
         """ "; COMMIT", $$; COMMIT$$, $b$; $$ COMMIT$b$, 'it''s; COMMIT' """, [None]),
        (ATOMIC + "COMMIT AND CHAIN", [None, "COMMIT"]),
        ("CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2); BEGIN", [None, "BEGIN"]),
        ("DO $$ BEGIN PERFORM 1; END $$; ;", [None]),
        ("ROLLBACK PREPARED 'x'; SELECT a$b$ FROM t; COMMIT", [None, None, "COMMIT"]),
    ],
)  # fmt: skip
def test_what_ends_a_transaction(text: str, found: list[str | None]) -> None:
    assert [command.transaction for command in commands(text)] == found


@OUTSIDE
@pytest.mark.parametrize("text", ["COMMIT", "SELECT 1; -- done\\n commit"])
def test_a_commit_in_a_revision_is_refused(by_hand: ByHand, text: str, outside: bool) -> None:
    run(
        by_hand.url,
        "INSERT INTO orders (order_id) VALUES (1)",
        "CREATE FUNCTION tidy() RETURNS void LANGUAGE plpgsql AS 'BEGIN DROP TABLE orders; END'",
    )
    by_hand.write(placed(text, outside) if outside else f"{sql('SELECT tidy()')}\n{sql(text)}")
    with pytest.raises(OnlineError, match="its body holds COMMIT, and was stopped before it") as refused:
        by_hand.upgrade()
    assert outside or "nothing of it stays" in refused.value.what
    assert "autocommit_block()" in refused.value.next_step
    assert run(by_hand.url, "SELECT count(*) FROM orders") == [(1,)]


ENDED = {
    "past SQLAlchemy": f"op.get_bind().connection.driver_connection.execute('COMMIT')\n{sql('SELECT 2')}",
    "in what another setting makes a command": (
        f"{sql('SET LOCAL standard_conforming_strings = off')}\n"
        'op.get_bind().exec_driver_sql(r"""SELECT \'a\\\'\'; COMMIT --\'""")'
    ),
}


@pytest.mark.parametrize("how", ENDED)
def test_a_commit_that_was_executed_stops_the_step(by_hand: ByHand, how: str) -> None:
    by_hand.write(f"{sql('CREATE TABLE made (n int)')}\n{ENDED[how]}\n{sql('CREATE TABLE more (n int)')}")
    with pytest.raises(OnlineError, match="has ended the step's transaction") as stopped:
        by_hand.upgrade()
    assert "what it has done so far stays" in stopped.value.what
    assert run(by_hand.url, "SELECT to_regclass('made') IS NULL, to_regclass('more') IS NULL") == [(False, True)]


NESTED = """
import sqlalchemy as sa
try:
    with op.get_bind().begin_nested():
        op.execute("SELECT 1/0")
except sa.exc.DataError:
    op.execute("SAVEPOINT a; CREATE TABLE made (n int); ROLLBACK TO a")
"""


def test_savepoints_are_the_bodys_own(by_hand: ByHand) -> None:
    by_hand.write(NESTED).upgrade()
    assert run(by_hand.url, "SELECT version_num, to_regclass('made') FROM alembic_version") == [(NEXT, None)]


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("VACUUM full orders", True),
        ("-- all\n vacuum (ANALYZE, FULL) orders", True),
        ("VACUUM (FULL true, FREEZE)", True),
        ("VACUUM (FULL false) orders", False),
        ("VACUUM (VERBOSE, ANALYZE) orders (full_name)", False),
        ('VACUUM "full"', False),
        ("VACUUM", False),
    ],
)
def test_what_is_a_full_vacuum(text: str, full: bool) -> None:
    assert [command.is_full_vacuum for command in commands(text)] == [full]


@pytest.mark.parametrize("text", ["VACUUM FULL orders", "VACUUM (FULL) orders"])
def test_a_full_vacuum_is_refused_before_it_asks_for_its_lock(by_hand: ByHand, text: str) -> None:
    by_hand.write(placed(text, outside=True))
    with pytest.raises(OnlineError, match="VACUUM FULL rewrites the table while nobody can read it") as refused:
        by_hand.upgrade()
    assert "use VACUUM" in refused.value.next_step
    by_hand.write(placed("VACUUM (ANALYZE) orders", outside=True)).upgrade()


SETTING = {
    "SET": sql("SET lock_timeout = '10s'"),
    "SET LOCAL": sql("SET LOCAL lock_timeout = 0"),
    "set_config": sql("SELECT set_config('lock_timeout', '10s', true)"),
    "RESET ALL": sql("RESET ALL"),
    "a function": sql("SELECT patient()"),
}


@pytest.mark.parametrize("how", SETTING)
def test_a_lock_timeout_of_the_body_lasts_for_no_other_statement(by_hand: ByHand, how: str) -> None:
    patient = "BEGIN PERFORM set_config('lock_timeout', '10s', false); END"
    run(
        by_hand.url,
        f"CREATE FUNCTION patient() RETURNS void LANGUAGE plpgsql AS $$ {patient} $$",
        "CREATE FUNCTION capped() RETURNS void LANGUAGE plpgsql AS $$ BEGIN ASSERT"
        " current_setting('lock_timeout') = '20ms', current_setting('lock_timeout'); END $$",
    )
    by_hand.write(f"{SETTING[how]}\n{sql('SELECT capped()')}").upgrade()


def test_what_the_body_sets_for_the_session_ends_with_the_step(by_hand: ByHand) -> None:
    by_hand.write("\n".join([placed("SET statement_timeout = '1h'", outside=True), SETTING["SET"]]))
    (by_hand.directory / "next.py").write_text(
        (by_hand.directory / "by_hand.py")
        .read_text(encoding="utf-8")
        .replace(f'down_revision = "{HEAD}"', f'down_revision = "{NEXT}"')
        .replace(f'revision = "{NEXT}"\ndown', 'revision = "9.9.9"\ndown')
        .partition("def upgrade")[0]
        + f"def upgrade() -> None:\n    {sql(STORE)}\n\n\ndef downgrade() -> None:\n    pass\n",
        encoding="utf-8",
    )
    by_hand.upgrade()
    assert run(by_hand.url, "SELECT name, value FROM stored ORDER BY name") == [
        ("lock_timeout", "20ms"),
        ("statement_timeout", "0"),
    ]


STORE = (
    "CREATE TABLE stored AS SELECT name, current_setting(name) AS value"
    " FROM (VALUES ('lock_timeout'), ('statement_timeout')) AS s (name)"
)


@OUTSIDE
@pytest.mark.parametrize(
    "text",
    [
        "SET lock_timeout = '10s'; ALTER TABLE orders ADD COLUMN more text",
        "DO $$ BEGIN SET LOCAL lock_timeout = '10s'; ALTER TABLE orders ADD COLUMN more text; END $$",
    ],
)
def test_a_lock_timeout_beside_other_commands_is_refused(by_hand: ByHand, text: str, outside: bool) -> None:
    by_hand.write(placed(text, outside))
    with pytest.raises(OnlineError, match="lock_timeout is set in one text with other commands"):
        by_hand.upgrade()
