-- One sample a table and UTC day: the first.
-- parameters: relations, rows, bytes (arrays of one length)
INSERT INTO sidb.size_sample (relation, day, rows, bytes)
SELECT given.relation, (now() AT TIME ZONE 'UTC')::date, given.rows, given.bytes
FROM unnest(%(relations)s::text [], %(rows)s::bigint [], %(bytes)s::bigint []) AS given (relation, rows, bytes)
ON CONFLICT (relation, day) DO NOTHING;
