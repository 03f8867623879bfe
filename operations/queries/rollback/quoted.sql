-- Of names as the catalog calls them, those that have to be quoted in a statement, as they are written there.
SELECT named.quoted
FROM unnest(%(names)s::text []) AS n (name)
CROSS JOIN LATERAL (
    SELECT format('%%I.%%I', split_part(n.name, '.', 1), substr(n.name, strpos(n.name, '.') + 1)) AS quoted
) AS named
WHERE named.quoted <> n.name
ORDER BY named.quoted;
