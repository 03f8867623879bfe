"""Who holds what the steps want and will not release it by itself, on the primary and on its replicas."""

from collections.abc import Iterator, Mapping

from alembic_online.planned import Obstacle
from alembic_online.queries import query
from alembic_online.replicas import EXCLUSIVE
from alembic_online.sessions import Session


def holders(session: Session, wanted: Mapping[str, str]) -> Iterator[Obstacle]:
    """Prepared transactions, which end when somebody says how, and an autovacuum that does not yield.

    A prepared one stops the steps if it is older than the deadline: who waits for so long waits in vain.
    """
    for each in session.blockers.holders(wanted):
        if each.is_prepared:
            stops = each.transaction_seconds > session.options.deadline
            yield Obstacle(f"blocked by {each}", "end it, or ask its owner to.", stops)
        elif each.is_autovacuum and each.urgent:
            yield Obstacle(
                f"blocked by {each}, at work to prevent wraparound: it does not yield",
                f"wait until it is done, or give it longer ({session.options.written('deadline', '1h')}).",
                stops=False,
            )


def readers(session: Session, wanted: Mapping[str, str]) -> Iterator[Obstacle]:
    """Long queries on replicas, which are waited for; and that replicas go unseen, where none is named."""
    options = session.options
    exclusive = {relation: mode for relation, mode in wanted.items() if mode == EXCLUSIVE}
    for replica, blocker in session.replicas.readers(exclusive):
        yield Obstacle(
            f"blocked by {blocker} on replica {replica}: replay would wait for it, and readers behind",
            f"its end is waited for before the lock is asked for, but for {options.written('replica-wait', '0s')}.",
            stops=False,
        )
    row = session.observer.execute(query("replicas/unseen")).fetchone()
    if row and row[0] and not options.replicas:
        yield Obstacle(
            f"replicas go unseen: this role may not see pg_stat_replication, which has {row[0]}, and none is named",
            f"name those that readers use ({options.written('replicas', 'ADDRESS')}), or as an administrator: "
            "GRANT pg_monitor TO this role.",
            stops=False,
        )
