-- Phase 1's repository: the hot niches.
SELECT niche_id, phrase, demand_score, monetise_score, supply_score, opportunity, updated_at
FROM hot_niches_today
ORDER BY opportunity DESC;
