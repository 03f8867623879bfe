"""The files of `sidb export-sql`, and the command that writes them: no server is needed for either."""

import re
import subprocess
from pathlib import Path

import pytest
from alembic_online.errors import OnlineError

from operations.export import Outcome, export, files
from tests.fixtures import programs

PLANNED = (
    "analytics_schema",
    "trend_analysis_tables",
    "cross_platform_tables",
    "recommendations_tables",
    "modify_existing_tables",
    "create_analytics_indices",
    "create_analytics_views",
)
AFTER_THE_PLAN = ("bound_functions",)


def test_the_files_are_the_plans() -> None:
    made = files()
    scripts = [name for name in made if name.endswith(".sql")]
    assert scripts == [
        "V1.0.0__phase1_baseline.sql",
        *(f"V2.0.{step}__{slug}.sql" for step, slug in enumerate(PLANNED + AFTER_THE_PLAN)),
        "V2.1.0__events_by_month.sql",
        "V2.1.1__activity_inserts.sql",
        "V2.2.0__retention.sql",
        "V2.2.1__views_of_features_itself.sql",
        *(f"U2.0.{step}__rollback_{slug}.sql" for step, slug in enumerate(PLANNED + AFTER_THE_PLAN)),
        "U2.1.0__rollback_events_by_month.sql",
        "U2.1.1__rollback_activity_inserts.sql",
        "U2.2.0__rollback_retention.sql",
        "U2.2.1__rollback_views_of_features_itself.sql",
    ]
    assert {name: text for name, text in made.items() if not name.endswith(".sql")} == {
        f"{name}.conf": "executeInTransaction=false\n"
        for name in scripts
        if name[1:6] in ("2.0.4", "2.0.5", "2.1.0", "2.2.1") or name.startswith("V2.0.6")
    }
    assert not [name for name, text in made.items() if "${" in text]
    said = {name[:6]: re.findall(r"alembic_version \(version_num\) VALUES \('(.*)'\)", made[name]) for name in scripts}
    assert said["V2.0.4"] == ["2.0.4"]
    assert (said["U2.0.4"], said["U2.0.0"]) == (["2.0.3"], ["1.0.0"])
    assert said["V2.0.5"] == said["U2.0.5"] == [], "Flyway takes no other statement beside CONCURRENTLY"
    assert said["U2.0.6"] == ["2.0.4"], "from where 2.0.5 is run again"
    assert files() == made


def test_what_differs_is_replaced_only_if_asked(tmp_path: Path) -> None:
    directory = tmp_path / "deep" / "migrations"
    assert {each.outcome for each in export(directory)} == {Outcome.WRITTEN}
    assert {each.outcome for each in export(directory)} == {Outcome.UNCHANGED}

    changed, gone = directory / "V2.0.1__trend_analysis_tables.sql", directory / "U2.0.0__rollback_analytics_schema.sql"
    changed.write_text("-- mine\n", encoding="utf-8")
    gone.unlink()
    with pytest.raises(
        OnlineError, match=r"1 of the files in .* nothing was written:\n  V2\.0\.1__trend_analysis_tables\.sql"
    ):
        export(directory)
    assert changed.read_text(encoding="utf-8") == "-- mine\n"
    assert not gone.exists()
    outcomes = {each.file: each.outcome for each in export(directory, replace=True)}
    assert (outcomes[changed.name], outcomes[gone.name]) == (Outcome.REPLACED, Outcome.WRITTEN)
    assert {path.name: path.read_text(encoding="utf-8") for path in directory.iterdir()} == files()


def test_the_command(tmp_path: Path) -> None:
    def sidb(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return programs.run("sidb", "export-sql", *arguments, env={})  # no DATABASE_URL: it must reach for no server

    written = sidb(str(tmp_path / "m"))
    assert (written.returncode, written.stderr) == (0, "")
    assert written.stdout.splitlines()[1] == f"written    {tmp_path}/m/V2.0.0__analytics_schema.sql"
    again = sidb(str(tmp_path / "m")).stdout
    assert {line.split()[0] for line in again.splitlines()} == {"unchanged"}
    (tmp_path / "m" / "V2.0.0__analytics_schema.sql").write_text("")
    refused = sidb(str(tmp_path / "m"))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.splitlines()[-1] == "Next: compare them (export to another directory), or give --replace."
    assert sidb().returncode == 2
