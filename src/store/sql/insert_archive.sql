-- store::Session::insert_archive
INSERT INTO callsink.archive (
    received_time,
    call_sid,
    raw
)
SELECT
    new.received_time,
    new.call_sid,
    new.raw
FROM unnest($1::timestamptz[], $2::text[], $3::bytea[]) AS new (received_time, call_sid, raw)
