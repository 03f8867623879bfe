-- The tables outside an archive to which its tables refer: dropping one of these locks them.
SELECT DISTINCT format('%%I.%%I', n.nspname, c.relname)
FROM pg_constraint AS k
INNER JOIN pg_class AS own ON own.oid = k.conrelid
INNER JOIN pg_namespace AS a ON a.oid = own.relnamespace AND a.nspname = %(archive)s
INNER JOIN pg_class AS c ON c.oid = k.confrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND n.oid <> a.oid
ORDER BY 1;
