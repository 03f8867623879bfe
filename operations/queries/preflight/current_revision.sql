-- The revision that the database is at.
SELECT version_num FROM public.alembic_version;
