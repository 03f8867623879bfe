-- Keep the old value before it is changed; what is kept already stays, or a second try would keep the raised value.
INSERT INTO sidb.raised_setting (name, before, in_auto_conf, raised)
VALUES (%(name)s, %(before)s, %(in_auto_conf)s, %(raised)s)
ON CONFLICT (name) DO NOTHING;
