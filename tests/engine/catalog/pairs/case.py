"""Two states of a small project, and what autogenerate is to make of the way between them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import MetaData


@dataclass(frozen=True)
class Pair:
    """`both` stands in the database and in the models; then `before` in the database and `after` in the models.

    Everything is in schema shop. The tables of the models are read back from `after`, unless `metadata` makes them.
    `stops` is part of the message where nothing can be generated; `drift` says that it is done in the database
    by hand: there is then no way back to it.
    """

    name: str
    both: str = ""
    before: str = ""
    after: str = ""
    stops: str = ""
    contains: tuple[str, ...] = field(default=())
    metadata: Callable[[], MetaData] | None = None
    stays: str = ""
    """What a downgrade does not bring back."""
    oldest: int = 15
    """The first major version of PostgreSQL in which there is such a thing."""
