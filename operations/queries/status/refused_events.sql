-- From when on events are refused: by the CHECK that a step to 2.1.0 left that was not finished.
SELECT substring(pg_get_constraintdef(k.oid) FROM '''([^'']+)''')::timestamptz AS since
FROM pg_constraint AS k
INNER JOIN pg_class AS c ON c.oid = k.conrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'analytics' AND c.relname = 'analytics_events' AND k.conname = 'analytics_events_bound';
