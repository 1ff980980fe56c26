-- store::Session::delete_archived
DELETE FROM callsink.archive
WHERE
    received_time >= $2
    AND received_time <= $3
    AND call_sid = ANY($1::text[])
