-- The revision that the database is at.
SELECT version_num FROM alembic_version;
