-- store::Session::dictionary
-- Without the role nobody can be refused by it: then nothing counts as personal.
SELECT
    namespace.nspname::text AS schema,
    relation.relname::text AS relation,
    attribute.attname::text AS name,
    format_type(attribute.atttypid, attribute.atttypmod) AS type,
    attribute.attnotnull AS required,
    coalesce(
        (SELECT NOT has_column_privilege(reader.oid, relation.oid, attribute.attnum, 'SELECT')
         FROM pg_roles AS reader WHERE reader.rolname = 'callsink_reader'),
        false) AS hidden,
    coalesce(col_description(relation.oid, attribute.attnum), '') AS comment
FROM pg_attribute AS attribute
JOIN pg_class AS relation ON relation.oid = attribute.attrelid
JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
WHERE namespace.nspname IN ('public', 'callsink')
    AND relation.relkind IN ('r', 'v', 'm', 'p')
    AND NOT relation.relispartition
    AND attribute.attnum > 0
    AND NOT attribute.attisdropped
ORDER BY attribute.attrelid, attribute.attnum
