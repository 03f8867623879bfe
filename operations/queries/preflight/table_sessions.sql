-- Who holds, or waits for, locks on Phase 1's two relations, or on what inherits from them and is locked with them: the
-- strongest lock of each session, and prepared transactions.
WITH RECURSIVE tree (relation) AS (
    SELECT c.oid FROM pg_class AS c
    WHERE c.oid IN (to_regclass('public.features'), to_regclass('public.hot_niches_today'))
    UNION
    SELECT i.inhrelid FROM tree AS t INNER JOIN pg_inherits AS i ON i.inhparent = t.relation
)

SELECT
    format('pid %s (user %s, application %s)', l.pid, coalesce(a.usename, a.backend_type, 'a background process'),
        coalesce(nullif(a.application_name, ''), 'unnamed')) AS whose,
    l.relation::regclass::text AS relation,
    array_agg(l.mode ORDER BY l.mode) AS modes,
    bool_and(l.granted) AS granted,
    coalesce(a.backend_type = 'autovacuum worker', a.usesysid IS NULL) AS autovacuum
FROM pg_locks AS l
INNER JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE
    l.locktype = 'relation'
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.relation IN (SELECT t.relation FROM tree AS t)
    AND l.pid <> pg_backend_pid()
GROUP BY l.pid, a.usename, a.usesysid, a.backend_type, a.application_name, l.relation
UNION ALL
SELECT
    format('prepared transaction %L (user %s)', p.gid, p.owner) AS whose,
    l.relation::regclass::text AS relation,
    array_agg(l.mode ORDER BY l.mode) AS modes,
    true AS granted,
    false AS autovacuum
FROM pg_locks AS l
INNER JOIN pg_locks AS own
    ON own.locktype = 'transactionid' AND own.pid IS NULL AND own.virtualtransaction = l.virtualtransaction
INNER JOIN pg_prepared_xacts AS p ON p.transaction = own.transactionid
WHERE
    l.pid IS NULL
    AND p.database = current_database()
    AND l.relation IN (SELECT t.relation FROM tree AS t)
GROUP BY p.gid, p.owner, l.relation
ORDER BY whose;
