CREATE SCHEMA IF NOT EXISTS analytics;

COMMENT ON SCHEMA analytics IS 'Advanced analytics of the Social Intelligence service (Phase 2)';

REVOKE ALL ON SCHEMA analytics FROM PUBLIC;

CREATE SCHEMA IF NOT EXISTS analytics_partitions;

COMMENT ON SCHEMA analytics_partitions IS 'Partitions of the tables of schema analytics';
