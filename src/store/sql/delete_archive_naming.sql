-- store::Session::archive_naming. No day means the default partition.
WITH of_day AS (
    DELETE FROM callsink.archive
    WHERE
        ctid >= ($1::text)::tid
        AND ctid < ($2::text)::tid
        AND received_time >= $3
        AND received_time < $4
        AND (
            call_sid IN (SELECT sid FROM unnest($5::text[]) AS sid)
            OR EXISTS (
                SELECT
                FROM unnest($6::text[], $7::text[]) AS sought (needle, pattern)
                WHERE
                    position(convert_to(sought.needle, 'UTF8') IN raw) > 0
                    AND encode(raw, 'escape') ~ sought.pattern
            )
            -- What could not be read may name a call all the same.
            OR call_sid IS NULL AND EXISTS (
                SELECT
                FROM unnest($5::text[]) AS sid
                WHERE position(convert_to(sid, 'UTF8') IN raw) > 0
            )
        )
    RETURNING 1
),

of_default AS (
    DELETE FROM callsink.archive_default
    WHERE
        ctid >= ($1::text)::tid
        AND ctid < ($2::text)::tid
        AND $3::timestamptz IS NULL
        AND $4::timestamptz IS NULL
        AND (
            call_sid IN (SELECT sid FROM unnest($5::text[]) AS sid)
            OR EXISTS (
                SELECT
                FROM unnest($6::text[], $7::text[]) AS sought (needle, pattern)
                WHERE
                    position(convert_to(sought.needle, 'UTF8') IN raw) > 0
                    AND encode(raw, 'escape') ~ sought.pattern
            )
            -- What could not be read may name a call all the same.
            OR call_sid IS NULL AND EXISTS (
                SELECT
                FROM unnest($5::text[]) AS sid
                WHERE position(convert_to(sid, 'UTF8') IN raw) > 0
            )
        )
    RETURNING 1
)

SELECT (SELECT count(*) FROM of_day) + (SELECT count(*) FROM of_default)
