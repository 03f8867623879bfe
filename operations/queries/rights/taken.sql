SELECT t.taken_at, t.before_upgrade FROM sidb.phase1_rights AS t;
