-- store::Session::count_aged; as delete_aged_calls.sql, in two branches that can use the index
SELECT
    count(*),
    min(at),
    max(at)
FROM (
    SELECT start_time AS at
    FROM public.call_summaries
    WHERE start_time < $1
    UNION ALL
    SELECT first_received_time AS at
    FROM public.call_summaries
    WHERE start_time IS NULL AND first_received_time < $1
) AS aged
