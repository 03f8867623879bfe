"""The application's rights: what was lost since the upgrade is named, with its statement; what is no loss is not."""

from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from sqlalchemy import URL

from operations.cli import main
from operations.findings import Finding
from operations.phase1 import Shape
from tests.fixtures.databases import Alembic, Clone
from tests.operations.verify.conftest import look, plant

BEFORE = """
    CREATE ROLE {0}; ALTER TABLE public.features ADD COLUMN note text;
    GRANT SELECT, UPDATE ON public.features TO {0}; GRANT SELECT ON public.hot_niches_today TO {0};
    GRANT SELECT (note) ON public.features TO {0};
    GRANT USAGE ON SEQUENCE public.features_niche_id_seq TO {0}
"""


@pytest.fixture
def role(clone: Clone, shape: Shape) -> Iterator[tuple[str, URL]]:
    """A role that has rights on Phase 1's relations, and the database, upgraded."""
    url = clone(f"phase1_{shape}")
    name = f"{url.database}_application"
    plant(url, BEFORE.format(name))
    Alembic(url).upgrade()
    yield name, url
    plant(url, f"DO $$ BEGIN DROP OWNED BY {name}; DROP ROLE {name}; EXCEPTION WHEN undefined_object THEN END $$")


def rights(url: URL, check: str = "application's rights") -> Finding:
    [found] = [finding for finding in look(url).findings if finding.check == check]
    return found


@pytest.mark.parametrize(
    ("statement", "lost"),
    [
        ("SELECT", None),
        ("GRANT DELETE ON public.features TO {0}", None),
        ("ALTER TABLE public.features DROP COLUMN note", None),
        ("DROP OWNED BY {0}; DROP ROLE {0}", None),
        ("ALTER ROLE {0} RENAME TO {0}_renamed; ALTER ROLE {0}_renamed RENAME TO {0}", None),
        ("ALTER TABLE public.features ALTER COLUMN niche_id SET DEFAULT 7", None),
        ("ALTER TABLE public.features FORCE ROW LEVEL SECURITY", None),
        ("ALTER SEQUENCE public.features_niche_id_seq OWNED BY NONE", None),
        ("REVOKE UPDATE ON public.features FROM {0}", "GRANT UPDATE ON TABLE public.features TO {0}"),
        ("REVOKE SELECT (note) ON public.features FROM {0}", "GRANT SELECT (note) ON TABLE public.features TO {0}"),
        ("REVOKE ALL ON public.hot_niches_today FROM {0}", "GRANT SELECT ON TABLE public.hot_niches_today TO {0}"),
    ],
)
def test_what_is_lost_is_named(role: tuple[str, URL], statement: str, lost: str | None) -> None:
    name, url = role
    plant(url, statement.format(name))
    found = rights(url)
    assert found.verdict == ("ok" if lost is None else "failed"), found.detail
    if lost is not None:
        assert found.detail.endswith(f": {lost.format(name)}")
        plant(url, found.detail.rpartition(": ")[2])
        assert rights(url).verdict == "ok"


def test_before_an_upgrade_and_after_one_of_an_earlier_version(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    url = clone("phase1_table")
    Alembic(url).upgrade("1.0.0")
    assert "application's rights" not in [finding.check for finding in look(url).findings]
    Alembic(url).upgrade("2.0.0")
    assert rights(url).detail.endswith(", before the upgrade")
    plant(url, "DROP TABLE sidb.phase1_setting; UPDATE sidb.component SET version = 1 WHERE component = 'rights'")
    assert (rights(url).verdict, "row security and defaults were not written down" in rights(url).detail) == (
        "warning",
        True,
    )
    plant(
        url, "DROP TABLE sidb.phase1_rights, sidb.phase1_right; DELETE FROM sidb.component WHERE component = 'rights'"
    )
    found = rights(url)
    assert (found.verdict, found.detail) == (
        "unknown",
        "not written down before the upgrade, which an earlier version or exported files made",
    )
    assert "sidb verify --accept-rights" in found.remedy
    monkeypatch.setenv("DATABASE_URL", url.render_as_string(hide_password=False))
    told = CliRunner().invoke(main, ["verify", "--accept-rights"])
    assert "rights are written down as they are now." in told.output
    assert rights(url).detail.endswith(", as accepted then")


def test_what_was_changed_on_purpose_is_accepted(role: tuple[str, URL], monkeypatch: pytest.MonkeyPatch) -> None:
    name, url = role
    plant(url, f"REVOKE UPDATE ON public.features FROM {name}")
    monkeypatch.setenv("DATABASE_URL", url.render_as_string(hide_password=False))
    assert rights(url).verdict == "failed"
    CliRunner().invoke(main, ["verify", "--accept-rights"])
    assert rights(url).verdict == "ok"


def test_a_role_that_may_not_write_it_down_is_told(role: tuple[str, URL], monkeypatch: pytest.MonkeyPatch) -> None:
    name, url = role
    plant(url, f"ALTER ROLE {name} LOGIN")
    monkeypatch.setenv("DATABASE_URL", url.set(username=name).render_as_string(hide_password=False))
    told = CliRunner().invoke(main, ["verify", "--accept-rights"])
    assert told.exit_code == 1
    assert "belong to another role" in told.output


@pytest.mark.parametrize(
    ("granted", "named"),
    [
        (
            "GRANT postgres TO {0}; GRANT {0} TO analytics_reader",
            "analytics_reader is a member of {0}, and through it of postgres: REVOKE {0} FROM analytics_reader",
        ),
        (
            "ALTER ROLE {0} CREATEROLE; GRANT pg_write_all_data TO {0} WITH ADMIN OPTION; SET ROLE {0};"
            "GRANT pg_write_all_data TO analytics_reader",
            "analytics_reader is a member of pg_write_all_data: REVOKE pg_write_all_data FROM analytics_reader",
        ),
    ],
    ids=["by way of another role", "granted by another role"],
)
def test_the_statement_that_is_named_ends_a_membership(role: tuple[str, URL], granted: str, named: str) -> None:
    name, url = role
    plant(url, granted.format(name))
    found = rights(url, "group roles")
    plant(url, found.detail.rpartition(": ")[2])
    assert (found.verdict, named.format(name) in found.detail) == ("failed", True), found.detail
    assert rights(url, "group roles").verdict == "ok"


def test_a_group_role_that_may_log_in_is_a_warning(role: tuple[str, URL]) -> None:
    """It may have been there before the upgrade, and be what an application uses."""
    _, url = role
    plant(url, "ALTER ROLE analytics_reader LOGIN")
    try:
        found = rights(url, "group roles")
    finally:
        plant(url, "ALTER ROLE analytics_reader NOLOGIN")
    assert found.verdict == "warning"
    assert "analytics_reader is allowed to log in: ALTER ROLE analytics_reader NOLOGIN" in found.detail
