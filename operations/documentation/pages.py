"""Which pages there are, and what each is made from."""

from pathlib import Path

from sqlalchemy import Connection

from operations import monitor
from operations.documentation import checks, commands, schema
from operations.embedded import CLONE

DOCS: Path = CLONE / "docs"


def pages(connection: Connection) -> dict[str, str]:
    """Each generated page by its file name in docs/. The models must stand built in the connection's database."""
    return {
        "schema.md": schema.page(connection),
        "checks.md": checks.page(),
        "commands.md": commands.page(),
        "alerts.yml": monitor.alert_rules(),
    }
