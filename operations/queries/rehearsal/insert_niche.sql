-- Phase 1's repository and seeder: a new niche; phrases that exist are skipped.
INSERT INTO features (phrase, demand_score, monetise_score, supply_score, opportunity)
VALUES (%(phrase)s, %(demand)s, %(monetise)s, %(supply)s, 0.5)
ON CONFLICT DO NOTHING;
