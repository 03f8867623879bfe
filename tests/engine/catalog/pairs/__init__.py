"""The table of pairs."""

from tests.engine.catalog.pairs.case import Pair
from tests.engine.catalog.pairs.online import ONLINE
from tests.engine.catalog.pairs.routines import ROUTINES
from tests.engine.catalog.pairs.settings import SETTINGS
from tests.engine.catalog.pairs.types import TYPES

PAIRS = (*ONLINE, *ROUTINES, *SETTINGS, *TYPES)

__all__ = ["PAIRS", "Pair"]
