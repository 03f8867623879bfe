-- A schema that Phase 2 makes and that is another team's is not taken over: it holds more than an extension's objects,
-- gives rights to everybody, or has a comment that is not ours.
DO $$
DECLARE
    found text;
    ways text;
BEGIN
    WITH made (name, comment) AS (
        VALUES
        ('analytics', 'Advanced analytics of the Social Intelligence service (Phase 2)'),
        (
            'analytics_phase1',
            'Phase 1''s own hot_niches_today, kept for the way back; moved back by the downgrade of 2.0.4'
        ),
        ('analytics_partitions', 'Partitions of the tables of schema analytics')
    ),

    there AS (
        SELECT
            m.name,
            m.comment AS ours,
            obj_description(n.oid, 'pg_namespace') AS comment,
            ARRAY(
                SELECT pg_describe_object(d.classid, d.objid, d.objsubid)
                FROM pg_depend AS d
                WHERE
                    d.refclassid = 'pg_namespace'::regclass
                    AND d.refobjid = n.oid
                    AND d.deptype = 'n'
                    AND d.classid <> 'pg_extension'::regclass
                    AND NOT EXISTS (
                        SELECT FROM pg_depend AS e
                        WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e'
                    )
                ORDER BY 1
            ) AS holds,
            EXISTS (SELECT FROM aclexplode(n.nspacl) AS acl WHERE acl.grantee = 0) AS is_open
        FROM made AS m
        INNER JOIN pg_namespace AS n ON n.nspname = m.name
        WHERE
            m.name IN ({names})
            AND (
                m.name <> 'analytics_phase1' -- which is made only for a materialized view
                OR EXISTS (
                    SELECT FROM pg_class AS c WHERE c.oid = to_regclass('public.hot_niches_today') AND c.relkind = 'm'
                )
            )
    )

    SELECT
        string_agg(
            format('schema %I is there, and is not Phase 2''s: ', t.name)
            || concat_ws(
                ', ',
                'it holds ' || nullif(array_to_string(t.holds[1:3], ', '), '')
                || CASE
                    WHEN cardinality(t.holds) > 3 THEN format(' and %s more', cardinality(t.holds) - 3) ELSE ''
                END,
                CASE WHEN t.is_open THEN 'everybody has rights on it' END,
                'its comment is ' || quote_literal(t.comment)
            ),
            '; '
            ORDER BY t.name
        ),
        string_agg(
            format(
                'have its owner rename it (ALTER SCHEMA %I RENAME TO another_name), or drop it if nobody needs it; only if'
                ' an earlier upgrade of this project made it: COMMENT ON SCHEMA %I IS %L;',
                t.name, t.name, t.ours
            ),
            ' '
            ORDER BY t.name
        )
    INTO found, ways
    FROM there AS t
    WHERE
        t.comment IS DISTINCT FROM t.ours
        AND (cardinality(t.holds) > 0 OR t.is_open OR t.comment IS NOT NULL);
    IF found IS NOT NULL THEN
        RAISE EXCEPTION '%', found USING HINT = ways;
    END IF;
END
$$;
