"""`sidb monitor` as a program: one screen, JSON, Prometheus and its alert rules, and the screen that renews itself."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import promql_parser
import pytest
import yaml
from alembic_online.metrics import STEP
from sqlalchemy import URL

from operations.monitor import alert_rules
from operations.monitor.thresholds import METRICS
from tests.fixtures import programs
from tests.fixtures.databases import ROOT, conninfo
from tests.operations.monitor.conftest import execute

SIDB = Path(sys.executable).parent / "sidb"
RULES = ROOT / "docs" / "alerts.yml"


def environment(url: URL, columns: int = 80) -> dict[str, str]:
    place = {"PATH": os.environ["PATH"], "DATABASE_URL": conninfo(url)}
    return {**place, "COLUMNS": str(columns), "LINES": "40", "TERM": "xterm"}


def sidb(url: URL, *arguments: str, columns: int = 80) -> "subprocess.CompletedProcess[str]":
    return programs.run("sidb", "monitor", *arguments, env=environment(url, columns))


@pytest.mark.parametrize(("columns", "wide"), [(80, False), (120, True)])
def test_one_screen(migrated_url: URL, columns: int, wide: bool) -> None:
    execute(migrated_url, "SELECT niche_id, phrase, opportunity FROM analytics.trending_niches WHERE niche_id = 1")
    execute(migrated_url, "REFRESH MATERIALIZED VIEW analytics.trending_niches WITH NO DATA")
    shown = sidb(migrated_url, columns=columns)
    assert (shown.returncode, shown.stderr) == (1, "")
    lines = shown.stdout.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= columns
    assert ("index scans" in shown.stdout) is wide
    assert re.search(r"\n    1 .* ms  SELECT niche_id, phrase, opportunity FROM analytics.trend", shown.stdout)
    assert "\n  REFRESH MATERIALIZED VIEW analytics.trending_niches;\n" in shown.stdout
    assert lines[-1].startswith("Next: ")


def test_json(migrated_url: URL) -> None:
    shown = sidb(migrated_url, "--json")
    assert (shown.returncode, shown.stderr) == (0, "")
    seen = json.loads(shown.stdout)
    assert {figure["metric"] for figure in seen["figures"]} <= {metric.name for metric in METRICS}
    assert {finding["verdict"] for finding in seen["findings"]} == {"ok"}


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("--json", "--watch"), 2, "--watch shows a screen, --json prints once."),
        (("--watch", "0"), 2, "0 is not in the range x>=1"),
        (("--prometheus", "/nowhere/sidb.prom"), 1, "could not be written to /nowhere/sidb.prom: No such file"),
    ],
)
def test_what_it_refuses(migrated_url: URL, arguments: tuple[str, ...], code: int, complaint: str) -> None:
    refused = sidb(migrated_url, *arguments)
    assert (refused.returncode, bool(refused.stdout)) == (code, "--json" in arguments)
    assert complaint in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_alert_rules_are_those_of_the_thresholds(migrated_url: URL, tmp_path: Path) -> None:
    """Prometheus would read them, and each asks only for what is exported."""
    assert RULES.read_text(encoding="utf-8") == alert_rules(), "make docs"
    file = tmp_path / "sidb.prom"
    assert sidb(migrated_url, "--prometheus", str(file)).returncode == 0
    exported = set(re.findall(r"^# TYPE (\w+) gauge$", file.read_text(encoding="utf-8"), re.MULTILINE))
    exported |= {f"sidb_migration_step_{name}" for name in STEP} | {"sidb_migration_succeeded"}
    limits = set()
    for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]:
        for rule in group["rules"]:
            promql_parser.parse(rule["expr"])
            assert set(re.findall(r"sidb_\w+", rule["expr"])) <= exported
            assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
            limits.add((rule["expr"].split()[0], rule["labels"]["severity"]))
    assert {(m.name, "warning") for m in METRICS if m.warning is not None} <= limits
    assert {(m.name, "critical") for m in METRICS if m.failed is not None} <= limits


def test_the_watched_screen_ends_with_ctrl_c(migrated_url: URL, tmp_path: Path) -> None:
    file = tmp_path / "sidb.prom"
    ours, theirs = pty.openpty()
    watched = subprocess.Popen(
        [SIDB, "monitor", "--watch", "1", "--prometheus", file],
        env=environment(migrated_url),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    told = read_until(ours, "Next: ")
    first = file.stat().st_mtime_ns
    told += read_until(ours, "Next: ")
    watched.send_signal(signal.SIGINT)
    told += read_until(ours, None)
    os.close(ours)
    assert watched.wait(timeout=20) == 0
    assert file.stat().st_mtime_ns > first
    assert "Traceback" not in told
    assert told.count("query times") >= 3  # twice on the screen, and left standing below


def read_until(terminal: int, text: str | None) -> str:
    """What comes from the terminal until that text, or until its other end is closed."""
    deadline = time.monotonic() + 30
    read = ""
    while text is None or text not in read:
        assert select.select([terminal], [], [], deadline - time.monotonic())[0], f"never came: {text}\n{read}"
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # Linux' way of saying that the other end is closed
            chunk = b""
        if not chunk:
            assert text is None, read
            return read
        read += chunk.decode(errors="replace")
    return read


def test_where_there_is_no_terminal_it_prints_below(migrated_url: URL) -> None:
    watched = subprocess.Popen(
        [SIDB, "monitor", "--watch"], env=environment(migrated_url), stdout=subprocess.PIPE, text=True
    )
    assert watched.stdout is not None
    for line in watched.stdout:
        if line.startswith("Next: "):
            break
    watched.send_signal(signal.SIGTERM)
    assert watched.wait(timeout=20) == 0
    watched.stdout.close()
