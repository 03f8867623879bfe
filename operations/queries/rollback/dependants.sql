-- What a rollback put aside of others and is not back, in the order in which it can be brought back.
SELECT place, name, removal, creation, later, relations, state
FROM sidb.rollback_dependant
WHERE rollback_id = %(rollback_id)s AND state IN ('aside', 'created')
ORDER BY place;
