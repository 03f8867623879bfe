"""The closed vocabularies: the words that a column may hold, the same wherever it appears."""

from sqlalchemy import CheckConstraint

PLATFORMS = ("youtube", "tiktok", "instagram")
CONTENT_TYPES = ("video", "short", "stream", "post")
DIRECTIONS = ("rising", "stable", "falling")
COMPETITION_LEVELS = ("low", "medium", "high")


def said(vocabulary: tuple[str, ...]) -> str:
    """The words of a closed vocabulary as a comment names them: "low, medium or high"."""
    return f"{', '.join(vocabulary[:-1])} or {vocabulary[-1]}"


def one_of(column: str, vocabulary: tuple[str, ...]) -> CheckConstraint:
    """A column holds only words of a closed vocabulary (NULL passes)."""
    words = ", ".join(f"'{word}'" for word in vocabulary)
    return CheckConstraint(f"{column} IN ({words})", name=column)
