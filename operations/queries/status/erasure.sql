-- Erasures that were begun and are not finished, with the number of their users.
SELECT
    e.erasure_id AS erasure,
    e.begun,
    (SELECT count(*) FROM sidb.erased_user AS u WHERE u.erasure_id = e.erasure_id) AS users
FROM sidb.erasure AS e
WHERE e.finished IS NULL
ORDER BY e.erasure_id;
