"""What autogenerate sees and repairs, ours and others': python -m benchmarks.autogenerate

Every case of tests/engine/catalog/mutations that changes a database, and every one of tests/engine/catalog/pairs, is
run through plain Alembic, the libraries of benchmarks/peers.py and this project's plugin, each in a process of its own.
What they propose for a database that is right is left out. "seen": there are operations; "put right": they ran, and the
catalog is what the models mean. Of the libraries, the rendered revision is run. Writes the table into
docs/autogenerate.md.
Needs: pip install -r benchmarks/requirements.txt
"""

import json
import re
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import dedent
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import produce_migrations, render
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, Operations, ops
from alembic.runtime.migration import MigrationContext
from alembic_online import Scope
from alembic_online.catalog import autogenerate, partition_constraints, partitioned, rendering
from alembic_online.catalog.steps import EXTEND, ByHand, Step, flat
from alembic_online.catalog.target import compare
from sqlalchemy import Connection, Engine, MetaData, NullPool, create_engine

from benchmarks.harness import ROOT, benchmark_server, report
from benchmarks.peers import LIBRARIES
from models import ANALYTICS, Base
from operations.scope import SCOPE
from tests.engine.catalog.mutations import MUTATIONS, Mutation
from tests.engine.catalog.pairs import PAIRS, Pair
from tests.fixtures.databases import Templates, cloning
from tests.fixtures.small_project import SCHEMA, execute, reflected, scope

PAGE = ROOT / "docs/autogenerate.md"
PUT_RIGHT, STOPS, SEEN, NOT_SEEN, CRASHED = "put right", "stops", "seen", "—", "crashed"
OUTCOMES = (PUT_RIGHT, STOPS, SEEN, NOT_SEEN, CRASHED)
RENDERING = {
    "sqlalchemy_module_prefix": "sa.",
    "alembic_module_prefix": "op.",
    "user_module_prefix": None,
    "render_as_batch": False,
}
CASES: list[Mutation | Pair] = [*(mutation for mutation in MUTATIONS if mutation.sql), *PAIRS]


@dataclass(frozen=True)
class Models:
    """What the models mean, and what a library proposes for a database that is as they mean."""

    metadata: MetaData
    scope: Scope
    schema: str
    options: dict[str, Any]
    expected: frozenset[str]


class Library:
    """One library on one server, with what it was told."""

    def __init__(self, name: str, templates: Templates) -> None:
        self.name = name
        self.library = LIBRARIES[name]
        self.templates = templates
        self.of_project: dict[str, Models] = {}

    def outcome(self, case: Mutation | Pair) -> str:
        """What becomes of one case."""
        try:
            with self._wrong(case) as (engine, models):
                return self._outcome(engine, models)
        except Exception as error:  # in reading the right database, or the wrong one
            print(f"{self.name}, {case.name}: {error!r}"[:300], file=sys.stderr)
            return CRASHED

    @contextmanager
    def _wrong(self, case: Mutation | Pair) -> Iterator[tuple[Engine, Models]]:
        """The database of a case, and the models that it differs from."""
        with cloning(self.templates) as clone:
            if isinstance(case, Mutation):
                template = f"migrated_{case.shape}"
                if template not in self.of_project:
                    right = create_engine(clone(template), poolclass=NullPool)
                    self.of_project[template] = self._told(right, Base.metadata, SCOPE, ANALYTICS)
                engine, models = create_engine(clone(template), poolclass=NullPool), self.of_project[template]
                sql = case.sql
            else:
                right = create_engine(clone("empty"), poolclass=NullPool)
                target = case.both + case.after
                metadata = case.metadata() if case.metadata else reflected(right, target)
                with right.begin() as connection:
                    execute(connection, f"CREATE SCHEMA {SCHEMA};{target}")
                models = self._told(right, metadata, scope(metadata, target), SCHEMA)
                engine = create_engine(clone("empty"), poolclass=NullPool)
                sql = f"CREATE SCHEMA {SCHEMA};{case.both}{case.before}"
            with engine.begin() as connection:
                execute(connection, sql)
            yield engine, models

    def _told(self, right: Engine, metadata: MetaData, scope: Scope, schema: str) -> Models:
        with right.connect() as connection:
            # Of the project once: the other form's views and functions are the same.
            known = next(iter(self.of_project.values()), None) if metadata is Base.metadata else None
            options = known.options if known else self.library.declare(connection, metadata, schema)
            connection.rollback()
            models = Models(metadata, scope, schema, options, frozenset())
            proposed = self._proposed(connection, models)
        return Models(metadata, scope, schema, options, frozenset(map(told, proposed)))

    def _outcome(self, engine: Engine, models: Models) -> str:
        with engine.connect() as connection:
            proposed = self._proposed(connection, models)
        if not (proposed := [each for each in proposed if told(each) not in models.expected]):
            return NOT_SEEN
        if any(isinstance(operation, ByHand) for operation in proposed):
            return STOPS
        try:
            # Ours builds indexes concurrently, as the revision does in its autocommit block.
            level = {"isolation_level": "AUTOCOMMIT"} if self.name == "ours" else {}
            with engine.execution_options(**level).begin() as connection:
                apply(connection, proposed, rendering.item if self.name == "ours" else None)
            with engine.connect() as connection:
                return PUT_RIGHT if not compare(connection, models.scope).changes() else SEEN
        except Exception as error:
            print(f"{self.name}: {error!r}"[:300], file=sys.stderr)
            return SEEN

    def _proposed(self, connection: Connection, models: Models) -> list[MigrateOperation]:
        def include_name(name: str | None, type_: str, parents: dict[str, str | None]) -> bool:
            if type_ == "schema":
                return name in (None, models.schema)
            return type_ != "table" or parents["schema_name"] is not None or name in models.metadata.tables

        options = {
            "include_schemas": True,
            "include_name": include_name,
            "compare_server_default": True,
            "autogenerate_plugins": self.library.plugins,
            autogenerate.SCOPE: models.scope,
            **models.options,
        }
        found = produce_migrations(MigrationContext.configure(connection, opts=options), models.metadata)
        return list(flat(found.upgrade_ops.ops)) if found.upgrade_ops else []


