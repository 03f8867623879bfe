"""Mistakes made on purpose, one line each: does a test notice? make mutants ARGS='models/reader.py tests/models'

By cosmic-ray, in a copy of what is committed, beside a server that is kept. First the tests that are named (folders or
files) run once. On each mutant those run that reach the line that it changes, the quickest first, until one fails.
Survivors are printed as differences: each is equivalent, or lacks a test. Takes hours for a whole top-level folder.
"""

import argparse
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.harness import ROOT

COPY = Path(os.environ.get("MUTANTS", ROOT / "build" / "mutants"))
CONFIG = "mutants.toml"
TIMES = "times.xml"
TESTS = "tests.txt"
LIMIT = 600
"""Seconds after which a mutant counts as noticed: a program that hangs is seen."""
NONSENSE = r"core/ReplaceBinaryOperator_(?!Add_Sub|Sub_Add|Mul_Div|Div_Mul).*"
"""Replacements that end in a TypeError, which any test of the line notices."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("place", help="the file or folder to change")
    parser.add_argument("tests", nargs="+", help="folders or files of tests that may notice")
    parser.add_argument("--most", type=int, help="so many of its mutants, spread over files and lines; else all")
    chosen = parser.parse_args()
    place = ROOT / chosen.place
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place] if place.is_file() else []
    if not files:
        parser.error(f"there is no {chosen.place}, or no program in it")
    modules = [str(file.relative_to(ROOT)) for file in files]
    shutil.rmtree(COPY, ignore_errors=True)
    git = shutil.which("git") or "git"
    subprocess.run([git, "clone", "--quiet", "--local", ROOT, COPY], check=True)
    run(
        "pytest",
        *pytest_arguments(),
        *chosen.tests,
        f"--cov={COPY}",
        "--cov-context=test",
        "--cov-report=",
        f"--junit-xml={TIMES}",
    )
    mutants = {module: count for module in modules if (count := prepare(module))}
    found = {
        module: change(module, share(count, sum(mutants.values()), chosen.most)) for module, count in mutants.items()
    }
    for module, (noticed, of) in found.items():
        print(f"{module}: {noticed} of {of} mutants noticed")
    noticed, of = (sum(each) for each in zip(*found.values(), strict=True))
    print(f"{noticed} of {of}")


def share(count: int, of: int, most: int | None) -> int:
    """How many of a module's mutants: one at least, and as many of each as it has of all."""
    return count if most is None else max(1, round(most * count / of))


def prepare(module: str) -> int:
    """Think of its mutants; how many there are, none where no test reaches it."""
    tests = reaching(module)
    if not tests:
        print(f"No test reaches {module}", flush=True)
        return 0
    (COPY / TESTS).write_text("\n".join([*pytest_arguments(), tests[0]]), encoding="utf-8")
    run("pytest", f"@{TESTS}")  # what fails without any mistake would notice every one
    (COPY / CONFIG).write_text(config(module), encoding="utf-8")
    run("cosmic-ray", "init", CONFIG, session(module))
    run("cr-filter-operators", session(module), CONFIG)
    with sqlite3.connect(COPY / session(module)) as mutants:
        count: int = mutants.execute(f"SELECT count(*) {LEFT}").fetchone()[0]
        return count


LEFT = "FROM work_items WHERE job_id NOT IN (SELECT job_id FROM work_results)"


