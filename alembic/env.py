"""Alembic's environment: get the connection, compare only what is ours, run."""

from logging.config import fileConfig
from typing import Any

from alembic import context
from sqlalchemy import Connection, NullPool
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateTable

from models import ANALYTICS, Base
from operations.catalog import plugin
from operations.database import address, engine
from operations.guard import errors_for_people, notices_to_log
from operations.settings import Settings

config = context.config
if config.config_file_name is not None and config.attributes.get("configure_logging", True):
    fileConfig(config.config_file_name, disable_existing_loggers=False)


def include_name(name: str | None, type_: str, parent_names: dict[str, str | None]) -> bool:
    """Only schema analytics, and of public only the tables that the models name: the rest is other people's."""
    if type_ == "schema":
        return name in (None, ANALYTICS)
    if type_ == "table" and parent_names["schema_name"] is None:
        return name in Base.metadata.tables
    return True


@compiles(CreateTable, "postgresql")
def create_table(create: CreateTable, compiler: Any, **options: Any) -> str:
    """A script has to run also where a way back left alembic_version, empty; revision 1.0.0 sees to that it is."""
    create.if_not_exists |= create.element.name == "alembic_version"
    return str(compiler.visit_create_table(create, **options))


def run_offline() -> None:
    context.configure(
        dialect_name="postgresql",
        target_metadata=Base.metadata,
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},  # or percent signs come out doubled
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_online(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_schemas=True,
        include_name=include_name,
        compare_server_default=True,
        autogenerate_plugins=plugin.PLUGINS,
        process_revision_directives=plugin.revise,
        transaction_per_migration=True,
        on_version_apply=config.attributes.get("on_version_apply", ()),
    )
    with notices_to_log(connection), context.begin_transaction():
        context.run_migrations()


with errors_for_people():
    if context.is_offline_mode():
        run_offline()
    elif (given := config.attributes.get("connection")) is None:
        with engine(address(Settings.from_environment()), poolclass=NullPool).connect() as opened:
            run_online(opened)
    elif isinstance(given, Connection):
        run_online(given)
    else:
        with given.connect() as opened:
            run_online(opened)
