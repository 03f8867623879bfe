"""Which pages there are, and what each is made from."""

from pathlib import Path

from sqlalchemy import Connection

from operations.documentation import commands, schema
from operations.embedded import CLONE
from operations.monitor import alert_rules

DOCS: Path = CLONE / "docs"


def pages(connection: Connection) -> dict[str, str]:
    """Each generated page by its file name in docs/. The models must stand built in the connection's database."""
    return {"schema.md": schema.page(connection), "commands.md": commands.page(), "alerts.yml": alert_rules()}
