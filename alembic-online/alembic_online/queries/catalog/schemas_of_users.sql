-- The schemas of what uses these relations and functions, directly or through others.
WITH RECURSIVE given AS (
    SELECT g.schema, g.name
    FROM unnest(CAST(:schemas AS text []), CAST(:names AS text [])) AS g (schema, name)
),

-- What takes rows as an argument, a column or a result depends on the relation's row type.
user_of (classid, objid) AS (
    SELECT 'pg_class'::regclass::oid, c.oid
    FROM given AS g
    INNER JOIN pg_namespace AS n ON n.nspname = g.schema
    INNER JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = g.name
    UNION
    SELECT 'pg_proc'::regclass::oid, p.oid
    FROM given AS g
    INNER JOIN pg_namespace AS n ON n.nspname = g.schema
    INNER JOIN pg_proc AS p ON p.pronamespace = n.oid AND format('%I(%s)', p.proname, oidvectortypes(p.proargtypes)) = g.name
    UNION
    SELECT found.classid, found.objid
    FROM user_of AS known
    LEFT JOIN pg_type AS row_type ON known.classid = 'pg_class'::regclass AND row_type.typrelid = known.objid
    INNER JOIN pg_depend AS d
        ON (d.refclassid = known.classid AND d.refobjid = known.objid)
        OR (d.refclassid = 'pg_type'::regclass AND d.refobjid IN (row_type.oid, row_type.typarray))
    LEFT JOIN pg_rewrite AS rule ON d.classid = 'pg_rewrite'::regclass AND rule.oid = d.objid
    CROSS JOIN LATERAL (
        SELECT
            CASE WHEN rule.oid IS NULL THEN d.classid ELSE 'pg_class'::regclass END AS classid,
            coalesce(rule.ev_class, d.objid) AS objid
    ) AS found
    WHERE d.deptype IN ('n', 'a')
)

SELECT DISTINCT n.nspname
FROM user_of AS u
LEFT JOIN pg_trigger AS t ON u.classid = 'pg_trigger'::regclass AND t.oid = u.objid
LEFT JOIN pg_policy AS o ON u.classid = 'pg_policy'::regclass AND o.oid = u.objid
LEFT JOIN pg_constraint AS k ON u.classid = 'pg_constraint'::regclass AND k.oid = u.objid
LEFT JOIN pg_class AS c
    ON c.oid = coalesce(t.tgrelid, o.polrelid, k.conrelid, CASE WHEN u.classid = 'pg_class'::regclass THEN u.objid END)
LEFT JOIN pg_proc AS p ON u.classid = 'pg_proc'::regclass AND p.oid = u.objid
LEFT JOIN pg_statistic_ext AS s ON u.classid = 'pg_statistic_ext'::regclass AND s.oid = u.objid
INNER JOIN pg_namespace AS n ON n.oid = coalesce(c.relnamespace, p.pronamespace, s.stxnamespace)
WHERE n.nspname NOT IN ('pg_catalog', 'pg_toast')
