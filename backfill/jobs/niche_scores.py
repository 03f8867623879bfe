"""The Phase 1 state of each niche: as a scoring event, as a first feature vector, and as a row for youtube."""

from typing import Any

from sqlalchemy import CTE, Double, Select, and_, cast, exists, false, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, array, insert

from backfill.job import Job, Slice
from models import AnalyticsEvent, CrossPlatformMetric, Feature, MlFeature

SCORES = ("demand_score", "monetise_score", "supply_score")
SCORED = {"event_type": "niche_scored", "event_source": "phase1"}
VECTOR = {"feature_set": "phase1_scores", "model_version": "phase1"}
PLATFORM = {"platform": "youtube"}


def of_niche(model: Any, niche_id: Any, constants: dict[str, str]) -> Any:
    """Whether the model's row is the one of a niche that this job writes."""
    return and_(model.niche_id == niche_id, *(getattr(model, name) == value for name, value in constants.items()))


def write(batch: CTE, _slice: Slice) -> tuple[CTE, ...]:
    niche = batch.c.niche_id
    scores = [batch.c[name] for name in SCORES]
    at = func.coalesce(batch.c.updated_at, func.now())
    state = func.jsonb_build_object(*(part for name in (*SCORES, "opportunity") for part in (name, batch.c[name])))
    complete = and_(*(score.is_not(None) for score in scores))

    def fill(model: Any, constants: dict[str, str], values: dict[str, Any], *where: Any) -> CTE:
        rows = select(niche, *(literal(value) for value in constants.values()), *values.values()).where(
            ~exists().where(of_niche(model, niche, constants)), *where
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
    one, no = literal(1), false()
    return select(
        niche.label("key"), one.label("scorings"), no.label("lacks_vector"), no.label("lacks_platform")
    ).where(slice.of(niche))


def actual(slice: Slice) -> Select[*tuple[Any, ...]]:
    niche = Feature.niche_id
    scorings = select(func.count()).where(of_niche(AnalyticsEvent, niche, SCORED)).scalar_subquery()
    complete = and_(*(getattr(Feature, name).is_not(None) for name in SCORES))
    lacks_vector = and_(complete, ~exists().where(of_niche(MlFeature, niche, VECTOR)))
    lacks_platform = ~exists().where(of_niche(CrossPlatformMetric, niche, PLATFORM))
    return select(
        niche.label("key"),
        scorings.label("scorings"),
        lacks_vector.label("lacks_vector"),
        lacks_platform.label("lacks_platform"),
    ).where(slice.of(niche))


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
