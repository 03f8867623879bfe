-- The tables whose rows may go: about how many rows there are, how large they are, and the UTC day before which their
-- time is over. `months` are those that are set, else the contract's.
SELECT
    t.relation,
    t.months,
    (date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => t.months))::date AS kept_from,
    has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid)
        AS is_readable,
    c.relkind = 'p' AS is_partitioned,
    p.rows,
    p.bytes
FROM unnest(%(relations)s::text [], %(months)s::integer []) AS t (relation, months)
INNER JOIN pg_class AS c ON c.relname = t.relation
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = 'analytics'
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(greatest(pg_stat_get_live_tuples(p.oid), p.reltuples::bigint, 0)), 0)::bigint AS rows,
        coalesce(sum(pg_relation_size(p.oid)), 0)::bigint AS bytes
    FROM pg_class AS p
    WHERE
        p.oid = c.oid
        OR (c.relkind = 'p' AND p.oid IN (SELECT i.inhrelid FROM pg_inherits AS i WHERE i.inhparent = c.oid))
) AS p;
