-- Triggers of others that fire where rows of users are deleted: they may have written elsewhere what these held.
SELECT format('%%I on %%I.%%I', t.tgname, n.nspname, c.relname) AS name
FROM pg_trigger AS t
INNER JOIN pg_class AS c ON c.oid = t.tgrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'user_id' AND NOT a.attisdropped
INNER JOIN pg_proc AS p ON p.oid = t.tgfoid
INNER JOIN pg_namespace AS pn ON pn.oid = p.pronamespace
WHERE
    ((n.nspname = 'analytics' AND c.relname = ANY(%(models)s)) OR n.nspname IN ('analytics_partitions', 'sidb'))
    AND NOT t.tgisinternal
    AND t.tgparentid = 0
    AND t.tgenabled <> 'D'
    AND t.tgtype & 8 > 0  -- DELETE
    AND pn.nspname <> 'analytics'
ORDER BY 1;
