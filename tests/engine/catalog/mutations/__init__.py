"""The table of cases: single differences between the models and a database, and what autogenerate is to make of each.

A case changes a migrated database: it stands then as if the models had been changed the other way round. Some change
the models' SQL files instead, as a developer does.
"""

from tests.engine.catalog.mutations.case import Mutation
from tests.engine.catalog.mutations.code import EDITED_FILES, FUNCTIONS, VIEWS
from tests.engine.catalog.mutations.keys import CONSTRAINTS, INDEXES
from tests.engine.catalog.mutations.tables import COLUMNS, TABLES
from tests.engine.catalog.mutations.texts import COMMENTS_AND_GRANTS

MUTATIONS = (
    *COLUMNS,
    *TABLES,
    *INDEXES,
    *CONSTRAINTS,
    *VIEWS,
    *FUNCTIONS,
    *COMMENTS_AND_GRANTS,
    *EDITED_FILES,
)

__all__ = ["MUTATIONS", "Mutation"]
