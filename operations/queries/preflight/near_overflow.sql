-- Rows of features whose opportunity the nightly scorer could not store again, and those from nine tenths of the limit.
-- `formula` is the scorer's, rounded as the column does.
SELECT
    count(*) FILTER (WHERE scored.formula >= %(limit)s) AS over,
    count(*) FILTER (
        WHERE greatest(scored.formula, scored.opportunity) >= 0.9 * %(limit)s AND scored.formula < %(limit)s
    ) AS near,
    max(greatest(scored.formula, scored.opportunity)) AS highest,
    (array_agg(scored.niche_id ORDER BY scored.formula DESC) FILTER (WHERE scored.formula >= %(limit)s)) [1:3] AS first
FROM (
    SELECT
        niche_id,
        coalesce(opportunity, 0) AS opportunity,
        round(coalesce(demand_score * monetise_score / greatest(supply_score, 0.01), 0), 5) AS formula
    FROM public.features
) AS scored;
