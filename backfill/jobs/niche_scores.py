"""The Phase 1 state of each niche: as a scoring event, as a first feature vector, and as a row for youtube.

Each niche is written once. Niches appear at any time and commit in any order, so that the ones written are noted. What
of a niche is older than its table's horizon is not written: it would go again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import CTE, ColumnElement, Connection, Double, and_, cast, false, func, literal, select, true, union_all
from sqlalchemy.dialects.postgresql import ARRAY, array, insert

from backfill import expired
from backfill.job import Batch, Job, Part, Rows, is_there, only, table_of
from backfill.tables import Range, Walked
from models import AnalyticsEvent, CrossPlatformMetric, Feature, MlFeature

SCORES = ("demand_score", "monetise_score", "supply_score")
SCORED = {"event_type": "niche_scored", "event_source": "phase1"}
VECTOR = {"feature_set": "phase1_scores", "model_version": "phase1"}
PLATFORM = {"platform": "youtube"}
_NOTHING = false()


@dataclass(frozen=True)
class NicheScores(Job):
    """Niches of Phase 1."""

    kept_from: Sequence[datetime | None] = (None, None)
    """The horizons of scoring events and of platform rows, as a batch finds them."""

    def batch(self, connection: Connection, claimed: Range, as_of: datetime, asked: int) -> Batch:
        horizons = [expired.horizon(connection, model.__tablename__) for model in (AnalyticsEvent, CrossPlatformMetric)]
        found = replace(self, kept_from=horizons)
        return super(NicheScores, found).batch(connection, claimed, as_of, asked)

    def write(self, batch: CTE, part: Part) -> tuple[CTE, ...]:
        niche = batch.c.niche_id
        scores = [batch.c[name] for name in SCORES]
        at = func.coalesce(batch.c.updated_at, func.now())
        state = func.jsonb_build_object(*(each for name in (*SCORES, "opportunity") for each in (name, batch.c[name])))
        complete = and_(*(score.is_not(None) for score in scores))

        def fill(model: Any, constants: dict[str, str], values: dict[str, Any], *where: Any, key: Sequence[str]) -> CTE:
            same = select(model.niche_id).where(model.niche_id == niche, *_are(model, constants))
            rows = select(niche, *(literal(value) for value in constants.values()), *values.values())
            rows = rows.where(~is_there(same, batch), *where)
            filled = insert(model).from_select(["niche_id", *constants, *values], rows)
            if key:  # a row that live traffic writes in the same moment is newer, and stays
                filled = filled.on_conflict_do_nothing(index_elements=key)
            return filled.returning(model.niche_id).cte(f"filled_{model.__tablename__}")

        vector = {"dimension": literal(len(SCORES)), "vector": cast(array(scores), ARRAY(Double))}
        metric = {"demand_score": batch.c.demand_score, "supply_score": batch.c.supply_score, "updated_at": at}
        scored, compared = (true() if each is None else at >= each for each in self.kept_from)
        walked = insert(Walked).from_select(["job", "key"], select(literal(self.name), niche)).on_conflict_do_nothing()
        return (
            fill(AnalyticsEvent, SCORED, {"event_timestamp": at, "event_data": state}, scored, key=()),
            fill(MlFeature, VECTOR, vector, complete, key=("niche_id", *VECTOR)),
            fill(CrossPlatformMetric, PLATFORM, metric, compared, key=("niche_id", *PLATFORM, "metric_date")),
            walked.returning(Walked.key).cte("walked"),
        )

    def new(self, part: Part) -> ColumnElement[bool]:
        return ~self.done(part)

    def done(self, part: Part) -> ColumnElement[bool]:
        walked = select(Walked.key).where(Walked.job == self.name, Walked.key == Feature.niche_id)
        return is_there(walked, table_of(Feature))

    def expected(self, part: Part) -> Rows:
        """Of each niche a scoring, and the rest. Values are not compared: the niche may have changed since."""
        nothing = [false().label(f"lacks_{each}") for each in ("scoring", "vector", "platform")]
        rows = only(select(Feature.niche_id.label("key"), *nothing), Feature)
        return rows.where(part.of(Feature.niche_id), self.done(part))

    def actual(self, part: Part) -> Rows:
        """What each niche lacks: rows of all kinds put together and grouped, which takes the same work for a niche
        however many there are, and however wrong the tables' statistics are; joins may not."""

        def of(kind: str, key: Any, *where: Any, complete: Any = _NOTHING) -> Any:
            kinds = (literal(kind == each).label(each) for each in ("niche", "scoring", "vector", "platform"))
            return select(key.label("key"), *kinds, complete.label("complete")).where(part.of(key), *where)

        niche, complete = Feature.niche_id, and_(*(getattr(Feature, name).is_not(None) for name in SCORES))
        found = union_all(
            only(of("niche", niche, self.done(part), complete=complete), Feature),
            of("scoring", AnalyticsEvent.niche_id, *_are(AnalyticsEvent, SCORED)),
            of("vector", MlFeature.niche_id, *_are(MlFeature, VECTOR)),
            of("platform", CrossPlatformMetric.niche_id, *_are(CrossPlatformMetric, PLATFORM)),
        ).subquery()
        has = found.c
        return (
            select(
                has.key,
                (~func.bool_or(has.scoring)).label("lacks_scoring"),
                and_(func.bool_or(has.complete), ~func.bool_or(has.vector)).label("lacks_vector"),
                (~func.bool_or(has.platform)).label("lacks_platform"),
            )
            .group_by(has.key)
            .having(func.bool_or(has.niche))
        )

    def since(self, part: Part) -> Rows:
        found = self.actual(part).cte("found")
        lacks = [select(found.c.key, literal("deleted").label("what")).where(each) for each in list(found.c)[1:]]
        return union_all(*lacks)

    def others(self, part: Part) -> Rows:
        """More scorings than one, as a history brings them that was exported after Phase 1 was scored."""
        niche = AnalyticsEvent.niche_id
        what = literal("another Phase 1 scoring of the niche").label("what")
        more = select(niche, func.count().label("scorings")).where(part.of(niche), *_are(AnalyticsEvent, SCORED))
        several = more.group_by(niche).having(func.count() > 1).subquery()
        each = func.generate_series(2, several.c.scorings).table_valued("number").lateral()
        return select(several.c.niche_id.label("key"), what).select_from(several.join(each, true()))


def _are(model: Any, constants: dict[str, str]) -> list[Any]:
    """That a row is of the kind that this job writes."""
    return [getattr(model, name) == value for name, value in constants.items()]


NICHE_SCORES = NicheScores(
    name="niche_scores",
    fills=(AnalyticsEvent, MlFeature, CrossPlatformMetric),
    partition_column=Feature.niche_id,
    key=Feature.niche_id,
    time=Feature.updated_at,
    width=10_000,
    writes_once=True,
    seconds=0.05,
)
