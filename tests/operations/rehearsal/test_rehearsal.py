"""The rehearsal, small: green where all is well, and red, with the reason, where something was planted."""

import json
import math
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from operations.findings import Finding
from operations.phase1 import Shape
from operations.rehearsal import gates, tasks
from operations.rehearsal.context import Context, Parameters, Task
from operations.rehearsal.rehearse import Rehearsal, rehearse
from operations.reporting.page import pick, render, write
from tests.fixtures.cluster import Cluster
from tests.fixtures.databases import ROOT, Clone, conninfo
from tests.fixtures.revisions import HEAD, REVISIONS
from tests.operations.verify.conftest import plant

EVENTS = 3_000
SMALL = ("--niches", "300", "--events", str(EVENTS), "--rate", "60", "--yes")

# How fast this machine is, is not what is tested.
TIMED = (
    "longest-wait",
    "replica-wait",
    "step-seconds",
    "p99-ratio",
    "reader-budget",
    "backfill-days",
    "first-month-gb",
    "six-months-gb",
)
LIMITS = {**gates.limits([]), **dict.fromkeys(TIMED, math.inf)}

PLANTED = f'''"""A step that holds what it does not declare."""

from alembic import op

revision = "9.9.9"
down_revision = "{HEAD}"
branch_labels = None
depends_on = None
locks = {{"upgrade": {{}}, "downgrade": {{}}}}
changes = {{"upgrade": [[]], "downgrade": [[]]}}


def upgrade():
    op.execute("LOCK TABLE public.features IN ACCESS EXCLUSIVE MODE")
    op.execute("SELECT pg_sleep(1)")


def downgrade():
    pass
'''
SLOW_READER = "-- A reader that misses its budget.\n-- budget: 1 ms\nSELECT pg_sleep(0.01);\n"


def small(url: URL, shape: Shape, chosen: tuple[Task, ...]) -> Rehearsal:
    return rehearse(url, Parameters(300, EVENTS, 60, shape), lambda line: None, LIMITS, chosen)


def finding(done: Any, gate: str) -> Any:
    return next(each for each in done if (each.check if isinstance(each, Finding) else each["check"]) == gate)


def chosen(*names: str) -> tuple[Task, ...]:
    return tuple(task for task in tasks.TASKS if task.name in names)


def test_it_is_green_and_the_page_says_what_the_json_says(clone: Clone, shape: Shape, tmp_path: Path) -> None:
    done = small(clone("empty"), shape, tasks.TASKS)
    verdicts = {each.check: each.verdict for each in done.findings}
    of_replicas = {name: verdicts.pop(name) for name in ("replica-wait", "replica-lag")}
    assert set(of_replicas.values()) == {"unknown"}  # none was named
    assert set(verdicts.values()) == {"ok"}, done.findings
    assert done.passed

    summary = done.traffic
    assert [task.name for task in summary.tasks] == [task.name for task in tasks.TASKS]
    applied = [step.revision for step in done.rollout.steps if step.outcome == "applied"]
    assert applied[: len(REVISIONS)] == list(REVISIONS)
    assert next(step for step in done.rollout.steps if step.revision == "2.0.4").locks["public.features"]
    assert summary.notes.backfilled is not None
    assert summary.notes.backfilled.events == EVENTS
    assert all(scoring.error is None for scoring in summary.scorings)
    assert summary.tasks[0].phase1.statements > 0
    assert [task.name for task in tasks.TASKS if not task.is_rollout] == ["before", "load", "fill", "after"]
    of_rollout = [task for task, kind in zip(summary.tasks, tasks.TASKS, strict=True) if kind.is_rollout]
    assert 0 < summary.during.statements <= sum(task.phase1.statements for task in of_rollout)
    assert summary.tasks[-1].phase2.statements > 0
    assert {answer.reader for answer in summary.notes.answers} == {
        path.stem for path in (ROOT / "models/readers").iterdir()
    }

    assert summary.before.p99_ms is not None
    assert summary.during.p99_ms is not None
    ratio = summary.during.p99_ms / summary.before.p99_ms
    for limit, verdict in ((ratio, "ok"), (ratio * 0.999, "failed")):
        judged = gates.judge(gates.Measured(summary, done.rollout), {**LIMITS, "p99-ratio": limit})
        assert finding(judged, "p99-ratio").verdict == verdict

    page = write(done, tmp_path / "report", "rehearsal")
    data = json.loads((tmp_path / "report" / "rehearsal.json").read_text(encoding="utf-8"))
    assert_agrees(page.read_text(encoding="utf-8"), data)
    assert page.read_text(encoding="utf-8").count("<svg") > 4


def test_readers_on_a_replica(cluster: Cluster, cluster_clone: Clone) -> None:
    url = cluster_clone("empty")
    cluster.caught_up()
    some = chosen("before", "preflight", "upgrade", "rollback", "again")
    there = (cluster.replica_url(str(url.database)),)
    done = rehearse(url, Parameters(300, EVENTS, 60), lambda line: None, LIMITS, some, there)
    assert done.passed, done.findings
    assert finding(done.findings, "replica-wait").verdict == "ok"
    assert finding(done.findings, "replica-lag").verdict == "ok"
    assert [each.task for each in done.traffic.notes.lags] == ["migrate", "roll_back", "migrate_again"]
    read = [each.latency for each in done.traffic.statements if each.name.endswith("replica 1")]
    assert len(read) == 2
    assert all(each.statements > 10 and not each.errors for each in read)


