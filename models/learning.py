"""Learning: feature vectors for machine learning (plan, "New Tables" 5)."""

from sqlalchemy import CheckConstraint, Double, ForeignKey, Integer, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ANALYTICS, Base, CreatedAt, not_blank
from models.niches import Feature


class MlFeature(Base):
    """A niche's feature vector: the newest of each feature set and version."""

    __tablename__ = "ml_features"

    vector_id: Mapped[int] = mapped_column(primary_key=True, comment="Key of the vector")
    niche_id: Mapped[int] = mapped_column(ForeignKey(Feature.niche_id), comment="The niche described")
    feature_set: Mapped[str] = mapped_column(comment="Which features, in which order, for example phase1_scores")
    model_version: Mapped[str] = mapped_column(comment="Version of the code that computed the vector")
    dimension: Mapped[int] = mapped_column(Integer, comment="Number of elements of the vector")
    vector: Mapped[list[float]] = mapped_column(ARRAY(Double), comment="The features, finite numbers")
    created_at: Mapped[CreatedAt] = mapped_column(comment="When it was computed")

    __table_args__ = (
        # The key of an upsert.
        UniqueConstraint("niche_id", "feature_set", "model_version"),
        not_blank("feature_set"),
        not_blank("model_version"),
        CheckConstraint("dimension > 0", name="dimension"),
        CheckConstraint("array_ndims(vector) = 1 AND cardinality(vector) = dimension", name="vector_dimension"),
        CheckConstraint("array_position(vector, NULL) IS NULL", name="vector_nulls"),
        CheckConstraint("NOT vector && '{NaN,Infinity,-Infinity}'::double precision[]", name="vector_finite"),
        {"schema": ANALYTICS, "comment": "Feature vectors of niches, one a niche, feature set and version"},
    )
