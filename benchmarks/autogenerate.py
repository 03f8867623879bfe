"""What autogenerate sees and repairs, ours and others': python -m benchmarks.autogenerate

Every case of tests/engine/catalog/mutations that changes a database is run through plain Alembic, alembic-utils,
sqlalchemy-declarative-extensions and this project's plugin, each in a process of its own. The libraries are told to
expect just what they read of a database that is right; what they propose for that one is left out. "seen": there are
operations; "put right": they ran, and the catalog is the models' again. Writes the table into docs/autogenerate.md.
Needs: pip install -r benchmarks/requirements.txt
"""

import json
import re
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from alembic.autogenerate import produce_migrations
from alembic.operations import MigrateOperation, Operations
from alembic.runtime.migration import MigrationContext
from alembic_online.catalog import autogenerate
from alembic_online.catalog.steps import ByHand, Step, flat
from alembic_online.catalog.target import compare
from sqlalchemy import Connection, Engine, NullPool, create_engine

from benchmarks.harness import ROOT, benchmark_server, report
from models import ANALYTICS, ROLES, Base
from operations.scope import SCOPE
from tests.engine.catalog.mutations import MUTATIONS
from tests.fixtures.databases import Templates

PAGE = ROOT / "docs/autogenerate.md"
LIBRARIES = {
    "ours": "this project",
    "plain": "Alembic 1.20",
    "alembic_utils": "alembic-utils 0.8.8",
    "declarative_extensions": "sqlalchemy-declarative-extensions 0.17",
}
PUT_RIGHT, SEEN, NOT_SEEN, CRASHED = "put right", "seen", "—", "crashed"
CASES = [mutation for mutation in MUTATIONS if mutation.sql]


def declare_nothing(_connection: Connection) -> None:
    """Plain Alembic, and ours, need nothing but the models."""


def declare_to_alembic_utils(connection: Connection) -> None:
    from alembic_utils import replaceable_entity as entities
    from alembic_utils.pg_function import PGFunction
    from alembic_utils.pg_grant_table import PGGrantTable
    from alembic_utils.pg_materialized_view import PGMaterializedView
    from alembic_utils.pg_policy import PGPolicy
    from alembic_utils.pg_trigger import PGTrigger
    from alembic_utils.pg_view import PGView
    from sqlalchemy.orm import Session

    kinds = [PGFunction, PGView, PGMaterializedView, PGTrigger, PGPolicy, PGGrantTable]
    with Session(connection) as session:
        found = [entity for kind in kinds for entity in kind.from_database(session, ANALYTICS)]
    entities.register_entities(found, schemas=[ANALYTICS], entity_types=kinds)


def declare_to_declarative_extensions(connection: Connection) -> None:
    from sqlalchemy_declarative_extensions import (
        Functions,
        Grants,
        Procedures,
        Roles,
        Views,
        declare_database,
        dialects,
        register_alembic_events,
    )

    roles = Roles(ignore_unspecified=True).are(*ROLES)
    declare_database(
        Base.metadata,
        roles=roles,
        grants=Grants(only_defined_roles=True).are(*dialects.get_grants(connection, roles=ROLES)),
        views=Views().are(*dialects.get_views(connection)),
        functions=Functions().are(*dialects.get_functions(connection)),
        procedures=Procedures().are(*dialects.get_procedures(connection)),
    )
    # Its reader of triggers stops at one for TRUNCATE and another event (an AssertionError), as Phase 2 has them.
    register_alembic_events(databases=False, schemas=False, rows=False, roles=False, triggers=False)


DECLARE: dict[str, Callable[[Connection], None]] = {
    "ours": declare_nothing,
    "plain": declare_nothing,
    "alembic_utils": declare_to_alembic_utils,
    "declarative_extensions": declare_to_declarative_extensions,
}


