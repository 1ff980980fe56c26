-- store::Session::dead_letters_after. The bytes of a page are bounded, too, but for its first letter.
SELECT
    page.digest,
    page.reason,
    page.detail,
    page.sqlstate,
    page.raw,
    page.first_received_time,
    page.last_received_time
FROM (
    SELECT
        letter.*,
        sum(octet_length(letter.raw)) OVER (ORDER BY letter.digest, letter.reason)
            - octet_length(letter.raw) AS bytes_before
    FROM (
        SELECT dead.*
        FROM callsink.dead_letters AS dead
        WHERE
            (dead.digest, dead.reason) > ($1::bytea, $2::text)
            AND (cardinality($3::text[]) = 0 OR dead.reason = ANY($3::text[]))
            AND dead.reason <> ALL($4::text[])
            AND (
                cardinality($5::bytea[]) = 0
                OR EXISTS (
                    SELECT
                    FROM unnest($5::bytea[], $6::bytea[]) AS named (least, most)
                    WHERE dead.digest BETWEEN named.least AND named.most
                )
            )
            AND (cardinality($7::text[]) = 0 OR dead.event_id = ANY($7::text[]))
        ORDER BY dead.digest, dead.reason
        LIMIT $8
    ) AS letter
) AS page
WHERE page.bytes_before < $9
ORDER BY page.digest, page.reason
