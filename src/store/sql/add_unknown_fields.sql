-- store::Session::add_unknown_fields
WITH seen AS (
    SELECT sent.*
    FROM unnest(
        $1::text[],
        $2::integer[],
        $3::text[],
        $4::timestamptz[],
        $5::timestamptz[],
        $6::bigint[]
    ) AS sent (
        path,
        schema_version,
        example_type,
        first_seen_time,
        last_seen_time,
        occurrences
    )
),

-- One row per key: a field that comes as two types is sent as two.
fields AS (
    SELECT
        path,
        schema_version,
        min(example_type) AS example_type,
        min(first_seen_time) AS first_seen_time,
        max(last_seen_time) AS last_seen_time,
        sum(occurrences)::bigint AS occurrences
    FROM seen
    GROUP BY path, schema_version
),

written AS (
    INSERT INTO callsink.unknown_fields AS known (
        path,
        schema_version,
        example_type,
        first_seen_time,
        last_seen_time,
        occurrences
    )
    SELECT fields.*
    FROM fields
    WHERE
        (SELECT count(*) FROM callsink.unknown_fields) < $7
        OR EXISTS (
            SELECT
            FROM callsink.unknown_fields AS there
            WHERE
                there.path = fields.path
                AND there.schema_version IS NOT DISTINCT FROM fields.schema_version
        )
    ORDER BY path, schema_version
    ON CONFLICT ON CONSTRAINT unknown_fields_path_schema_version_key DO UPDATE SET
        example_type = CASE
            WHEN known.example_type = 'null' THEN excluded.example_type
            ELSE known.example_type
        END,
        first_seen_time = LEAST(known.first_seen_time, excluded.first_seen_time),
        last_seen_time = GREATEST(known.last_seen_time, excluded.last_seen_time),
        occurrences = known.occurrences + excluded.occurrences
    RETURNING
        path,
        schema_version,
        occurrences
)

-- What was there had been seen before: with this statement's snapshot the old rows are still visible.
SELECT
    written.path,
    written.schema_version
FROM written
WHERE NOT EXISTS (
    SELECT
    FROM callsink.unknown_fields AS there
    WHERE
        there.path = written.path
        AND there.schema_version IS NOT DISTINCT FROM written.schema_version
)
