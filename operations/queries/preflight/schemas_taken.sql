-- The schemas that these upgrades make, and that are somebody else's already: they hold more than an extension's objects,
-- give rights to everybody, or have a comment. What a rollback has left for what others have there has the comment that the
-- revision made.
WITH made (revision, name, comment) AS (
    VALUES
    ('2.0.0', 'analytics', 'Advanced analytics of the Social Intelligence service (Phase 2)'),
    (
        '2.0.4',
        'analytics_phase1',
        'Phase 1''s own hot_niches_today, kept for the way back; moved back by the downgrade of 2.0.4'
    ),
    ('2.1.0', 'analytics_partitions', 'Partitions of the tables of schema analytics')
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
        m.revision = ANY(%(revisions)s)
        AND (
            m.name <> 'analytics_phase1' -- which is made only for a materialized view
            OR EXISTS (
                SELECT FROM pg_class AS c WHERE c.oid = to_regclass('public.hot_niches_today') AND c.relkind = 'm'
            )
        )
)

SELECT
    t.name,
    concat_ws(
        ', ',
        'it holds ' || nullif(array_to_string(t.holds[1:3], ', '), '')
        || CASE WHEN cardinality(t.holds) > 3 THEN format(' and %%s more', cardinality(t.holds) - 3) ELSE '' END,
        CASE WHEN t.is_open THEN 'everybody has rights on it' END,
        'its comment is ' || quote_literal(t.comment)
    ) AS why,
    t.ours
FROM there AS t
WHERE
    t.comment IS DISTINCT FROM t.ours
    AND (cardinality(t.holds) > 0 OR t.is_open OR t.comment IS NOT NULL)
ORDER BY t.name;
