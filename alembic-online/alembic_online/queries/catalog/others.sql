-- What is neither declared nor generated, but must not pass unseen: types but for an extension's, rules, extended
-- statistics.
SELECT
    'type' AS kind,
    n.nspname AS schema,
    t.typname AS name,
    '' AS part,
    concat(
        format('CREATE TYPE %s', t.oid::regtype),
        (
            SELECT ' AS ENUM (' || string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) || ')'
            FROM pg_enum AS e
            WHERE e.enumtypid = t.oid
        ),
        CASE WHEN t.typtype = 'd' THEN ' /* domain over ' || format_type(t.typbasetype, t.typtypmod) || ' */' END,
        (
            SELECT ' /* ' || string_agg(pg_get_constraintdef(k.oid), ' ' ORDER BY k.conname) || ' */'
            FROM pg_constraint AS k
            WHERE k.contypid = t.oid
        )
    ) AS definition,
    format('DROP TYPE %s', t.oid::regtype) AS removal,
    'pg_type'::regclass::oid AS classid,
    t.oid AS objid,
    0 AS objsubid
FROM pg_type AS t
INNER JOIN pg_namespace AS n ON n.oid = t.typnamespace
LEFT JOIN pg_class AS c ON c.oid = t.typrelid
WHERE
    n.nspname = ANY(:schemas)
    AND t.typelem = 0
    AND t.typtype <> 'm'
    AND (c.oid IS NULL OR c.relkind = 'c')
    AND NOT EXISTS (
        SELECT FROM pg_depend AS d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
    )
UNION ALL
SELECT
    'rule',
    n.nspname,
    c.relname,
    r.rulename,
    concat(rtrim(pg_get_ruledef(r.oid), ';'), CASE WHEN r.ev_enabled <> 'O' THEN ' /* not enabled as usual */' END),
    format('DROP RULE %I ON %s', r.rulename, c.oid::regclass),
    'pg_rewrite'::regclass::oid,
    r.oid,
    0
FROM pg_rewrite AS r
INNER JOIN pg_class AS c ON c.oid = r.ev_class
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE r.ev_class = ANY(:relations) AND r.rulename <> '_RETURN'
UNION ALL
SELECT
    'statistics',
    n.nspname,
    c.relname,
    s.stxname,
    pg_get_statisticsobjdef(s.oid),
    format('DROP STATISTICS %I.%I', s.stxnamespace::regnamespace, s.stxname),
    'pg_statistic_ext'::regclass::oid,
    s.oid,
    0
FROM pg_statistic_ext AS s
INNER JOIN pg_class AS c ON c.oid = s.stxrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE s.stxrelid = ANY(:relations)
