"""The Phase 1 state of each niche: as a scoring event, as a first feature vector, and as a row for youtube."""

from typing import Any

from sqlalchemy import CTE, BigInteger, Double, Select, and_, cast, exists, false, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, array, insert

from backfill.job import Job, Slice
from models import AnalyticsEvent, CrossPlatformMetric, Feature, MlFeature

SCORES = ("demand_score", "monetise_score", "supply_score")
SCORED = {"event_type": "niche_scored", "event_source": "phase1"}
VECTOR = {"feature_set": "phase1_scores", "model_version": "phase1"}
PLATFORM = {"platform": "youtube"}


def _are(model: Any, constants: dict[str, str]) -> list[Any]:
    """That a row is of the kind that this job writes."""
    return [getattr(model, name) == value for name, value in constants.items()]


def write(batch: CTE, _slice: Slice) -> tuple[CTE, ...]:
    niche = batch.c.niche_id
    scores = [batch.c[name] for name in SCORES]
    at = func.coalesce(batch.c.updated_at, func.now())
    state = func.jsonb_build_object(*(part for name in (*SCORES, "opportunity") for part in (name, batch.c[name])))
    complete = and_(*(score.is_not(None) for score in scores))

    def fill(model: Any, constants: dict[str, str], values: dict[str, Any], *where: Any) -> CTE:
        rows = select(niche, *(literal(value) for value in constants.values()), *values.values()).where(
            ~exists().where(model.niche_id == niche, *_are(model, constants)), *where
        )
        # A row that live traffic writes in the same moment is newer, and stays.
        filled = insert(model).from_select(["niche_id", *constants, *values], rows).on_conflict_do_nothing()
        return filled.returning(model.niche_id).cte(f"filled_{model.__tablename__}")

    vector = {"dimension": literal(len(SCORES)), "vector": cast(array(scores), ARRAY(Double))}
    metric = {"demand_score": batch.c.demand_score, "supply_score": batch.c.supply_score, "updated_at": at}
    return (
        fill(AnalyticsEvent, SCORED, {"event_timestamp": at, "event_data": state}),
        fill(MlFeature, VECTOR, vector, complete),
        fill(CrossPlatformMetric, PLATFORM, metric),
    )


def expected(slice: Slice) -> Select[*tuple[Any, ...]]:
    """One scoring of each niche, nothing missing. Values are not compared: the niche may have changed since."""
    niche = Feature.niche_id
    one, no = cast(1, BigInteger), false()
    return select(
        niche.label("key"), one.label("scorings"), no.label("lacks_vector"), no.label("lacks_platform")
    ).where(slice.of(niche))


def actual(slice: Slice) -> Select[*tuple[Any, ...]]:
    def rows(model: Any, constants: dict[str, str]) -> Any:
        """How many rows there are of each niche; counted at once, not niche by niche."""
        counted = select(model.niche_id, func.count().label("rows")).where(slice.of(model.niche_id))
        return counted.where(*_are(model, constants)).group_by(model.niche_id).subquery()

    scorings, vectors, platforms = (
        rows(AnalyticsEvent, SCORED),
        rows(MlFeature, VECTOR),
        rows(CrossPlatformMetric, PLATFORM),
    )
    found = select(
        Feature.niche_id.label("key"),
        func.coalesce(scorings.c.rows, 0).label("scorings"),
        and_(*(getattr(Feature, name).is_not(None) for name in SCORES), vectors.c.rows.is_(None)).label("lacks_vector"),
        platforms.c.rows.is_(None).label("lacks_platform"),
    ).where(slice.of(Feature.niche_id))
    for each in (scorings, vectors, platforms):
        found = found.outerjoin(each, each.c.niche_id == Feature.niche_id)
    return found


NICHE_SCORES = Job(
    name="niche_scores",
    fills=(AnalyticsEvent, MlFeature, CrossPlatformMetric),
    source=Feature,
    cut=Feature.niche_id,
    key=Feature.niche_id,
    time=Feature.updated_at,
    width=10_000,
    write=write,
    expected=expected,
    actual=actual,
    seconds=0.05,
)
