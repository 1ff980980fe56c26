-- store::Session::test_events_since
SELECT data ->> 'test_id'
FROM callsink.events
WHERE
    event_type = 'com.twilio.eventstreams.test-event'
    AND received_time >= $1
    AND data ->> 'test_id' IS NOT NULL
ORDER BY received_time DESC
LIMIT 20
