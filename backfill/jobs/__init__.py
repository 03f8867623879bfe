"""The jobs, in the order in which they depend on one another; each is declared in a file of its own."""

from backfill.jobs.event_history import EVENT_HISTORY
from backfill.jobs.hot_niches import HOT_NICHES
from backfill.jobs.niche_scores import NICHE_SCORES
from backfill.jobs.niche_trends import NICHE_TRENDS

JOBS = (EVENT_HISTORY, NICHE_SCORES, NICHE_TRENDS, HOT_NICHES)

__all__ = ["EVENT_HISTORY", "HOT_NICHES", "JOBS", "NICHE_SCORES", "NICHE_TRENDS"]