def run(library: str) -> dict[str, str]:
    """One library, all cases: what became of each."""
    warnings.simplefilter("ignore")
    results: dict[str, str] = {}
    with benchmark_server() as server:
        templates = Templates(server)
        declared = False
        expected: dict[str, set[str]] = {}
        for case in (None, *CASES):
            for shape in ("table", "matview") if case is None else (str(case.shape),):
                clone = templates.clone(f"migrated_{shape}")
                engine = create_engine(next(clone), poolclass=NullPool)
                if not declared:
                    with engine.connect() as connection:
                        DECLARE[library](connection)
                    declared = True
                if case is None:
                    with engine.connect() as connection:
                        expected[shape] = {told(operation) for operation in migrations(connection, library)}
                else:
                    with engine.begin() as connection:
                        connection.exec_driver_sql(case.sql, execution_options={"no_parameters": True})
                    results[case.name] = outcome(engine, library, expected[shape])
                next(clone, None)
    return results


def outcome(engine: Engine, library: str, expected: set[str]) -> str:
    try:
        with engine.connect() as connection:
            operations = [op for op in migrations(connection, library) if told(op) not in expected]
        if not operations:
            return NOT_SEEN
    except Exception as error:
        print(f"{library}: {error!r}"[:300], file=sys.stderr)
        return CRASHED
    try:
        # Ours builds indexes concurrently, as the revision does in its autocommit block.
        level = {"isolation_level": "AUTOCOMMIT"} if library == "ours" else {}
        with engine.execution_options(**level).begin() as connection:
            apply(connection, operations)
        with engine.connect() as connection:
            return PUT_RIGHT if not compare(connection, SCOPE).changes() else SEEN
    except Exception as error:
        print(f"{library}: {error!r}"[:300], file=sys.stderr)
        return SEEN


def migrations(connection: Connection, library: str) -> list[MigrateOperation]:
    plugins = autogenerate.PLUGINS if library == "ours" else ["alembic.autogenerate.*"]

    def include_name(name: str | None, type_: str, parents: dict[str, str | None]) -> bool:
        if type_ == "schema":
            return name in (None, ANALYTICS)
        return type_ != "table" or parents["schema_name"] is not None or name in Base.metadata.tables

    options = {
        "include_schemas": True,
        "include_name": include_name,
        "compare_server_default": True,
        "autogenerate_plugins": plugins,
        autogenerate.SCOPE: SCOPE,
    }
    found = produce_migrations(MigrationContext.configure(connection, opts=options), Base.metadata)
    return list(flat(found.upgrade_ops.ops)) if found.upgrade_ops else []


def told(operation: MigrateOperation) -> str:
    """An operation in words, without addresses in memory."""
    return re.sub(r" at 0x[0-9a-f]+", "", f"{type(operation).__name__} {vars(operation)}")


def apply(connection: Connection, operations: list[MigrateOperation]) -> None:
    context = Operations(MigrationContext.configure(connection))
    for operation in operations:
        if isinstance(operation, ByHand):
            raise NotImplementedError
        if isinstance(operation, Step):
            for statement in operation.up:
                connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
        elif (to_sql := getattr(operation, "to_sql", None)) is not None:
            made = to_sql(connection.dialect) if "View" in type(operation).__name__ else to_sql()
            for statement in made if isinstance(made, list | tuple) else [made]:
                context.execute(statement)
        else:
            context.invoke(operation)


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
    outcomes = (PUT_RIGHT, SEEN, NOT_SEEN, CRASHED)
    summary = [
        [title, *(str(counts[library][outcome]) for outcome in outcomes)] for library, title in LIBRARIES.items()
    ]
    report(f"{len(CASES)} single differences", ["", *outcomes], summary, "benchmarks/autogenerate.py")
    lines = [
        f"| {len(CASES)} cases | {' | '.join(LIBRARIES.values())} |",
        f"| --- |{' --- |' * len(LIBRARIES)}",
        *(
            f"| **{outcome if outcome != NOT_SEEN else 'not seen'}** | "
            + " | ".join(f"**{counts[library][outcome]}**" for library in LIBRARIES)
            + " |"
            for outcome in outcomes
        ),
        *(f"| {case.name} | {' | '.join(found[library][case.name] for library in LIBRARIES)} |" for case in CASES),
    ]
    write(PAGE, "\n".join(lines))


def write(page: Path, table: str) -> None:
    """Replace what stands between the two marks of the page."""
    head, start, rest = page.read_text(encoding="utf-8").partition("<!-- table -->\n")
    _, end, tail = rest.partition("<!-- end of table -->")
    page.write_text(f"{head}{start}{table}\n{end}{tail}", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(run(sys.argv[1])))
    else:
        main()
