-- store::Session::archive_page. The day prunes to one partition, the block numbers to a stretch of it.
SELECT
    received_time,
    call_sid,
    raw
FROM callsink.archive
WHERE
    ctid >= ($1::text)::tid
    AND ctid < ($2::text)::tid
    AND received_time >= $3
    AND received_time < $4
