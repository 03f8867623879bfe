SELECT step_id, revision, direction, validated, validated IS NOT NULL OR message IS NOT NULL AS is_looked_at, before
FROM {bookkeeping}.step
WHERE outcome = 'applied'
ORDER BY step_id DESC
LIMIT 1;
