"""`sidb preflight` as a program."""

import json
from pathlib import Path

from operations.preflight.preflight import CHECKS
from tests.fixtures.databases import Clone
from tests.operations.preflight.conftest import execute
from tests.operations.test_upgrade import sidb


def test_exit_codes_and_forms(clone: Clone, tmp_path: Path) -> None:
    url = clone("phase1_table")
    well = sidb(url, "preflight", "--backup-command", "echo looking", "--rows", "1000")
    assert (well.returncode, well.stderr) == (3, "looking\n"), (
        "nobody else is connected: what a rollback could do to whom?"
    )
    assert well.stdout.endswith("\nNext: the same with --prepare, then `sidb upgrade --plan`, `sidb upgrade`.\n")

    execute(url, "ALTER TABLE features RENAME phrase TO words")
    failed = sidb(url, "preflight", "--backup-command", "false", "--json", "--rows", "1000")
    assert (failed.returncode, failed.stderr) == (1, "")
    found = {finding["check"]: finding for finding in json.loads(failed.stdout)["findings"]}
    failures = [check for check, finding in found.items() if finding["verdict"] == "failed"]
    assert failures == ["phase 1", "backup command"]
    assert found["phase 1"]["detail"] == "public.features.phrase: is missing, needs text"
    assert set(found) <= {check.name for check in CHECKS}

    for arguments in (["--prepare", "--finish"], ["--backup", "nowhere"], ["--backup", str(tmp_path)]):
        misused = sidb(url, "preflight", *arguments)
        assert (misused.returncode, misused.stdout) == (2, ""), arguments
    assert "has no backup_manifest.\nNext: " in misused.stderr
