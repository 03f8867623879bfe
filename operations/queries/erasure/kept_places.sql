SELECT place, rows, CASE WHEN found IS NULL THEN 0 ELSE greatest(rows - found, 0) END AS meanwhile
FROM sidb.erasure_place
WHERE erasure_id = %(erasure_id)s
ORDER BY place;
