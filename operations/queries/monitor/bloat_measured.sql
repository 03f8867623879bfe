-- The share of each table that is free or dead, measured: pages that are not all visible are read.
-- parameters: tables (oids); {schema} is that of pgstattuple
SELECT
    given.oid::bigint AS oid,
    (found.approx_free_percent + found.dead_tuple_percent) / 100 AS share
FROM unnest(%(tables)s::oid []) AS given (oid)
CROSS JOIN LATERAL {schema}.pgstattuple_approx(given.oid) AS found;
