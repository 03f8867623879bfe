-- What depends on the materialized view would stay with the old one when a new one takes its place.
DO $$
DECLARE
    dependants text;
BEGIN
    SELECT string_agg(DISTINCT pg_describe_object(described.classid, described.objid, 0), ', ')
    INTO dependants
    FROM pg_class AS view
    INNER JOIN pg_type AS row_type ON row_type.oid = view.reltype
    INNER JOIN pg_depend AS d
        ON (d.refclassid = 'pg_class'::regclass AND d.refobjid = view.oid)
        OR (d.refclassid = 'pg_type'::regclass AND d.refobjid IN (row_type.oid, row_type.typarray))
    LEFT JOIN pg_rewrite AS rule ON d.classid = 'pg_rewrite'::regclass AND rule.oid = d.objid
    CROSS JOIN LATERAL (
        -- a view depends through its rule; name the view
        SELECT
            CASE WHEN rule.oid IS NULL THEN d.classid ELSE 'pg_class'::regclass END AS classid,
            coalesce(rule.ev_class, d.objid) AS objid
    ) AS described
    WHERE
        view.oid = to_regclass('public.hot_niches_today')
        AND view.relkind = 'm'
        AND NOT EXISTS (
            SELECT FROM pg_attribute AS widened WHERE widened.attrelid = view.oid AND widened.attname = 'trend_direction'
        )
        AND d.deptype IN ('n', 'a')
        AND described.objid <> view.oid
        AND NOT EXISTS (
            SELECT FROM pg_index AS i
            WHERE described.classid = 'pg_class'::regclass AND i.indexrelid = described.objid AND i.indrelid = view.oid
        );

    IF dependants IS NOT NULL THEN
        RAISE EXCEPTION 'materialized view public.hot_niches_today cannot be replaced: % depends on it; nothing was changed', dependants
            USING HINT = 'drop what depends on it, run the upgrade again, and create it anew afterwards';
    END IF;
END
$$;
