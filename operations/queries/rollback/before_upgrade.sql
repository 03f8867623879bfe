-- The catalog before the upgrade that a rollback undoes: before its step from the target.
SELECT before FROM sidb.step
WHERE revision = %(revision)s AND direction = 'upgrade' AND outcome = 'applied'
ORDER BY step_id DESC
LIMIT 1;
