-- store::Session::dictionary
-- Partitions say what their parent says; their names change from day to day.
SELECT
    namespace.nspname::text AS schema,
    relation.relname::text AS name,
    CASE relation.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'table' END AS kind,
    coalesce(obj_description(relation.oid, 'pg_class'), '') AS comment
FROM pg_class AS relation
JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
WHERE namespace.nspname IN ('public', 'callsink')
    AND relation.relkind IN ('r', 'v', 'm', 'p')
    AND NOT relation.relispartition
ORDER BY namespace.nspname = 'public' DESC, relation.relname COLLATE "C"
