"""Who holds what the steps want and will not let go by itself."""

from collections.abc import Iterator, Mapping

from alembic_online.planned import Obstacle
from alembic_online.sessions import Session


def holders(session: Session, wanted: Mapping[str, str]) -> Iterator[Obstacle]:
    """Prepared transactions, which end when somebody says how, and an autovacuum that does not yield.

    A prepared one stops the steps if it is older than the deadline: who waits for so long waits in vain.
    """
    for each in session.blockers.holders(wanted):
        if each.is_prepared:
            stops = each.transaction_seconds > session.options.deadline
            yield Obstacle(f"in the way is {each}", "end it, or ask its owner to.", stops)
        elif each.is_autovacuum and each.urgent:
            yield Obstacle(
                f"in the way is {each}, at work to prevent wraparound: it does not yield",
                f"wait until it is done, or give it longer ({session.options.written('deadline', '1h')}).",
                stops=False,
            )
