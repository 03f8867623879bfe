"""Every line of code in the README, run in its order, in a new folder and on a new database."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ENGINE = Path(__file__).parents[1]
README = (ENGINE / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
OFFLINE = ("--no-index", "--no-deps", "--no-build-isolation", "--quiet")


def test_every_line_of_code(new_project, environment: Path, tmp_path: Path) -> None:
    project = new_project("base")
    project.sql("CREATE SCHEMA archive")
    where = {"PATH": os.environ["PATH"], "DATABASE_URL": project.conninfo.replace("://", "+psycopg://", 1)}
    shutil.copytree(ENGINE, tmp_path / "alembic-online", ignore=shutil.ignore_patterns("tests", "*.egg-info"))
    pip = [sys.executable, "-m", "pip", "--python", environment]

    def run(command: str) -> None:
        program, *arguments = shlex.split(command)
        if program == "pip":
            arguments += OFFLINE
        programs = {"pip": pip, "alembic": [environment, "-m", "alembic"], "python": [environment]}
        started = programs.get(program, [program])
        done = subprocess.run([*started, *arguments], cwd=tmp_path, env=where, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"

    ran = []
    for language, code in BLOCKS:
        if language == "sh":
            for command in code.splitlines():
                if command.startswith("alembic -x"):
                    assert project.sql("SELECT count(*) FROM large_orders") == [(0,)]
                run(command)
                ran.append(command)
        else:
            path = re.match(r"# (\S+)\n", code)[1]
            (tmp_path / path).write_text(code)
            ran.append(path)
    assert len(ran) == 11
    assert project.sql("SELECT to_regclass('public.orders')") == [(None,)]
    run("alembic revision -m empty")
    run("alembic upgrade head")
    run("python archive.py")
    assert project.sql("SELECT to_regclass('archive.orders')") == [("archive.orders",)]


def test_it_is_one_screen_and_the_environment_is_short() -> None:
    assert len(README.splitlines()) <= 100
    assert all(len(code.splitlines()) <= 15 for _, code in BLOCKS)
