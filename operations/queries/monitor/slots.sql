-- Physical replication slots, and whether a replica uses each: the WAL that an absent replica has not read is kept for it.
SELECT s.slot_name::text AS name, s.active
FROM pg_replication_slots AS s
WHERE s.slot_type = 'physical' AND NOT s.temporary
ORDER BY name;
