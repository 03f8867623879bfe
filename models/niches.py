"""Niches: Phase 1's two public tables, with the columns that Phase 2 adds (plan, "Modified Tables").

Comments stand only on what Phase 2 adds; the rest is Phase 1's own, its meaning told in `doc`, outside the database.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.elements import conv

from models.base import NOW, Base, Score, Timestamp, json_of, within_0_and_1
from models.vocabularies import DIRECTIONS, one_of, said


class Feature(Base):
    """A niche and its Phase 1 scores; the table that every other one refers to."""

    __tablename__ = "features"

    niche_id: Mapped[int] = mapped_column(primary_key=True, doc="Key of the niche")
    phrase: Mapped[str | None] = mapped_column(doc="The phrase that names it")
    demand_score: Mapped[Score | None] = mapped_column(doc="How much it is asked for")
    monetise_score: Mapped[Score | None] = mapped_column(doc="How well it can be monetised")
    supply_score: Mapped[Score | None] = mapped_column(doc="How much there is of it already")
    opportunity: Mapped[Decimal | None] = mapped_column(
        Numeric(6, 5), doc="demand_score times monetise_score by supply_score, as of the nightly scorer"
    )
    updated_at: Mapped[Timestamp | None] = mapped_column(server_default=NOW, doc="When Phase 1 last wrote the row")
    trend_vector: Mapped[list[Any] | None] = mapped_column(
        comment="Events a day over the last 90 days, oldest first, gaps as zero: JSON array of [date, number of events]"
    )
    last_analyzed_at: Mapped[datetime | None] = mapped_column(
        comment="When trend_vector was last computed; NULL: not analysed yet"
    )
    analytics_version: Mapped[int] = mapped_column(
        Integer,
        server_default=text("0"),
        comment="Version of the analysis that last wrote the analytics columns of this row; 0: none",
    )

    __table_args__ = (
        UniqueConstraint("phrase"),
        Index(conv("features_phrase_idx"), "phrase"),
        Index(conv("features_opportunity_idx"), text("opportunity DESC")),
        json_of("trend_vector", "array"),
        CheckConstraint("analytics_version >= 0", name="analytics_version"),
    )


class HotNicheToday(Base):
    """The top 50 niches by opportunity among those updated in the last 24 hours.

    A table here; in deployments that ran the public Phase 1 code a materialized view with the same columns
    (:data:`models.views.HOT_NICHES_TODAY`). The database knows no key for it, the mapper uses ``niche_id``.
    """

    __tablename__ = "hot_niches_today"

    niche_id: Mapped[int | None] = mapped_column(BigInteger, doc="The niche")
    phrase: Mapped[str | None] = mapped_column(doc="As in features")
    demand_score: Mapped[Score | None] = mapped_column(doc="As in features")
    monetise_score: Mapped[Score | None] = mapped_column(doc="As in features")
    supply_score: Mapped[Score | None] = mapped_column(doc="As in features")
    opportunity: Mapped[Decimal | None] = mapped_column(Numeric(6, 5), doc="As in features")
    updated_at: Mapped[Timestamp | None] = mapped_column(doc="As in features")
    trend_direction: Mapped[str | None] = mapped_column(
        comment=f"Direction of the niche's trend over the last 14 days: {said(DIRECTIONS)}"
    )
    trend_confidence: Mapped[Score | None] = mapped_column(
        comment="Confidence in trend_direction, 0 to 1; under seven daily points below 0.6"
    )
    days_trending: Mapped[int | None] = mapped_column(
        Integer, comment="Days for which trend_direction has held, 0 to 14"
    )

    __table_args__ = (
        Index(conv("hot_niches_today_opportunity_idx"), text("opportunity DESC")),
        one_of("trend_direction", DIRECTIONS),
        within_0_and_1("trend_confidence"),
        CheckConstraint("days_trending >= 0", name="days_trending"),
    )
    __mapper_args__ = {"primary_key": [niche_id]}  # noqa: RUF012 (the declarative API's own attribute)
