SELECT p.at, p.action, p.who, p.client, p.findings
FROM sidb.preflight_run AS p
ORDER BY p.run_id;
