-- store::Session::upsert_call_summaries, for events that did not win their row
WITH known AS (
    SELECT
        sent.*,
        known.rest_observed_time IS NOT NULL AS is_observed,
        known.start_time
    FROM unnest(
        $1::text[],
        $2::timestamptz[],
        $3::timestamptz[],
        $4::timestamptz[],
        $5::timestamptz[],
        $6::timestamptz[]
    ) AS sent (
        call_sid,
        partial_time,
        predicted_complete_time,
        complete_time,
        first_received_time,
        last_received_time
    )
    INNER JOIN public.call_summaries AS known ON known.call_sid = sent.call_sid
    WHERE
        -- What is also known from the REST API is merged outside, by the rule itself.
        known.rest_observed_time IS NOT NULL
        -- A replay after a crash brings nothing new, and writes nothing.
        OR sent.last_received_time > known.last_received_time
        OR sent.first_received_time < known.first_received_time
        OR GREATEST(known.partial_time, sent.partial_time) IS DISTINCT FROM known.partial_time
        OR GREATEST(known.predicted_complete_time, sent.predicted_complete_time)
            IS DISTINCT FROM known.predicted_complete_time
        OR GREATEST(known.complete_time, sent.complete_time) IS DISTINCT FROM known.complete_time
    -- Rows are locked in the order in which the upsert locks them: two services can't deadlock.
    ORDER BY sent.call_sid COLLATE "C"
    FOR UPDATE OF known
),

touched AS (
    UPDATE public.call_summaries AS call SET
        partial_time = GREATEST(call.partial_time, new.partial_time),
        predicted_complete_time = GREATEST(call.predicted_complete_time, new.predicted_complete_time),
        complete_time = GREATEST(call.complete_time, new.complete_time),
        first_received_time = LEAST(call.first_received_time, new.first_received_time),
        last_received_time = GREATEST(call.last_received_time, new.last_received_time)
    FROM known AS new
    WHERE call.call_sid = new.call_sid AND NOT new.is_observed
)

SELECT
    call_sid,
    is_observed,
    start_time
FROM known
