"""Alerts and metrics that go nowhere leave no rollback half-way, with the tables closed to applications."""

from pathlib import Path

import pytest

from tests.engine.conftest import current
from tests.fixtures.databases import Clone
from tests.fixtures.receiver import APPRISE
from tests.operations.test_settings_matrix import sidb


def test_a_metrics_file_that_cannot_be_written(clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = clone("migrated_table")
    monkeypatch.setenv("SIDB_METRICS_FILE", str(tmp_path / "missing" / "sidb.prom"))
    assert "sidb.prom cannot be written: " in " ".join(sidb(url, "rollback", "2.1.0", "--yes").split())
    assert current(url) == "2.1.0"


@APPRISE
def test_an_alert_address_that_is_none(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    url = clone("migrated_table")
    monkeypatch.setenv("SIDB_ALERT_ADDRESSES", "nowhere")
    assert "Alert address 1 is not one" in sidb(url, "rollback", "2.1.0", "--yes", code=2)
    monkeypatch.delenv("SIDB_ALERT_ADDRESSES")
    assert "No rollback was interrupted" in sidb(url, "rollback", "--abort", "--yes", code=2)
