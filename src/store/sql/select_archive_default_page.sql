-- store::Session::archive_page
SELECT
    received_time,
    call_sid,
    raw
FROM callsink.archive_default
WHERE
    ctid >= ($1::text)::tid
    AND ctid < ($2::text)::tid
