-- Phase 1's repository: the three scores of a niche.
UPDATE features SET
    demand_score = %(demand)s,
    monetise_score = %(monetise)s,
    supply_score = %(supply)s,
    updated_at = now()
WHERE niche_id = %(niche_id)s;
