INSERT INTO sidb.rollback_dependant (rollback_id, place, name, removal, creation, later, relations)
SELECT
    %(rollback_id)s,
    (SELECT count(*) + 1 FROM sidb.rollback_dependant WHERE rollback_id = %(rollback_id)s),
    %(name)s,
    %(removal)s,
    %(creation)s,
    %(later)s,
    %(relations)s;
