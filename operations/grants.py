"""Grants that an upgrade left out because a group role was missing: made up for by the next one, once it is there."""

from alembic_online.catalog.target import compare
from alembic_online.database import engine
from rich.console import Console
from sqlalchemy import URL, NullPool, text

from models import ANALYTICS, ROLES
from operations.queries import query
from operations.scope import SCOPE
from operations.upgrade import revision_of, script_directory


def make_up(url: URL, console: Console) -> list[str]:
    """Grant to the group roles what the models say they have; the statements. At the newest revision only.

    Raises OnlineError where the database could not be compared with the models.
    """
    with engine(url, path=SCOPE.path, changing=True, poolclass=NullPool).connect() as connection, connection.begin():
        if revision_of(connection) != script_directory().get_current_head():
            return []
        parameters = {"roles": list(ROLES), "schema": ANALYTICS}
        late = set(connection.scalars(text(query("upgrade/roles_without_rights")), parameters))
        if not late:
            return []
        granted = [
            change.after
            for change in compare(connection, SCOPE).changes()
            if change.identity.kind == "privilege" and change.identity.part in late and change.after is not None
        ]
        for statement in granted:
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
    console.print(f"Granted to {', '.join(sorted(late))}, which was missing before: {len(granted)} objects' privileges")
    return granted
