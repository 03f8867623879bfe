SELECT analytics.move_retention_horizon(%(relation)s, %(kept_from)s);
