-- What goes is complete: nothing of it waits among the deltas, and nobody adds to it.
DO $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('analytics.niche_daily_activity', 0));
    PERFORM analytics.drain_niche_daily_activity();
END
$$;
