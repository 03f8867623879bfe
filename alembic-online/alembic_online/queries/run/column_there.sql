-- A row if the column is there.
SELECT a.attname
FROM pg_attribute AS a
WHERE a.attrelid = %(oid)s AND a.attnum = %(attnum)s AND NOT a.attisdropped;
