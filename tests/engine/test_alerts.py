"""Alerts, metrics and what the ledger keeps."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from alembic_online import lock_modes
from alembic_online.alerts import Alerts
from alembic_online.errors import OnlineError, UsageError
from alembic_online.maintenance_window import parse_window
from alembic_online.metrics import open_metrics
from alembic_online.options import Options, read_options

from operations.settings import Settings
from tests.engine.conftest import current, ledger, refusal
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.fixtures.logs import when_told
from tests.fixtures.receiver import APPRISE
from tests.fixtures.revisions import HEAD, REVISIONS


@APPRISE
def test_alerts_go_to_the_log_and_through_apprise(
    receiver: tuple[str, list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    address, received = receiver
    alerts = Alerts(300, "tell", [address])
    for _ in range(2):  # each is told once a step
        assert alerts.look("2.0.4 upgrade", running=301, blocked=1.5, lag=6, connections=0.9) is None
    alerts.close()
    expected = [
        "2.0.4 upgrade: it has been running for 5 min",
        "2.0.4 upgrade: somebody has been waiting for it for 1.5 s",
        "2.0.4 upgrade: a replica is 6.0 s behind",
        "2.0.4 upgrade: 90% of the connections are in use",
    ]
    assert received == expected
    assert [message for message in caplog.messages if message.startswith("Alert")] == [f"Alert: {e}" for e in expected]


@APPRISE
def test_the_teams_hear_of_beginning_end_and_failure(
    clone: Clone, receiver: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, received = receiver
    monkeypatch.setenv("SIDB_ALERT_ADDRESSES", address)
    url = clone("phase1_table")
    Alembic(url).upgrade("2.0.0")
    Alembic(url).upgrade("2.0.0")
    with psycopg.connect(conninfo(url)) as blocker:
        blocker.execute("UPDATE features SET updated_at = now() WHERE niche_id = 1")
        refusal(Alembic(url, x=("deadline=300ms",)).upgrade)
    news = [text.partition(f"/{url.database}")[2].partition(" ")[2] for text in received]
    assert news[:3] == ["begins: 1.0.0, 2.0.0", "is done", "begins: " + ", ".join(REVISIONS[2:])]
    assert news[3].startswith("failed: 2.0.1 upgrade: ")
    assert len(news) == 4, "nothing to do is no news"


def test_nothing_is_told_below_the_limits(caplog: pytest.LogCaptureFixture) -> None:
    assert Alerts(300, "stop", ()).look("2.0.4 upgrade", running=299, blocked=0.9, lag=4, connections=0.7) is None
    assert caplog.messages == []


def test_addresses_without_apprise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "apprise", None)
    with pytest.raises(OnlineError, match="Apprise is not installed"):
        Alerts(300, "tell", ["json://localhost"])


@APPRISE
def test_an_address_that_is_none_is_not_quoted() -> None:
    with pytest.raises(UsageError, match="Alert address 1 is not one") as caught:
        Alerts(300, "tell", ["nothing://token@host"])
    assert "token" not in str(caught.value)


def test_an_alert_can_stop_the_step(clone: Clone) -> None:
    url = clone("phase1_table")
    with psycopg.connect(conninfo(url)) as blocker:
        blocker.execute("UPDATE features SET updated_at = now() WHERE niche_id = 1")
        said = refusal(Alembic(url, x=("deadline=30s", "step-alert=300ms", "on-alert=stop")).upgrade)
    assert said.startswith("Stopped by an alert: 2.0.0 upgrade: it has been running for ")
    assert current(url) == "1.0.0"
    kept = ledger(url)[-1]
    assert kept.outcome == "failed"
    assert kept.alerts == [said.partition("2.0.0 upgrade: ")[2].partition("\n")[0]]
    assert kept.samples
    assert max(kept.samples["at"]) > 0.2
    Alembic(url).upgrade()
    assert current(url) == HEAD


def test_an_alert_cancels_a_statement(clone: Clone, connect: Callable[..., object]) -> None:
    url = clone("phase1_table")
    Alembic(url).upgrade("2.0.4")
    with psycopg.connect(conninfo(url)) as old:
        old.execute("INSERT INTO analytics.analytics_events VALUES (DEFAULT, 'view', 'test', now(), '{}')")
        said = refusal(Alembic(url, x=("deadline=30s", "step-alert=300ms", "on-alert=stop")).upgrade)
    assert said.startswith("Stopped by an alert: 2.0.5 upgrade: it has been running for ")
    assert current(url) == "2.0.4"
    Alembic(url).upgrade()
    assert current(url) == HEAD


def test_metrics(clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "sidb.prom"
    monkeypatch.setenv("SIDB_METRICS_FILE", str(file))
    Alembic(clone("phase1_table")).upgrade()
    written = file.read_text(encoding="utf-8")
    assert 'sidb_migration_step_blocked_sessions{direction="upgrade",revision="2.0.4"} 0.0' in written
    assert "sidb_migration_succeeded 1.0" in written


def test_a_metrics_file_that_cannot_be_written_is_refused_before_the_first_step(clone: Clone, tmp_path: Path) -> None:
    url, file = clone("phase1_table"), tmp_path / "missing" / "sidb.prom"
    said = refusal(Alembic(url, x=(f"metrics-file={file}",)).upgrade)
    assert said.startswith(f"The metrics file {file} cannot be written: No such file or directory; nothing was changed")
    assert current(url) is None


def test_a_metrics_file_that_cannot_be_written_any_more_ends_no_migration(
    clone: Clone, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url, folder = clone("phase1_table"), tmp_path / "metrics"
    folder.mkdir()
    with when_told("1.0.0 upgrade: done", lambda: shutil.rmtree(folder)):
        Alembic(url, x=(f"metrics-file={folder / 'sidb.prom'}",)).upgrade()
    assert current(url) == HEAD
    told = [message for message in caplog.messages if message.startswith("The metrics file ")]
    assert told == [f"The metrics file {folder / 'sidb.prom'} cannot be written: No such file or directory"]


def test_a_rollback_goes_without_metrics_that_cannot_be_written(tmp_path: Path) -> None:
    """It has closed the tables to applications by then."""
    options = Options(metrics_file=tmp_path / "missing" / "sidb.prom")
    assert open_metrics(options, "sidb", refuses=False) is None


def test_metrics_without_prometheus_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "prometheus_client", None)
    with pytest.raises(OnlineError, match="prometheus-client is not installed"):
        open_metrics(Options(metrics_file=tmp_path / "sidb.prom"), "sidb", refuses=True)


def test_the_ledger(clone: Clone) -> None:
    url = clone("phase1_table")
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute("ALTER TABLE features ADD UNIQUE (niche_id)")
    Alembic(url).upgrade()
    entries = {entry.revision: entry for entry in ledger(url)}
    assert tuple(entries) == REVISIONS
    widened = entries["2.0.4"]
    assert widened.locks == {
        "public.features": "AccessExclusiveLock",
        "public.hot_niches_today": "AccessExclusiveLock",
        "public.alembic_version": "RowExclusiveLock",
    }
    assert widened.who == "postgres"
    assert widened.code_version
    assert widened.observed
    assert set(widened.observed) >= {"connections", "active", "blocked", "longest_wait", "replication_lag"}
    assert all(len(values) == 3 for values in widened.observed.values())
    assert widened.samples
    assert {name: max(values) for name, values in widened.samples.items() if name != "at"} == {
        name: values[2] for name, values in widened.observed.items()
    }
    assert widened.alerts == []
    assert entries["2.0.0"].locks["public.features"] == "ShareRowExclusiveLock"
    Alembic(url).downgrade()
    assert len(ledger(url)) == 2 * len(REVISIONS), "no downgrade drops it"


def test_every_lock_is_declared(clone: Clone, caplog: pytest.LogCaptureFixture, shape: object) -> None:
    url = clone(f"phase1_{shape}")
    with caplog.at_level(logging.WARNING, "alembic.online"):
        Alembic(url).upgrade()
        Alembic(url).downgrade()
    assert caplog.messages == []


def test_lock_modes_conflict_both_ways() -> None:
    for one in lock_modes.MODES:
        for other in lock_modes.MODES:
            assert (one in lock_modes.conflicting(other)) == (other in lock_modes.conflicting(one))
    assert lock_modes.sql("ShareRowExclusiveLock") == "SHARE ROW EXCLUSIVE"


@pytest.mark.parametrize(
    ("text", "open_at", "shut_at"),
    [
        (
            "Sat 22:00-Sun 06:00 Europe/Berlin",
            [(6, 1320), (7, 0), (7, 359)],
            [(6, 1319), (7, 360), (3, 1400)],
        ),
        ("Sun 22:00-Mon 06:00 UTC", [(7, 1320), (1, 0), (1, 359)], [(7, 1319), (1, 360)]),
        ("22:00-06:00 UTC", [(1, 1320), (5, 0)], [(1, 360), (5, 1319)]),
        ("00:00-06:00 UTC", [(1, 0), (7, 359)], [(2, 360), (2, 1439)]),
    ],
)
def test_windows(text: str, open_at: list[tuple[int, int]], shut_at: list[tuple[int, int]]) -> None:
    window = parse_window(text, "SIDB_WINDOW")
    assert all(window.holds(*moment) for moment in open_at)
    assert not any(window.holds(*moment) for moment in shut_at)


@pytest.mark.parametrize("text", ["", "always", "Sat 22:00-06:00 UTC", "25:00-26:00 UTC", "Xyz 00:00-Sun 01:00 UTC"])
def test_what_is_no_window(text: str) -> None:
    with pytest.raises(UsageError, match="which is not a maintenance window"):
        parse_window(text, "SIDB_WINDOW")


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [
        ({"deadline": "10"}, "-x deadline is '10', which is not a time"),
        ({"on-alert": "die"}, "-x on-alert is 'die', which is not understood"),
        ({"now": ""}, "-x now is '', which is not understood"),
        ({"deadlin": "10s"}, "-x deadlin is not an option"),
        ({"prefix": "--"}, "-x prefix is not an option"),
    ],
)
def test_options_that_cannot_be_meant(texts: dict[str, str], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        read_options(texts, lambda name: f"-x {name}")


def test_the_environment_is_named_as_it_was_written() -> None:
    with pytest.raises(UsageError, match="SIDB_STEP_ALERT is '10', which is not a time"):
        _ = Settings.from_environment({"SIDB_STEP_ALERT": "10"}).options


def test_what_is_typed_wins_over_the_environment() -> None:
    settings = Settings.from_environment({"SIDB_DEADLINE": "1h", "SIDB_STEP_ALERT": "2min"})
    options = settings.given({"deadline": "90s", "now": "yes", "on_alert": None})
    assert (options.deadline, options.step_alert, options.now, options.discard_data) == (90, 120, True, False)
    assert options.written("deadline", "1h") == "--deadline 1h"
