-- The setting is put back.
DELETE FROM sidb.raised_setting WHERE name = %(name)s;
