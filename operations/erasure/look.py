"""What is looked at before the first row goes: what a role may not do of it."""

from typing import Any

import psycopg
from alembic_online.errors import OnlineError

from operations.erasure import archived_columns
from operations.erasure.places import Table, tables
from operations.erasure.texts import TEXTS
from operations.queries import query

FEATURES = "public.features"
SHOWN = 8


def refuse_lacking_rights(connection: psycopg.Connection[Any]) -> list[Table]:
    """The tables that hold ids of users. Raises OnlineError where this role may not do all that an erasure does."""
    found = tables(connection)
    parameters = {
        "deleted": [*(each.name for each in found), *archived_columns.names(connection)],
        "updated": [*TEXTS, FEATURES],
        "schemas": list({each.schema for each in found}),
    }
    lacking = [row[0] for row in connection.execute(query("erasure/lacks"), parameters)]
    if lacking:
        more = f"\n  and {len(lacking) - SHOWN} more" if len(lacking) > SHOWN else ""
        raise OnlineError(
            "This role may not do all that an erasure does; nothing was changed.\n"
            + "\n".join(f"  {each};" for each in lacking[:SHOWN])
            + more,
            "run it as the role that migrates; or run these statements as an administrator.",
        )
    return found
