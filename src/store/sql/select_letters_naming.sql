-- store::Session::raw_naming_after. The last row is where the page ends.
WITH page AS MATERIALIZED (
    SELECT
        digest,
        raw
    FROM callsink.dead_letters
    WHERE digest > $1
    ORDER BY digest
    LIMIT $3
)

SELECT
    page.digest,
    TRUE AS is_found
FROM page
WHERE EXISTS (
    SELECT
    FROM unnest($2::text[], $4::text[]) AS sought (needle, pattern)
    WHERE
        position(convert_to(sought.needle, 'UTF8') IN page.raw) > 0
        AND encode(page.raw, 'escape') ~ sought.pattern
)
UNION ALL
(
    SELECT
        digest,
        FALSE
    FROM page
    ORDER BY digest DESC
    LIMIT 1
)
