-- Phase 1's repository: one niche, whole, whatever columns it has.
SELECT * FROM features WHERE niche_id = %(niche_id)s;
