-- The records of a chunk that were refused, in their order.
INSERT INTO sidb.backfill_rejects (file_id, file, line, reason, content)
SELECT :file_id, :file, r.line, r.reason, r.content
FROM
    unnest(CAST(:lines AS bigint[]), CAST(:reasons AS text[]), CAST(:contents AS text[]))
    WITH ORDINALITY AS r (line, reason, content, number)
ORDER BY r.number
