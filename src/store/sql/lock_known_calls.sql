-- store::known_calls::lock
SELECT
    call_sid,
    summary_source = 'rest' AS shows_rest,
    event_type,
    event_id,
    event_source,
    dataschema,
    event_time,
    payload::text AS payload,
    other_payload::text AS other_payload,
    rest_observed_time,
    partial_time,
    predicted_complete_time,
    complete_time,
    first_received_time,
    last_received_time
FROM public.call_summaries
WHERE call_sid = ANY($1)
-- In the order in which the upsert locks rows: two writers can't deadlock.
ORDER BY call_sid COLLATE "C"
FOR UPDATE
