-- The nightly scorer's statement, unchanged. It refuses rows whose opportunity would not fit numeric(6,5).
UPDATE features SET
    opportunity = (demand_score * monetise_score) / GREATEST(supply_score, 0.01),
    updated_at = now();