def change(module: str, most: int) -> tuple[int, int]:
    """Make so many of the mistakes, one after the other; how many were noticed, and how many there were."""
    with sqlite3.connect(COPY / session(module)) as mutants:
        every = [row[0] for row in mutants.execute(f"SELECT job_id {LEFT}")]
        kept = set(every[:: -(-len(every) // most)])
        for job in set(every) - kept:
            mutants.execute("DELETE FROM mutation_specs WHERE job_id = ?", [job])
            mutants.execute("DELETE FROM work_items WHERE job_id = ?", [job])
    (COPY / CONFIG).write_text(config(module), encoding="utf-8")
    run("cosmic-ray", "exec", CONFIG, session(module))
    return report(module)


def session(module: str) -> str:
    return f"{module.replace('/', '-')}.sqlite"


def reaching(module: str, line: int | None = None) -> list[str]:
    """The tests that run the line, or any line of the module, the quickest first."""
    cases = ElementTree.parse(COPY / TIMES).iter("testcase")  # noqa: S314 - written by our own tests
    times = {f"{case.get('classname')}::{case.get('name')}": float(case.get("time") or 0) for case in cases}
    with sqlite3.connect(COPY / ".coverage") as coverage:
        rows = coverage.execute(
            "SELECT c.context, b.numbits FROM line_bits AS b JOIN context AS c ON c.id = b.context_id"
            " JOIN file AS f ON f.id = b.file_id WHERE f.path = ? AND c.context LIKE '%|%'",
            [str(COPY / module)],
        ).fetchall()

    def is_run(lines: bytes) -> bool:
        return line is None or (line // 8 < len(lines) and lines[line // 8] >> line % 8 & 1 == 1)

    def took(test: str) -> float:
        file, _, name = test.partition("::")
        return times.get(f"{file.removesuffix('.py').replace('/', '.')}::{name}", 0)

    return sorted({context.rpartition("|")[0] for context, lines in rows if is_run(lines)}, key=took)


def tests_of_the_change() -> int:
    """Run those that reach the line in which the copy differs from what is committed; pytest's exit code."""
    git = shutil.which("git") or "git"
    difference = subprocess.run([git, "diff", "-U0"], cwd=COPY, capture_output=True, text=True, check=True).stdout
    module, line = (
        re.search(r"^\+\+\+ b/(.+)$", difference, re.MULTILINE),
        re.search(r"^@@ -(\d+)", difference, re.MULTILINE),
    )
    if module is None or line is None:
        return 0  # nothing is changed: what the tests say before they are told of any mistake
    tests = reaching(module[1], int(line[1])) or reaching(module[1])
    (COPY / TESTS).write_text("\n".join([*pytest_arguments(), *tests]), encoding="utf-8")
    return subprocess.run([Path(sys.executable).parent / "pytest", f"@{TESTS}"], cwd=COPY).returncode


def pytest_arguments() -> list[str]:
    # As one word: pytest would take a directory that follows for one of tests, and load the conftest.py above it.
    return ["-n0", "-q", "-x", "-p", "no:cacheprovider", f"--kept-server={COPY}-server"]


def config(module: str) -> str:
    return f"""
[cosmic-ray]
module-path = "{module}"
timeout = {LIMIT}
excluded-modules = []
test-command = "{sys.executable} -m benchmarks.mutants --change"
distributor.name = "local"
filters.operators-filter.exclude-operators = ['{NONSENSE}']
"""


def report(module: str) -> tuple[int, int]:
    """Print those that survived; how many were noticed, and how many there were."""
    with sqlite3.connect(COPY / session(module)) as mutants:
        rows = mutants.execute(
            "SELECT r.test_outcome, s.start_pos_row, s.operator_name, r.diff FROM work_results AS r"
            " JOIN mutation_specs AS s ON s.job_id = r.job_id WHERE r.worker_outcome = 'NORMAL' ORDER BY 2"
        ).fetchall()
    survivors = [row for row in rows if row[0] == "SURVIVED"]
    for _, line, operator, difference in survivors:
        print(f"\n{module}:{line} {operator}\n{difference}")
    print(f"\n{module}: {len(rows) - len(survivors)} of {len(rows)} mutants noticed", flush=True)
    return len(rows) - len(survivors), len(rows)


def run(program: str, *arguments: object) -> None:
    """One of the environment's programs, in the copy, on the copy's code."""
    path = os.pathsep.join([str(COPY), str(COPY / "alembic-online")])
    environment = {**os.environ, "PYTHONPATH": path, "MUTANTS": str(COPY)}
    subprocess.run([Path(sys.executable).parent / program, *map(str, arguments)], cwd=COPY, env=environment, check=True)


if __name__ == "__main__":
    sys.exit(tests_of_the_change()) if "--change" in sys.argv else main()
