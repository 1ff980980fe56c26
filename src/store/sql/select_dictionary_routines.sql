-- store::Session::dictionary
-- Functions, aggregates and types. The row type of a relation is no type of its own, nor is the array of one.
SELECT * FROM (
    SELECT
        namespace.nspname::text AS schema,
        routine.proname || '(' || pg_get_function_identity_arguments(routine.oid) || ')' AS name,
        CASE routine.prokind WHEN 'a' THEN 'aggregate' WHEN 'p' THEN 'procedure' ELSE 'function' END AS kind,
        format_type(routine.prorettype, NULL) AS returns,
        coalesce(obj_description(routine.oid, 'pg_proc'), '') AS comment
    FROM pg_proc AS routine
    JOIN pg_namespace AS namespace ON namespace.oid = routine.pronamespace
    WHERE namespace.nspname IN ('public', 'callsink')
    UNION ALL
    SELECT
        namespace.nspname::text,
        type.typname::text,
        'type',
        CASE type.typtype WHEN 'c' THEN 'composite' WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' ELSE 'range' END,
        coalesce(obj_description(type.oid, 'pg_type'), '')
    FROM pg_type AS type
    JOIN pg_namespace AS namespace ON namespace.oid = type.typnamespace
    LEFT JOIN pg_class AS relation ON relation.oid = type.typrelid
    WHERE namespace.nspname IN ('public', 'callsink')
        AND (type.typtype IN ('e', 'd') OR relation.relkind = 'c')
) AS described
ORDER BY schema = 'public' DESC, kind = 'type', name COLLATE "C"
