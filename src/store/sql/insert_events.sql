-- store::Session::insert_events
INSERT INTO callsink.events (
    digest,
    event_id,
    event_type,
    event_source,
    dataschema,
    event_time,
    received_time,
    data,
    envelope
)
SELECT
    new.digest,
    new.event_id,
    new.event_type,
    new.event_source,
    new.dataschema,
    new.event_time,
    new.received_time,
    new.data::json,
    new.envelope::json
FROM unnest(
    $1::bytea[],
    $2::text[],
    $3::text[],
    $4::text[],
    $5::text[],
    $6::timestamptz[],
    $7::timestamptz[],
    $8::text[],
    $9::text[]
) AS new (
    digest,
    event_id,
    event_type,
    event_source,
    dataschema,
    event_time,
    received_time,
    data,
    envelope
)
ORDER BY new.digest
ON CONFLICT (digest) DO NOTHING
