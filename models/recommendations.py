"""Recommendations: which content to make in a niche (plan, "New Tables" 4)."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from models.base import (
    ANALYTICS,
    Base,
    CreatedAt,
    RetentionPeriod,
    Score,
    Timestamp,
    not_blank,
    valid_after_creation,
    within_0_and_1,
)
from models.niches import Feature
from models.vocabularies import COMPETITION_LEVELS, CONTENT_TYPES, DIRECTIONS, one_of, said

KEPT = RetentionPeriod("created_at", months=12)


class ContentRecommendation(Base):
    """A piece of content worth making in a niche, for one user or for everybody."""

    __tablename__ = "content_recommendations"

    recommendation_id: Mapped[int] = mapped_column(primary_key=True, comment="Key of the recommendation")
    niche_id: Mapped[int] = mapped_column(ForeignKey(Feature.niche_id), comment="The niche it is for")
    user_id: Mapped[str | None] = mapped_column(comment="Whom it is for; NULL: everybody. Subject to erasure")
    content_type: Mapped[str] = mapped_column(comment=f"What to make: {said(CONTENT_TYPES)}")
    title: Mapped[str] = mapped_column(comment="Suggested title")
    description: Mapped[str] = mapped_column(comment="Why, and what it should hold")
    content_format: Mapped[str | None] = mapped_column(comment="Suggested format, for example tutorial or review")
    keywords: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), comment="Suggested keywords, most important first"
    )
    opportunity_score: Mapped[Score] = mapped_column(comment="How promising, 0 to 1; recommendations are read by it")
    audience_match: Mapped[Score | None] = mapped_column(comment="How well it fits the audience, 0 to 1")
    estimated_views: Mapped[int | None] = mapped_column(comment="Views to expect in the first 30 days")
    trend_status: Mapped[str | None] = mapped_column(comment=f"The niche's trend then: {said(DIRECTIONS)}")
    competition_level: Mapped[str | None] = mapped_column(comment=f"Competition then: {said(COMPETITION_LEVELS)}")
    model_version: Mapped[str] = mapped_column(comment="Version of the model that recommended it")
    created_at: Mapped[CreatedAt] = mapped_column(comment="When it was recommended")
    valid_until: Mapped[Timestamp] = mapped_column(comment=f"When it expires; kept for {KEPT.months} months")

    __table_args__ = (
        # The key of an upsert: the same content is recommended once to the same user.
        UniqueConstraint(
            "niche_id",
            "user_id",
            "content_type",
            "title",
            name="content_recommendations_key",
            postgresql_nulls_not_distinct=True,
        ),
        # content_recommendations: the best few of a niche, for a user and for everybody, found in the index alone,
        # since most entries have expired and are passed over
        Index(
            "best",
            "niche_id",
            "user_id",
            text("opportunity_score DESC"),
            text("recommendation_id DESC"),
            postgresql_include=["valid_until"],
        ),
        # Erasure of a user's data
        Index("user_id", "user_id", postgresql_where=text("user_id IS NOT NULL")),
        one_of("content_type", CONTENT_TYPES),
        not_blank("title"),
        within_0_and_1("opportunity_score"),
        within_0_and_1("audience_match"),
        CheckConstraint("estimated_views >= 0", name="estimated_views"),
        CheckConstraint("array_position(keywords, NULL) IS NULL", name="keywords"),
        one_of("trend_status", DIRECTIONS),
        one_of("competition_level", COMPETITION_LEVELS),
        not_blank("model_version"),
        valid_after_creation(),
        {
            "schema": ANALYTICS,
            "comment": "Content recommended for a niche, to one user or to everybody",
            "info": {"retention": KEPT},
        },
    )
