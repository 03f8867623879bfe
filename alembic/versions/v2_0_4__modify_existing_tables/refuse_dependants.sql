-- What depends on the materialized view would stay with the old one when a new one takes its place.
DO $$
DECLARE
    dependants text;
BEGIN
    WITH RECURSIVE old_view AS (
        SELECT c.oid
        FROM pg_class AS c
        WHERE
            c.oid = to_regclass('public.hot_niches_today')
            AND c.relkind = 'm'
            AND NOT EXISTS (
                SELECT FROM pg_attribute AS widened WHERE widened.attrelid = c.oid AND widened.attname = 'trend_direction'
            )
    ),

    -- With views on views; what takes rows as an argument, a column or a result depends on the relation's row type.
    dependent (classid, objid) AS (
        SELECT 'pg_class'::regclass::oid, v.oid FROM old_view AS v
        UNION
        SELECT found.classid, found.objid
        FROM dependent AS known
        LEFT JOIN pg_type AS row_type ON known.classid = 'pg_class'::regclass AND row_type.typrelid = known.objid
        INNER JOIN pg_depend AS d
            ON (d.refclassid = known.classid AND d.refobjid = known.objid)
            OR (d.refclassid = 'pg_type'::regclass AND d.refobjid IN (row_type.oid, row_type.typarray))
        LEFT JOIN pg_rewrite AS rule ON d.classid = 'pg_rewrite'::regclass AND rule.oid = d.objid
        CROSS JOIN LATERAL (
            -- a view depends through its rule; name the view
            SELECT
                CASE WHEN rule.oid IS NULL THEN d.classid ELSE 'pg_class'::regclass END AS classid,
                coalesce(rule.ev_class, d.objid) AS objid
        ) AS found
        WHERE
            d.deptype IN ('n', 'a')
            AND NOT EXISTS (
                SELECT FROM pg_index AS i WHERE found.classid = 'pg_class'::regclass AND i.indexrelid = found.objid
            )
    )

    SELECT string_agg(described, ', ' ORDER BY described)
    INTO dependants
    FROM dependent AS d
    CROSS JOIN pg_describe_object(d.classid, d.objid, 0) AS described
    WHERE NOT EXISTS (SELECT FROM old_view AS v WHERE d.classid = 'pg_class'::regclass AND v.oid = d.objid);

    IF dependants IS NOT NULL THEN
        RAISE EXCEPTION 'materialized view public.hot_niches_today cannot be replaced; what depends on it: %', dependants
            USING HINT = 'drop what depends on it, run the upgrade again, and create it anew afterwards';
    END IF;
END
$$;
