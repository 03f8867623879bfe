-- Changes to daily activity that are not folded in yet; counting ends at a million.
SELECT count(*) AS deltas FROM (SELECT FROM analytics.niche_daily_activity_delta LIMIT 1000000) AS pending;
