-- Who holds, or waits before us for, a lock that conflicts with one of those wanted, on the relation or on one below it:
-- LOCK TABLE locks partitions and children, too. Of other roles' sessions, a role without pg_read_all_stats sees little
-- more than that they are there: that an autovacuum is at work to prevent wraparound is known to it by the table's age.
WITH RECURSIVE wanted AS (
    SELECT to_regclass(w.relation)::oid AS relation, w.mode
    FROM unnest(%(relations)s::text [], %(modes)s::text []) AS w (relation, mode)
),

tree AS (
    SELECT w.relation AS root, w.relation FROM wanted AS w
    UNION
    SELECT t.root, i.inhrelid FROM tree AS t INNER JOIN pg_inherits AS i ON i.inhparent = t.relation
),

held AS (  -- read once
    SELECT l.relation, l.pid, l.virtualtransaction
    FROM wanted AS w
    INNER JOIN tree AS t ON t.root = w.relation
    INNER JOIN pg_locks AS l ON l.relation = t.relation AND l.mode = w.mode
    WHERE l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
)

SELECT
    a.pid,
    coalesce(a.usename, a.backend_type, 'a background process') AS who,
    coalesce(a.application_name, '') AS application,
    coalesce(a.backend_type, CASE WHEN a.usesysid IS NULL THEN 'autovacuum worker' ELSE 'client backend' END)
        AS backend_type,
    CASE WHEN a.backend_type IS NULL THEN 'hidden' ELSE coalesce(a.state, a.query, 'at work') END AS state,
    coalesce(
        a.query LIKE '%%(to prevent wraparound)'
        OR (a.backend_type IS NULL AND a.usesysid IS NULL AND bool_or(age(c.relfrozenxid) > worn.max_age)),
        false
    ) AS urgent,
    coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0)::float AS transaction_seconds,
    coalesce(extract(epoch FROM clock_timestamp() - a.state_change), 0)::float AS state_seconds,
    a.query_start,
    min(l.virtualtransaction) AS transaction,
    min(l.relation::regclass::text) AS relation,
    bool_or(
        me.rolsuper
        OR (NOT them.rolsuper AND (pg_has_role(them.oid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE')))
    ) IS true AS may_end,
    CASE WHEN a.backend_type IS NULL AND a.usesysid IS NOT NULL THEN quote_ident(current_user) END AS hidden_from
FROM held AS l
INNER JOIN pg_stat_activity AS a ON a.pid = l.pid
INNER JOIN pg_roles AS me ON me.rolname = current_user
LEFT JOIN pg_roles AS them ON them.oid = a.usesysid
INNER JOIN pg_class AS c ON c.oid = l.relation
CROSS JOIN LATERAL (
    SELECT least(
        current_setting('autovacuum_freeze_max_age')::bigint,
        (
            SELECT o.option_value::bigint FROM pg_options_to_table(c.reloptions) AS o
            WHERE o.option_name = 'autovacuum_freeze_max_age'
        )
    ) AS max_age
) AS worn
WHERE l.pid <> %(migrator)s AND l.pid <> pg_backend_pid()
GROUP BY a.pid, a.usesysid, a.usename, a.backend_type, a.application_name, a.state, a.query, a.xact_start, a.state_change, a.query_start
UNION ALL
SELECT
    0 AS pid,
    p.owner::text AS who,
    p.gid AS application,
    'prepared transaction' AS backend_type,
    'prepared' AS state,
    false AS urgent,
    extract(epoch FROM clock_timestamp() - p.prepared)::float AS transaction_seconds,
    extract(epoch FROM clock_timestamp() - p.prepared)::float AS state_seconds,
    NULL AS query_start,
    min(l.virtualtransaction) AS transaction,
    min(l.relation::regclass::text) AS relation,
    false AS may_end,
    NULL AS hidden_from
FROM held AS l
INNER JOIN pg_locks AS own
    ON own.locktype = 'transactionid' AND own.pid IS NULL AND own.virtualtransaction = l.virtualtransaction
INNER JOIN pg_prepared_xacts AS p ON p.transaction = own.transactionid
WHERE l.pid IS NULL AND p.database = current_database()
GROUP BY p.gid, p.owner, p.prepared
ORDER BY transaction_seconds DESC;
