"""The table of pairs."""

from tests.engine.catalog.pairs.case import Pair
from tests.engine.catalog.pairs.columns import COLUMNS
from tests.engine.catalog.pairs.keys import KEYS
from tests.engine.catalog.pairs.online import ONLINE
from tests.engine.catalog.pairs.partitioned import PARTITIONED
from tests.engine.catalog.pairs.routines import ROUTINES
from tests.engine.catalog.pairs.settings import SETTINGS
from tests.engine.catalog.pairs.types import TYPES
from tests.engine.catalog.pairs.whole_tables import WHOLE_TABLES

PAIRS = (*COLUMNS, *KEYS, *ONLINE, *PARTITIONED, *ROUTINES, *SETTINGS, *TYPES, *WHOLE_TABLES)

__all__ = ["PAIRS", "Pair"]
