"""Every sentence that a user can meet, to be read and reworded: messages, help and checks, each with where it stands.

``python -m operations.documentation.sentences [word]``; the pages of docs/ are sentences anyhow.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from operations.embedded import CLONE

ROOMS = ("operations", "backfill", "alembic-online/alembic_online")
SAYS = re.compile(
    r".*(Error|Stopped|Check|Amiss|Ending|Trouble|Open)|ok|warning|failed|unknown|info|error|print|echo|secho|say|tell|told"
    r"|announce|option|confirm|judged|HalfWayError"
)
"""What is called with a sentence: errors, checks and their verdicts, the log, the console, options."""
A_SENTENCE = re.compile(r"\w+\W+\w+\W+\w+")


def sentences() -> Iterator[tuple[str, str]]:
    """Where each stands, and what it says; what is filled in is ``{}``."""
    for room in ROOMS:
        for file in sorted((CLONE / room).rglob("*.py")):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            where = file.relative_to(CLONE)
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and SAYS.fullmatch(_name(node.func)):
                    for given in (*node.args, *(keyword.value for keyword in node.keywords)):
                        yield from _said(where, given)
                elif isinstance(node, ast.FunctionDef) and file.parent.name == "commands" and node.decorator_list:
                    yield f"{where}:{node.lineno}", ast.get_docstring(node) or ""


def _said(where: Path, given: ast.expr) -> Iterator[tuple[str, str]]:
    text = ""
    if isinstance(given, ast.Constant) and isinstance(given.value, str):
        text = given.value
    elif isinstance(given, ast.JoinedStr):
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in given.values)
    else:
        for part in ast.iter_child_nodes(given):
            if isinstance(part, ast.expr):
                yield from _said(where, part)
    if A_SENTENCE.search(text):
        yield f"{where}:{given.lineno}", text


def _name(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""


if __name__ == "__main__":
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    for where, said in dict.fromkeys(sentences()):
        if wanted in said:
            print(f"{where}: {' '.join(said.split())}")
