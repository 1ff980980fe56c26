-- store::Session::upsert_call_summaries, for events that did not win their row
UPDATE public.call_summaries AS call SET
    partial_time = GREATEST(call.partial_time, new.partial_time),
    predicted_complete_time = GREATEST(call.predicted_complete_time, new.predicted_complete_time),
    complete_time = GREATEST(call.complete_time, new.complete_time),
    first_received_time = LEAST(call.first_received_time, new.first_received_time),
    last_received_time = GREATEST(call.last_received_time, new.last_received_time)
FROM unnest(
    $1::text[],
    $2::timestamptz[],
    $3::timestamptz[],
    $4::timestamptz[],
    $5::timestamptz[],
    $6::timestamptz[]
) AS new (
    call_sid,
    partial_time,
    predicted_complete_time,
    complete_time,
    first_received_time,
    last_received_time
)
WHERE
    call.call_sid = new.call_sid
    -- A replay after a crash brings nothing new, and writes nothing.
    AND (
        new.last_received_time > call.last_received_time
        OR new.first_received_time < call.first_received_time
        OR GREATEST(call.partial_time, new.partial_time) IS DISTINCT FROM call.partial_time
        OR GREATEST(call.predicted_complete_time, new.predicted_complete_time)
            IS DISTINCT FROM call.predicted_complete_time
        OR GREATEST(call.complete_time, new.complete_time) IS DISTINCT FROM call.complete_time
    )
