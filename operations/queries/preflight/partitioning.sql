-- What partitioning the events meets that is others': `stops` the step, or goes on as before and means one partition only.
-- No row where the events are not there, or are partitioned already.
WITH events AS (
    SELECT c.oid, t.oid AS row_type, t.typarray
    FROM pg_class AS c
    INNER JOIN pg_type AS t ON t.typrelid = c.oid
    WHERE c.oid = to_regclass('analytics.analytics_events') AND c.relkind = 'r'
)

SELECT
    format('%s refers to events by event_id alone, which is no key any more', pg_describe_object(d.classid, d.objid, 0)) AS what,
    format(
        'ALTER TABLE %s DROP CONSTRAINT %I; afterwards with event_timestamp in the key, or without', k.conrelid::regclass, k.conname
    ) AS remedy,
    true AS stops
FROM events AS e
INNER JOIN pg_depend AS d ON d.refobjid = e.oid AND d.classid = 'pg_constraint'::regclass
INNER JOIN pg_constraint AS k ON k.oid = d.objid AND k.contype = 'f' AND k.confrelid = e.oid
UNION
SELECT
    format('%s stands on the table of events, and would go on reading one partition of it', n.name),
    format('drop %s, and create it anew after the upgrade', n.name),
    true
FROM events AS e
INNER JOIN pg_depend AS d ON d.refobjid = e.oid OR (d.refclassid = 'pg_type'::regclass AND d.refobjid IN (e.row_type, e.typarray))
LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
CROSS JOIN LATERAL (
    SELECT pg_describe_object(
        CASE WHEN r.oid IS NULL THEN d.classid ELSE 'pg_class'::regclass END, coalesce(r.ev_class, d.objid), 0
    ) AS name
) AS n
WHERE
    d.classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass)
    AND r.ev_class IS DISTINCT FROM e.oid  -- its own rules
UNION
SELECT
    format('publication %I publishes the table of events, and would publish one partition of it', p.pubname),
    format(
        'ALTER PUBLICATION %1$I DROP TABLE analytics.analytics_events; after the upgrade ALTER PUBLICATION %1$I SET'
        ' (publish_via_partition_root = true), and ADD TABLE analytics.analytics_events%2$s%3$s',
        p.pubname,
        (
            SELECT format(' (%s)', string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum))
            FROM pg_attribute AS a
            WHERE a.attrelid = e.oid AND a.attnum = ANY(r.prattrs::smallint [])
            HAVING count(*) > 0
        ),
        ' WHERE (' || pg_get_expr(r.prqual, r.prrelid) || ')'
    ),
    true
FROM events AS e
INNER JOIN pg_publication_rel AS r ON r.prrelid = e.oid
INNER JOIN pg_publication AS p ON p.oid = r.prpubid
UNION
SELECT
    format('publication %I publishes events with a schema or all tables, and would publish each partition by its own name', p.pubname),
    format('before the upgrade: ALTER PUBLICATION %I SET (publish_via_partition_root = true)', p.pubname),
    false
FROM events AS e
CROSS JOIN pg_publication AS p
WHERE
    NOT p.pubviaroot
    AND (
        p.puballtables
        OR EXISTS (
            SELECT FROM pg_publication_namespace AS s
            WHERE s.pnpubid = p.oid AND s.pnnspid IN (to_regnamespace('analytics'), to_regnamespace('analytics_partitions'))
        )
    )
UNION
SELECT
    format('function %s says ON CONFLICT (event_id), which fails after the upgrade', p.oid::regprocedure),
    'leave the columns out: ON CONFLICT DO NOTHING; or name both, (event_id, event_timestamp)',
    false
FROM events AS e
INNER JOIN pg_proc AS p ON p.prosrc ~* 'analytics_events' AND p.prosrc ~* 'on\s+conflict\s*\(\s*event_id\s*\)'
UNION
SELECT
    format(
        'rule %I of %s says ON CONFLICT (event_id), which fails after the upgrade', r.rulename, r.ev_class::regclass
    ),
    'leave the columns out: ON CONFLICT DO NOTHING; or name both, (event_id, event_timestamp)',
    false
FROM events AS e
INNER JOIN pg_depend AS d ON d.refobjid = e.oid AND d.classid = 'pg_rewrite'::regclass
INNER JOIN pg_rewrite AS r ON r.oid = d.objid
WHERE pg_get_ruledef(r.oid) ~* 'on\s+conflict\s*\(\s*event_id\s*\)'
ORDER BY stops DESC, what;