def told(operation: MigrateOperation) -> str:
    """An operation in words, without addresses in memory."""
    return re.sub(r" at 0x[0-9a-f]+", "", f"{type(operation).__name__} {vars(operation)}")


def apply(connection: Connection, operations: list[MigrateOperation], render_item: Any) -> None:
    """Run them: ours statement by statement, others' as the revision that they render."""
    context = MigrationContext.configure(connection)
    others = ops.UpgradeOps()
    first = [operation for operation in operations if isinstance(operation, Step) and operation.verb == EXTEND]
    for operation in [*first, *(operation for operation in operations if operation not in first)]:
        if isinstance(operation, Step):
            rendered(context, others, render_item)
            for statement in operation.up:
                if partition_constraints.is_one(statement):
                    in_a_revision(context, partition_constraints.for_each_partition(statement))
                    continue
                connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
                if partitioned.is_index(statement):
                    in_a_revision(context, partitioned.for_each_partition(statement))
        else:
            others.ops.append(operation)
    rendered(context, others, render_item)


def rendered(context: MigrationContext, operations: ops.UpgradeOps, render_item: Any) -> None:
    """Render operations as Alembic does, run the source, and forget them."""
    autogen = AutogenContext(context, opts={**RENDERING, "render_item": render_item})
    autogen.imports = set()
    source = render._render_cmd_body(operations, autogen)
    operations.ops = []
    in_a_revision(context, "\n".join([*sorted(autogen.imports), dedent(source)]))


def in_a_revision(context: MigrationContext, source: str) -> None:
    """Run what a revision would say."""
    exec(source, {"sa": sa, "op": Operations(context)})  # noqa: S102


def run(name: str) -> dict[str, str]:
    """One library, all cases: what became of each."""
    warnings.simplefilter("ignore")
    with benchmark_server() as server:
        library = Library(name, Templates(server))
        return {case.name: library.outcome(case) for case in CASES}


def main() -> None:
    found = {
        library: json.loads(
            subprocess.run(
                [sys.executable, "-m", "benchmarks.autogenerate", library], check=True, stdout=subprocess.PIPE, cwd=ROOT
            ).stdout.splitlines()[-1]
        )
        for library in LIBRARIES
    }
    counts = {library: Counter(found[library][case.name] for case in CASES) for library in LIBRARIES}
    summary = [
        [library.title, *(str(counts[name][outcome]) for outcome in OUTCOMES)] for name, library in LIBRARIES.items()
    ]
    report(f"{len(CASES)} single differences", ["", *OUTCOMES], summary, "benchmarks/autogenerate.py")
    lines = [
        f"| {len(CASES)} cases | {' | '.join(library.title for library in LIBRARIES.values())} |",
        f"| --- |{' --- |' * len(LIBRARIES)}",
        *(
            f"| **{outcome if outcome != NOT_SEEN else 'not seen'}** | "
            + " | ".join(f"**{counts[library][outcome]}**" for library in LIBRARIES)
            + " |"
            for outcome in OUTCOMES
        ),
        *(f"| {case.name} | {' | '.join(found[library][case.name] for library in LIBRARIES)} |" for case in CASES),
    ]
    write("\n".join(lines))


def write(table: str) -> None:
    """Replace what stands between the two marks of the page."""
    head, start, rest = PAGE.read_text(encoding="utf-8").partition("<!-- table -->\n")
    _, end, tail = rest.partition("<!-- end of table -->")
    PAGE.write_text(f"{head}{start}{table}\n{end}{tail}", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(run(sys.argv[1])))
    else:
        main()
