"""Insights: what was found out about a niche, and when it may be shown (plan, "New Tables" 6)."""

from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import (
    ANALYTICS,
    Base,
    CreatedAt,
    RetentionPeriod,
    Score,
    Timestamp,
    json_of,
    not_blank,
    valid_after_creation,
    within_0_and_1,
)
from models.niches import Feature
from models.vocabularies import PLATFORMS, one_of

KEPT = RetentionPeriod("created_at", months=12)


class Insight(Base):
    """A generated insight: a competitor heatmap, a gap analysis, a finding about a platform."""

    __tablename__ = "insight_registry"

    insight_id: Mapped[int] = mapped_column(primary_key=True, comment="Key of the insight")
    niche_id: Mapped[int | None] = mapped_column(
        ForeignKey(Feature.niche_id), comment="The niche it is about; NULL: about all niches"
    )
    insight_type: Mapped[str] = mapped_column(
        comment="What kind: competitor_heatmap, gap_analysis, cross_platform or another"
    )
    platform: Mapped[str | None] = mapped_column(comment="The platform it is about; NULL: none in particular")
    title: Mapped[str] = mapped_column(comment="The finding in a few words")
    insight_data: Mapped[dict[str, Any]] = mapped_column(
        comment="The finding: matrices, sub-niches with demand, supply, opportunity, audience and competitors"
    )
    score: Mapped[Score | None] = mapped_column(comment="How much it matters, 0 to 1; insights are read by it")
    model_version: Mapped[str] = mapped_column(comment="Version of the model that found it")
    created_at: Mapped[CreatedAt] = mapped_column(comment="When it was found")
    published_at: Mapped[Timestamp | None] = mapped_column(comment="When it may be shown from; NULL: a draft")
    valid_until: Mapped[Timestamp | None] = mapped_column(
        comment=f"When it expires; NULL: never. Kept for {KEPT.months} months"
    )

    __table_args__ = (
        # The key of an upsert.
        UniqueConstraint(
            "niche_id",
            "insight_type",
            "platform",
            "title",
            name="insight_registry_key",
            postgresql_nulls_not_distinct=True,
        ),
        # competitor_analysis, cross_platform: a niche's published insights of one kind, best first
        Index(
            "published",
            "niche_id",
            "insight_type",
            text("score DESC NULLS LAST"),
            text("insight_id DESC"),
            postgresql_where=text("published_at IS NOT NULL"),
        ),
        not_blank("insight_type"),
        one_of("platform", PLATFORMS),
        not_blank("title"),
        json_of("insight_data", "object"),
        within_0_and_1("score"),
        not_blank("model_version"),
        valid_after_creation(),
        {
            "schema": ANALYTICS,
            "comment": "Generated insights with what made them and when they may be shown",
            "info": {"retention": KEPT},
        },
    )
