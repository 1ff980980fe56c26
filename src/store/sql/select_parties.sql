-- store::Session::parties_after. The last row, with NULL for names, is where the page ends.
WITH page AS MATERIALIZED (
    SELECT
        call_sid,
        array_remove(
            ARRAY[from_caller, from_callee, to_caller, to_callee, trust_branded_call_caller],
            NULL
        ) AS names
    FROM public.call_summaries
    WHERE call_sid > $1
    ORDER BY call_sid
    LIMIT $3
)

SELECT
    call_sid,
    names
FROM page
WHERE EXISTS (
    SELECT
    FROM unnest($2::text[]) AS needle
    WHERE strpos(translate(array_to_string(names, ' '), ' ().-', ''), needle) > 0
)
UNION ALL
SELECT
    max(call_sid),
    NULL
FROM page
