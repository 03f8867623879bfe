INSERT INTO {bookkeeping}.component (component, version)
VALUES (%(component)s, %(version)s)
ON CONFLICT (component) DO UPDATE SET version = excluded.version;
