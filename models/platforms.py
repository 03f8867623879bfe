"""Platforms: metrics made comparable across platforms (plan, "New Tables" 3)."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, Computed, Date, ForeignKey, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ANALYTICS, NOW, Base, RetentionPeriod, Score, Timestamp, json_of, within_0_and_1
from models.niches import Feature
from models.vocabularies import PLATFORMS, one_of, said


class CrossPlatformMetric(Base):
    """One niche on one platform on one day (UTC): demand, supply, engagement, growth and audience."""

    __tablename__ = "cross_platform_metrics"

    metric_id: Mapped[int] = mapped_column(primary_key=True, comment="Key of the row")
    niche_id: Mapped[int | None] = mapped_column(ForeignKey(Feature.niche_id), comment="The niche measured")
    platform: Mapped[str] = mapped_column(comment=f"Where: {said(PLATFORMS)}")
    demand_score: Mapped[Score | None] = mapped_column(comment="Demand on the platform, 0 to 1")
    supply_score: Mapped[Score | None] = mapped_column(comment="Supply on the platform, 0 to 1")
    engagement_score: Mapped[Score | None] = mapped_column(comment="Engagement on the platform, 0 to 1")
    growth_rate: Mapped[Decimal | None] = mapped_column(
        Numeric(5, 4), comment="Relative growth since the day before: 0.25 is a quarter more; -1 at least"
    )
    updated_at: Mapped[Timestamp | None] = mapped_column(server_default=NOW, comment="When it was measured")
    audience_demographics: Mapped[dict[str, Any] | None] = mapped_column(
        comment="Shares of the audience, 0 to 1: {age: {group: share}, gender: {group: share}}"
    )
    metric_date: Mapped[date | None] = mapped_column(
        Date,
        Computed("(updated_at AT TIME ZONE 'UTC')::date", persisted=True),
        comment="The UTC day of updated_at; with niche and platform the key",
    )

    __table_args__ = (
        # The key of an upsert, one row a niche, platform and day; serves cross_platform from its end.
        UniqueConstraint("niche_id", "platform", "metric_date", postgresql_nulls_not_distinct=True),
        one_of("platform", PLATFORMS),
        within_0_and_1("demand_score"),
        within_0_and_1("supply_score"),
        within_0_and_1("engagement_score"),
        CheckConstraint("growth_rate >= -1", name="growth_rate"),
        json_of("audience_demographics", "object"),
        {
            "schema": ANALYTICS,
            "comment": "Normalised metrics, one row a niche, platform and UTC day",
            "info": {"retention": RetentionPeriod("updated_at", months=12)},
        },
    )
