-- The catalog before the first of the attempts at this step since a step was last applied.
SELECT before FROM {bookkeeping}.step
WHERE
    revision = %(revision)s
    AND direction = %(direction)s
    AND step_id > coalesce((SELECT max(step_id) FROM {bookkeeping}.step WHERE outcome = 'applied'), 0)
ORDER BY step_id
LIMIT 1;
