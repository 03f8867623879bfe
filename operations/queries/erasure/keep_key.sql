-- A key, where the database has none, or this one comes with a certificate; nobody but the owner reads it, whatever
-- privileges new tables get by default.
INSERT INTO sidb.erasure_key (secret, inner_pad, outer_pad)
SELECT %(secret)s, %(inner_pad)s, %(outer_pad)s
WHERE %(is_given)s OR NOT EXISTS (SELECT FROM sidb.erasure_key)
ON CONFLICT (secret) DO NOTHING;