class Cells(HTMLParser):
    """The text of every element that names its place in the JSON; addresses that a browser would load; open tags."""

    VOID = ("meta", "br")

    def __init__(self) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.loaded: list[str] = []
        self.open: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.loaded += [str(given[name]) for name in ("src", "href", "srcset") if name in given]
        if tag not in self.VOID:
            self.open.append((tag, given.get("data-of")))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if self.open and (place := self.open[-1][1]):
            self.texts[place] = data


def assert_agrees(page: str, data: dict[str, Any]) -> None:
    """Well-formed, nothing from the network, and every number is that of the JSON, to the digits shown."""
    parsed = Cells()
    parsed.feed(page)
    assert parsed.open == []
    assert parsed.loaded == []
    assert "@import" not in page
    assert "url(" not in page
    for drawing in re.findall("<svg.*?</svg>", page):
        assert len(list(ET.fromstring(drawing))) > 20  # noqa: S314 - our own drawing
    assert len(parsed.texts) > 100
    for place, text in parsed.texts.items():
        value = pick(data, place)
        number, _, unit = text.partition(" ")
        if value is None:
            assert number == "\N{EN DASH}"
        elif ":" in number:
            minutes, seconds = number.split(":")
            assert int(minutes) * 60 + int(seconds) == int(value)
        else:
            shown = float(number.replace(",", "")) * {"kB": 1e3, "MB": 1e6, "GB": 1e9}.get(unit, 1)
            assert shown == pytest.approx(value, rel=0.006, abs=0.5 if unit == "" else 1e-3), place


def test_a_lost_row_is_red(clone: Clone) -> None:
    def lose(context: Context) -> str:
        with context.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM analytics.analytics_events WHERE event_id = 1234")
        return "a row is gone"

    upgrade, load, backfill, prove = chosen("upgrade", "load", "backfill", "prove")
    some = (upgrade, load, backfill, tasks.task("lose", "Lose a row", lose), prove)
    done = small(clone("empty"), Shape.TABLE, some)
    assert not done.passed
    missing = finding(done.findings, "missing-rows")
    assert missing.verdict == "failed"
    assert "event_history: 1 " in missing.detail
    assert missing.detail.endswith(": 1234")
    page = render(json.loads(json.dumps(asdict_json(done))))
    assert '<span class="verdict failed">Failed</span>' in page
    assert "1234" in page


def asdict_json(done: Rehearsal) -> Any:
    from operations.output import to_json

    return json.loads(to_json(done))


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A copy of the project with a revision that locks without saying so, and a reader that misses its budget."""
    copy = tmp_path / "project"
    for part in ("alembic", "models", "backfill", "operations"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("alembic.ini", "pyproject.toml"):
        shutil.copy(ROOT / file, copy / file)
    (copy / "alembic/versions/v9_9_9__planted.py").write_text(PLANTED, encoding="utf-8")
    (copy / "models/readers/slow.sql").write_text(SLOW_READER, encoding="utf-8")
    return copy


def sidb(where: Path, url: URL, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", "from operations.cli import main; main()", "rehearse", *arguments],
        cwd=where,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": conninfo(url)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def test_a_planted_lock_and_a_missed_budget_are_red(clone: Clone, planted: Path, tmp_path: Path) -> None:
    ended = sidb(
        planted, clone("phase1_table"), *SMALL, "--report", str(tmp_path / "report"), "--gate", "longest-wait=300"
    )
    assert ended.returncode == 1, ended.stderr
    data = json.loads((tmp_path / "report" / "rehearsal.json").read_text(encoding="utf-8"))
    assert data["own_phase1"]  # 200 niches that were there before, taken as they are
    failed = {each["check"]: each["detail"] for each in data["findings"] if each["verdict"] == "failed"}
    assert "9.9.9 upgrade holds AccessExclusiveLock on public.features" in failed["undeclared-locks"]
    assert "ms (at most 300 ms)" in failed["longest-wait"]
    assert failed["reader-budget"].endswith("of 1 ms")
    assert "slow took" in failed["reader-budget"]
    assert "undeclared-locks" in ended.stdout
    assert "Traceback" not in ended.stderr


def test_what_it_refuses(clone: Clone, connect: Any) -> None:
    url = clone("empty")
    wrong = sidb(ROOT, url, "--gate", "speed=3")
    assert (wrong.returncode, wrong.stderr.splitlines()[0]) == (2, "--gate speed=3 is not understood.")
    unasked = sidb(ROOT, url)
    assert unasked.returncode == 1
    assert "and leave it migrated and filled?" in unasked.stderr
    looks_live = sidb(ROOT, url.set(database="sid_production"), "--yes")
    assert looks_live.returncode == 2
    assert "it looks like production" in looks_live.stderr
    with connect(url, connect_args={"application_name": "the shop"}).connect():
        in_use = sidb(ROOT, url, "--yes")
    assert in_use.returncode == 2
    assert "is in use (the shop)" in in_use.stderr
    role = f"{url.database}_owner"
    plant(url, f"CREATE ROLE {role} LOGIN")
    with connect(url, connect_args={"application_name": "the shop"}).connect():  # of what it is, this role sees no more
        in_use = sidb(ROOT, url.set(username=role), "--yes")
    plant(url, f"DROP ROLE {role}")
    assert in_use.returncode == 2
    assert "is in use (the shop)" in in_use.stderr
