"""Niches: which of those that a history names exist, asked beside its COPY; phrases that nobody knows become niches."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from backfill.plain_csv import Plain
from backfill.records import Bad, Row

KNOWN = 100_000


@dataclass
class Niches:
    """Which niches exist, asked a block at a time beside the COPY; memory is bounded by forgetting all at times."""

    connection: Connection
    create: bool
    _ids: set[str] = field(default_factory=set)
    _phrases: dict[str, int] = field(default_factory=dict)

    def exist(self, plain: Plain) -> bool:
        """Whether all niches of these records exist."""
        unknown = {given.strip('"') for given in set(plain.niche_ids) - self._ids} - {""}
        self._learn(unknown, set())
        return unknown <= self._ids

    def resolve(self, records: Iterable[Row | Bad], rejects: list[Bad]) -> list[Row]:
        """The rows with their niche_id, phrases too; those whose niche does not exist go to the rejects."""
        records = list(records)
        rejects.extend(each for each in records if isinstance(each, Bad))
        given = [each for each in records if isinstance(each, Row)]
        ids = {row.niche_id for row in given if row.niche_id}
        self._learn(ids, {row.phrase for row in given if row.phrase and not row.niche_id})
        rows = []
        for row in given:
            if row.niche_id:
                if row.niche_id not in self._ids:
                    rejects.append(Bad(row.line, f"niche {row.niche_id} does not exist", row.content))
                    continue
            elif row.phrase:
                niche = self._phrases.get(row.phrase)
                if niche is None:
                    rejects.append(Bad(row.line, f"no niche has the phrase {row.phrase[:80]!r}", row.content))
                    continue
                row = row._replace(niche_id=str(niche))
            rows.append(row)
        return rows

    def _learn(self, ids: set[str], phrases: set[str]) -> None:
        if len(self._ids) + len(self._phrases) > KNOWN:
            self._ids.clear()
            self._phrases.clear()
        ids, phrases = ids - self._ids, phrases - self._phrases.keys()
        while ids or phrases:
            try:
                with self.connection.begin():
                    # A seeder that adds the same phrases is not waited for: let go, and try again.
                    self.connection.execute(text("SET LOCAL lock_timeout = '50ms'"))
                    self._ask(ids, phrases)
                break
            except DBAPIError as error:
                if not isinstance(error.orig, LockNotAvailable | DeadlockDetected):
                    raise

    def _ask(self, ids: set[str], phrases: set[str]) -> None:
        if ids and not self._ids:
            # Most databases have no more; where there are more, the others are asked for as they come.
            first = text("SELECT niche_id FROM public.features LIMIT :most")
            self._ids.update(map(str, self.connection.scalars(first, {"most": KNOWN // 2})))
        if ids := ids - self._ids:
            found = text("SELECT niche_id FROM public.features WHERE niche_id = ANY(CAST(:ids AS bigint[]))")
            have = {str(niche) for niche in self.connection.scalars(found, {"ids": list(ids)})}
            self._ids |= {given for given in ids if given in have or str(int(given)) in have}
        if phrases:
            fit = [phrase for phrase in phrases if _storable(phrase)]
            if self.create:
                self.connection.execute(_CREATE, {"phrases": fit})
            found = text("SELECT phrase, niche_id FROM public.features WHERE phrase = ANY(CAST(:phrases AS text[]))")
            for phrase, niche in self.connection.execute(found, {"phrases": fit}):
                self._phrases[phrase] = niche


# In order, so that two loaders cannot deadlock. Without scores, Phase 1's next nightly scoring would put these niches
# on top of hot_niches_today, where NULL comes before everything.
_CREATE = text(
    "INSERT INTO public.features (phrase, demand_score, monetise_score, supply_score, opportunity) "
    "SELECT phrase, 0, 0, 0, 0 FROM unnest(CAST(:phrases AS text[])) AS given (phrase) "
    "WHERE NOT EXISTS (SELECT FROM public.features AS f WHERE f.phrase = given.phrase) "
    "ORDER BY phrase ON CONFLICT (phrase) DO NOTHING"
)


def _storable(phrase: str) -> bool:
    try:
        return "\0" not in phrase and bool(phrase.encode())
    except UnicodeEncodeError:
        return False
