"""Alembic's environment: the project's scope and its address; the engine does the rest."""

import os
from logging.config import fileConfig

import alembic_online
from alembic import context
from shop import SCOPE
from sqlalchemy import make_url

fileConfig(context.config.config_file_name, disable_existing_loggers=False)
alembic_online.run(SCOPE, url=lambda: make_url(os.environ["SHOP_DATABASE_URL"]))
