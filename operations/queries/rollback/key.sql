-- The columns by which a table's rows are found again: those of its primary key; else of a unique index whose columns
-- are all NOT NULL; else niche_id, of which hot_niches_today has one a row. No row where there is none of these.
SELECT k.columns
FROM (
    SELECT
        array_agg(a.attname::text ORDER BY array_position(i.indkey::smallint [], a.attnum)) AS columns,
        CASE WHEN i.indisprimary THEN 1 ELSE 2 END AS place
    FROM pg_index AS i
    INNER JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
    WHERE
        i.indrelid = %(oid)s AND i.indisunique AND i.indisvalid AND i.indexprs IS NULL AND i.indpred IS NULL
        AND i.indnkeyatts = i.indnatts
    GROUP BY i.indexrelid, i.indisprimary
    HAVING bool_and(a.attnotnull)
    UNION ALL
    SELECT ARRAY[a.attname::text], 3
    FROM pg_attribute AS a
    INNER JOIN pg_class AS c ON c.oid = a.attrelid
    WHERE a.attrelid = %(oid)s AND a.attname = 'niche_id' AND c.relname = 'hot_niches_today' AND NOT a.attisdropped
) AS k
ORDER BY k.place, k.columns
LIMIT 1;
