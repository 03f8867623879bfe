"""Trends: cached results of trend calculations (plan, "New Tables" 2)."""

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ANALYTICS, NOW, Base, Timestamp, json_of, not_blank, valid_after_creation
from models.niches import Feature


class TrendCache(Base):
    """A cached trend: a chart of one niche, or the correlation of a pair of niches."""

    __tablename__ = "trend_cache"

    trend_id: Mapped[int] = mapped_column(primary_key=True, comment="Key of the entry")
    trend_type: Mapped[str] = mapped_column(comment="What was calculated: chart, correlation or another kind")
    trend_source: Mapped[str] = mapped_column(comment="What calculated it, for example niche_trends")
    trend_data: Mapped[dict[str, Any]] = mapped_column(
        comment="The result. chart: {points: [{at, demand, supply, opportunity, forecast, confidence}]}; "
        "correlation: {coefficient, relationship, lag_days}"
    )
    parameters: Mapped[dict[str, Any]] = mapped_column(
        comment="What it was calculated for, part of the key: for a chart {period, granularity}; at most 2,000 bytes"
    )
    valid_until: Mapped[Timestamp] = mapped_column(comment="When the entry expires; queries live 1 hour, charts 24")
    created_at: Mapped[Timestamp | None] = mapped_column(server_default=NOW, comment="When it was calculated")
    niche_id: Mapped[int | None] = mapped_column(
        ForeignKey(Feature.niche_id), comment="The niche it is about; NULL: about all niches"
    )
    related_niche_id: Mapped[int | None] = mapped_column(
        ForeignKey(Feature.niche_id), comment="The other niche of a correlated pair; NULL: not about a pair"
    )

    __table_args__ = (
        # The key of an upsert; led by the niche, it serves trend_chart and trend_correlations too.
        UniqueConstraint(
            "niche_id",
            "trend_type",
            "trend_source",
            "related_niche_id",
            "parameters",
            name="trend_cache_key",
            postgresql_nulls_not_distinct=True,
        ),
        # Deleting a niche looks here for pairs.
        Index("related_niche_id", "related_niche_id", postgresql_where=text("related_niche_id IS NOT NULL")),
        # sidb maintain deletes what has expired.
        Index("valid_until", "valid_until"),
        not_blank("trend_type"),
        not_blank("trend_source"),
        json_of("parameters", "object"),
        CheckConstraint("octet_length(parameters::text) <= 2000", name="parameters_size"),
        json_of("trend_data", "object"),
        CheckConstraint("related_niche_id <> niche_id", name="related_niche_id"),
        valid_after_creation(),
        {"schema": ANALYTICS, "comment": "Cached results of trend calculations, each until valid_until"},
    )
