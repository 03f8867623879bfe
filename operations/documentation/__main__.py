"""Write the generated pages of docs/: python -m operations.documentation

The models are built in a database of the embedded server, read as PostgreSQL stores them, and rolled back.
"""

import click
from alembic_online.database import engine

from models import Base
from operations.database import embedded_address
from operations.documentation import DOCS, pages
from operations.embedded import project_server
from operations.scope import SCOPE
from operations.settings import Settings

server = project_server(Settings.from_environment().data_home)
with engine(embedded_address(server, "documentation"), path=SCOPE.path).connect() as connection:
    Base.metadata.create_all(connection)
    for name, page in pages(connection).items():
        (DOCS / name).write_text(page, encoding="utf-8")
        click.echo(f"docs/{name}")
    connection.rollback()
