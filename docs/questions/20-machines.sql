-- Human, machine, fax or unknown? What is the answer rate by local hour?
-- Twilio says no time zone: the hour is that of the callee's number, by its country and subdivision, else by its longitude (time_zone of the view calls
-- says which). answered_by is known where answering-machine detection was asked for; "unknown" is its answer when it could not tell.
SELECT extract(hour FROM local_start_time)::int AS local_hour, count(*) AS attempts,
       round(100.0 * count(*) FILTER (WHERE answered) / count(*), 1) AS answered_percent,
       count(*) FILTER (WHERE answered_by = 'human') AS human,
       count(*) FILTER (WHERE answered_by LIKE 'machine%') AS machine,
       count(*) FILTER (WHERE answered_by = 'fax') AS fax,
       count(*) FILTER (WHERE answered_by = 'unknown') AS unknown,
       count(*) FILTER (WHERE answered AND answered_by IS NULL) AS not_asked
FROM calls
WHERE start_time >= now() - interval '14 days' AND way = 'outbound' AND call_state NOT IN ('undialed', 'ringing')
GROUP BY 1
ORDER BY 1;
