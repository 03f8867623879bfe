"""Alembic's environment: get the connection, compare only what is ours, run."""

from logging.config import fileConfig
from typing import Any

from alembic import context
from alembic_online import errors_for_people, guarded, notices_to_log, parse
from alembic_online.catalog import autogenerate
from alembic_online.database import engine
from sqlalchemy import URL, Engine, NullPool
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateTable

from models import ANALYTICS, Base
from operations.database import address
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


def run_online(url: URL, settings: Settings, given: Engine | None) -> None:
    options = {
        "target_metadata": Base.metadata,
        "include_schemas": True,
        "include_name": include_name,
        "compare_server_default": True,
        "autogenerate_plugins": autogenerate.PLUGINS,
        "process_revision_directives": autogenerate.revise,
        "transaction_per_migration": True,
        "on_version_apply": config.attributes.get("on_version_apply", ()),
    }
    if not changes_something():
        with (given or engine(url, poolclass=NullPool)).connect() as connection:
            context.configure(connection=connection, **options)
            with notices_to_log(connection), context.begin_transaction():
                context.run_migrations()
        return
    guard_options = parse(settings.rollout, context.get_x_argument(as_dictionary=True))
    with guarded(url, guard_options, given, config.attributes.get("aside")) as run:
        context.configure(connection=run.connection, **options)
        run.guard(context.get_context())
        with notices_to_log(run.connection):
            run.through(context.run_migrations)


def changes_something() -> bool:
    """Whether the command has a destination: upgrade, downgrade, stamp; not current, check, revision."""
    try:
        context.get_revision_argument()
    except KeyError:
        return False
    return True


with errors_for_people():
    if context.is_offline_mode():
        run_offline()
    else:
        settings = Settings.from_environment()
        given: Engine | None = config.attributes.get("connection")
        run_online(address(settings) if given is None else given.url, settings, given)
