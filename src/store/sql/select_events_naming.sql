-- store::Session::raw_naming_after. The last row is where the page ends.
WITH page AS MATERIALIZED (
    SELECT
        digest,
        data,
        envelope
    FROM callsink.events
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
        strpos(concat_ws(' ', page.data::text, page.envelope::text), sought.needle) > 0
        AND concat_ws(' ', page.data::text, page.envelope::text) ~ sought.pattern
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
