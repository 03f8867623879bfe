-- The revision that the database is at; all that are named, where there are several.
SELECT string_agg(version_num, ', ' ORDER BY version_num) FROM public.alembic_version;
