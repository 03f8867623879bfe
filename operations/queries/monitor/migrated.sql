-- When the new schema came to be: the last time that revision 2.0.0 was applied; NULL: the ledger does not say.
SELECT max(s.finished) AS migrated
FROM sidb.step AS s
WHERE s.revision = '2.0.0' AND s.direction = 'upgrade' AND s.outcome = 'applied';
