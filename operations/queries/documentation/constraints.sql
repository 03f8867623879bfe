-- The constraints of one relation: key, unique, references, checks; NOT NULL is told with its column.
SELECT conname AS name, pg_get_constraintdef(oid) AS definition
FROM pg_constraint
WHERE conrelid = %(relation)s::regclass AND contype IN ('p', 'u', 'f', 'c', 'x')
ORDER BY array_position('{p,u,x,f,c}'::"char"[], contype), conname
