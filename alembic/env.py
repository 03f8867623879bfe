"""Alembic's environment: what is ours is said in the scope; the engine does the rest."""

from logging.config import fileConfig

import alembic_online
from alembic import context

from operations.database import address
from operations.scope import SCOPE
from operations.settings import Settings

config = context.config
if config.config_file_name is not None and config.attributes.get("configure_logging", True):
    fileConfig(config.config_file_name, disable_existing_loggers=False)

alembic_online.run(
    SCOPE,
    url=lambda: address(Settings.from_environment()),
    options=lambda: Settings.from_environment().options,
)
