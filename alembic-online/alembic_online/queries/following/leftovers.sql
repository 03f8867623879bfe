-- The tables on which a run that was killed left its trigger.
SELECT format('%%I.%%I', n.nspname, c.relname)
FROM pg_trigger AS t
INNER JOIN pg_class AS c ON c.oid = t.tgrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE t.tgname = %(trigger)s AND NOT t.tgisinternal AND t.tgparentid = 0;
